"""What a model is given, and what a person is shown, for an approved prompt version and its slot values."""

import re
from collections.abc import Iterator, Mapping

from models.ports import Completion, FinishReason, PartKind, PromptPart, RenderedPrompt
from store.content import FACTS_MARK, SLOT_MARK, Generate
from store.matches import SlotValue

_SENTENCE_END = re.compile(r'[.!?]"?(?=\s|$)')

QUOTE_MARK = "> "
"""Stands before every line of a quoted text, so that no text can close its own quotation."""


def render_prompt(instructions: str, reply: Generate, values: tuple[SlotValue, ...]) -> RenderedPrompt:
    """Lays out instructions, facts and prompt text; slot values stay parts of their own.

    Facts go where the text says `{facts}`, else before it: a small model follows what it read last.
    """
    facts = PromptPart(gather_facts(reply, values), PartKind.APPROVED)
    by_name = {FACTS_MARK: facts, **{value.slot.name: _slot_part(value) for value in values}}
    text = reply.prompt.strip()
    if FACTS_MARK not in SLOT_MARK.findall(text):
        text = f"{{{FACTS_MARK}}}\n\n{text}"
    return RenderedPrompt(
        instructions=(PromptPart(instructions.strip(), PartKind.APPROVED),), question=tuple(_parts(text, by_name))
    )


def gather_facts(reply: Generate, values: tuple[SlotValue, ...]) -> str:
    """Returns the prompt's facts and those that the chosen slot values bring, on one line."""
    return " ".join(" ".join((reply.facts, *(value.fact for value in values))).split())


def fill_text(text: str, values: tuple[SlotValue, ...]) -> str:
    """Returns an approved text with its blanks filled, for a person to read."""
    by_name = {value.slot.name: value.text for value in values}
    return SLOT_MARK.sub(lambda mark: by_name[mark[1]], text.strip())


def _parts(text: str, by_name: Mapping[str, PromptPart]) -> Iterator[PromptPart]:
    end = 0
    for mark in SLOT_MARK.finditer(text):
        if mark.start() > end:
            yield PromptPart(text[end : mark.start()], PartKind.APPROVED)
        yield by_name[mark[1]]
        end = mark.end()
    if end < len(text):
        yield PromptPart(text[end:], PartKind.APPROVED)


def _slot_part(value: SlotValue) -> PromptPart:
    if not value.is_quoted:
        return PromptPart(value.text, PartKind.SLOT)
    lines = (QUOTE_MARK + line for line in value.text.splitlines())
    return PromptPart("\n" + "\n".join(lines) + "\n", PartKind.QUOTED)


def tidy_answer(completion: Completion) -> str:
    """Returns the model's words without quotation marks around the whole, and without a half sentence at the end.

    Empty when the answer ran out of tokens within its first sentence.
    """
    text = completion.text.strip()
    if completion.finish_reason is not FinishReason.STOP:
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        text = text[: ends[-1]].strip() if ends else ""
    if text[:1] == '"' and '"' not in text[1:-1]:
        text = text[1:].removesuffix('"').strip()
    return text
