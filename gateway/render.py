"""What a model is given, and what a person is shown, for an approved prompt version and its slot values."""

import itertools
from collections.abc import Iterable, Iterator, Mapping

from gateway.sentences import is_quoted, whole_sentences
from models.ports import Completion, FinishReason, PartKind, PromptPart, RenderedPrompt
from store.content import FACTS_MARK, SLOT_MARK, Assistant, CanonicalPrompt, EnumSlot, Generate
from store.matches import SlotValue

QUOTE_MARK = "> "
"""Stands before every line of a quoted text, so that no text can close its own quotation."""


def render_prompt(assistant: Assistant, reply: Generate, values: tuple[SlotValue, ...]) -> RenderedPrompt:
    """Lays out instructions, facts and prompt text; slot values stay parts of their own.

    Facts go where the text says `{facts}`, else before it: a small model follows what it read last.
    """
    facts = PromptPart(gather_facts(reply, values), PartKind.APPROVED)
    by_name = {FACTS_MARK: facts, **{value.slot.name: _slot_part(value) for value in values}}
    return _rendered(assistant, _parts(_text(reply), by_name))


def render_opening(assistant: Assistant, content: CanonicalPrompt) -> RenderedPrompt:
    """Returns what every rendering of a prompt begins with: the whole of it, or all before its first slot value."""
    reply = content.reply
    if not isinstance(reply, Generate):
        raise TypeError(f"{content.key} has no prompt for a model. This is a bug.")
    if not content.slots:
        return render_prompt(assistant, reply, ())
    later = PromptPart("", PartKind.SLOT)
    # What an enum value adds to the facts is known with the value only.
    has_value_facts = any(value.fact for slot in content.slots if isinstance(slot, EnumSlot) for value in slot.values)
    facts = later if has_value_facts else PromptPart(gather_facts(reply, ()), PartKind.APPROVED)
    parts = _parts(_text(reply), {FACTS_MARK: facts, **{slot.name: later for slot in content.slots}})
    return _rendered(assistant, (*itertools.takewhile(lambda part: part is not later, parts), later))


def _rendered(assistant: Assistant, question: Iterable[PromptPart]) -> RenderedPrompt:
    instructions = (PromptPart(assistant.instructions.strip(), PartKind.APPROVED),)
    return RenderedPrompt(instructions, tuple(question), assistant.name)


def _text(reply: Generate) -> str:
    text = reply.prompt.strip()
    return text if FACTS_MARK in SLOT_MARK.findall(text) else f"{{{FACTS_MARK}}}\n\n{text}"


def gather_facts(reply: Generate, values: tuple[SlotValue, ...]) -> str:
    """Returns the prompt's facts and those that the chosen slot values bring, on one line."""
    return " ".join(" ".join((reply.facts, *(value.fact for value in values))).split())


def asked_of(content: CanonicalPrompt) -> str:
    """Returns in approved words what a prompt is asked for, one wording a line, its blanks left out."""
    return SLOT_MARK.sub("", "\n".join((content.title, *content.phrasings)))


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
    return quoted_part(value.text)


def quoted_part(text: str) -> PromptPart:
    """Returns a text as the model gets it that stands outside of the promise: every line of it marked."""
    lines = (QUOTE_MARK + line for line in text.splitlines())
    return PromptPart("\n" + "\n".join(lines) + "\n", PartKind.QUOTED)


def tidy_answer(completion: Completion) -> str:
    """Returns the model's words without quotation marks around the whole, and without a half sentence at the end.

    Empty when the answer ran out of tokens within its first sentence.
    """
    text = completion.text.lstrip()
    if is_quoted(text.rstrip()):
        text = text.strip()[1:].removesuffix('"').lstrip()
    return (text if completion.finish_reason is FinishReason.STOP else whole_sentences(text)).rstrip()
