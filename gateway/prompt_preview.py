"""What a drafted prompt comes to with values in its blanks: what the model would get, and what people would read."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.live import Live
from gateway.render import fill_text, render_prompt
from models.ports import PromptPart
from store.content import AnySlot, Assistant, CanonicalPrompt, Generate, Handoff
from store.matches import SlotValue
from store.people import Actor
from store.slot_values import accept_value


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt with values in its blanks."""

    assistant: str
    """Whose instructions come first; empty where no assistant has the prompt's area."""
    instructions: str
    parts: tuple[PromptPart, ...]
    """What the model gets after the instructions; empty where no model is asked."""
    answer: str
    """What people read: the approved answer, or the one for when the model is down."""
    contact: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """The blanks of a prompt, and what is wrong with the values."""

    slots: tuple[AnySlot, ...]
    refused: frozenset[str]
    """Names of blanks whose value is not of their type."""
    missing: frozenset[str]
    preview: Preview | None
    """None until every blank has a value that it takes."""


class Previews:
    """Renders drafts. Nothing is asked of the model and nothing is recorded."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def of(
        self, actor: Actor, document: Mapping[str, Any], given: Mapping[str, str], *, today: dt.date
    ) -> Filled | None:
        """Returns the prompt with the values given, None for a document that is not complete."""
        try:
            content = msgspec.convert(dict(document), CanonicalPrompt)
        except msgspec.ValidationError:
            return None
        values, refused = [], set()
        for slot in content.slots:
            text = given.get(slot.name, "").strip()
            value = accept_value(slot, text, today) if text else None
            if value is not None:
                values.append(value)
            elif text:
                refused.add(slot.name)
        names = {slot.name for slot in content.slots}
        missing = names - refused - {value.slot.name for value in values}
        whole = None if refused or missing else self._preview(actor, content, tuple(values))
        return Filled(content.slots, frozenset(refused), frozenset(missing), whole)

    def _preview(self, actor: Actor, content: CanonicalPrompt, values: tuple[SlotValue, ...]) -> Preview:
        reply, assistant = content.reply, self._assistant(actor, content.area)
        parts: tuple[PromptPart, ...] = ()
        if isinstance(reply, Generate):
            answer = fill_text(reply.fallback, values)
            parts = tuple(render_prompt(assistant, reply, values).question) if assistant else ()
        else:
            answer = fill_text(reply.answer, values)
        contact = reply.contact if isinstance(reply, Handoff) else None
        lines = (contact.name, contact.email, contact.phone, contact.url, contact.hours) if contact else ()
        instructions = assistant.instructions.strip() if assistant and parts else ""
        told = tuple(line for line in lines if line)
        return Preview(assistant.name if assistant else "", instructions, parts, answer, told)

    def _assistant(self, actor: Actor, area: str) -> Assistant | None:
        found = self._live.current.catalog.assistants
        return next((one for name, one in sorted(found.items()) if area in one.areas and actor.may_see(name)), None)
