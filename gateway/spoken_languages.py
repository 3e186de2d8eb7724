"""Whether policies fit the languages of their assistants: rails that must judge them, and refusals that people read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rails.languages import unknown_languages
from rails.refusals import refusal_language
from store.content import Assistant


def language_problems(assistants: Iterable[Assistant], policies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Gives a line for each assistant whose policy does not fit its languages.

    `policies` are the documents that would be live.
    """
    for assistant in assistants:
        policy = policies.get(assistant.policy)
        if policy is not None:
            yield from _unjudged(assistant, policy)
            yield from _untold(assistant, policy)


def _unjudged(assistant: Assistant, policy: Mapping[str, Any]) -> Iterator[str]:
    """Tells languages that the policy's language rail cannot judge: every question would fail at the rail."""
    unknown = unknown_languages(assistant.languages)
    if unknown and any(isinstance(one, Mapping) and one.get("rail") == "language" for one in policy.get("input", ())):
        yield (
            f"assistants/{assistant.name}.yaml: languages: the rail `language` cannot tell {', '.join(unknown)}. "
            "Write a code such as en or pt-BR that it knows, or take that rail out of the policy."
        )


def _untold(assistant: Assistant, policy: Mapping[str, Any]) -> Iterator[str]:
    """Tells languages in which, and in the assistant's first one, the policy refuses nobody: it would be another's."""
    refusals = policy.get("refusals")
    written = [str(tag) for tag in refusals] if isinstance(refusals, Mapping) else []
    first = assistant.languages[0]
    missing = [tag for tag in assistant.languages if refusal_language(tag, first, written) is None]
    if written and missing:  # a policy without any text is the linter's business
        yield (
            f"policies/{assistant.policy}.yaml: refusals: the assistant {assistant.name} serves {', '.join(missing)}, "
            f"and what a person who is stopped reads is written only in {', '.join(written)}. Add `{first}:` with a "
            "`default` text below it, which serves all languages of that assistant."
        )
