"""Languages of an assistant that its policy's language rail cannot judge: every question would fail at the rail."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rails.languages import unknown_languages
from store.content import Assistant


def unjudged_languages(assistants: Iterable[Assistant], policies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Gives a line for each assistant with such a language; `policies` are the documents that would be live."""
    for assistant in assistants:
        rails = policies.get(assistant.policy, {}).get("input", ())
        unknown = unknown_languages(assistant.languages)
        if unknown and any(isinstance(one, Mapping) and one.get("rail") == "language" for one in rails):
            yield (
                f"assistants/{assistant.name}.yaml: languages: the rail `language` cannot tell {', '.join(unknown)}. "
                "Write a code such as en or pt-BR that it knows, or take that rail out of the policy."
            )
