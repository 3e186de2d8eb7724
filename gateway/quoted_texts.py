"""Whether whoever quotes people's own texts to the model has the rails that this exception is bound to."""

from collections.abc import Iterator, Mapping
from typing import Any

from rails.definition import rail_name
from rails.errors import PolicyInvalid
from rails.policy import load_policy
from store.formats.bundle import Bundle

_RAILS = ("injection", "grounding")
"""The one runs on input alone, the other on output alone."""


def unguarded_quotes(content: Bundle) -> Iterator[str]:
    """Gives a line for each assistant with a `quoted_text` prompt whose policy does not act on what it brings.

    `content` is what would be live.
    """
    quoting = {prompt.area: prompt.key for prompt in content.prompts if prompt.has_quoted_text}
    for assistant in content.assistants:
        key = next((quoting[area] for area in assistant.areas if area in quoting), None)
        policy = content.policies.get(assistant.policy)
        if key is not None and policy is not None and (lacking := ", ".join(_lacking(policy))):
            yield (
                f"assistants/{assistant.name}.yaml: policy: {key} quotes people's own texts to the model, and policy "
                f"{assistant.policy} lacks {lacking}. Add what it lacks, without `monitor`."
            )


def _lacking(policy: Mapping[str, Any]) -> Iterator[str]:
    try:
        document = load_policy(policy)
    except PolicyInvalid:
        return  # whoever reads the policy says so
    acting = {rail_name(params) for params in (*document.input, *document.output) if not params.monitor}
    yield from (rail for rail in _RAILS if rail not in acting)
