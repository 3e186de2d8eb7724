"""Slots: takes typed values out of what a person wrote, and refuses every value that is not of its type."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from store.content import AnySlot, CanonicalPrompt
from store.errors import InvalidContent
from store.matches import SlotNeeded, SlotResult, SlotsFilled, SlotValue
from store.slot_values import accept_value, find_values


def fill_slots(
    prompt: CanonicalPrompt,
    message: str,
    *,
    captured: Mapping[str, str],
    given: Mapping[str, str],
    today: dt.date,
) -> SlotResult:
    """Returns a valid value for every slot, or the first slot that has none.

    A value is taken from `given` (sent beside the message), else from `captured` (what the matched phrasing's blank
    stood for), else from the message, by type. A given value that is not acceptable is asked for again, never replaced
    by something else in the message; two different values in the message are asked for, never chosen from. What fills
    one blank fills no other: a message that is one's value as a whole holds no more values, and a value of the message
    that another blank has or could take as well is asked for.
    Raises `InvalidContent` when `given` names a slot that the prompt does not have.
    """
    if unknown := given.keys() - {slot.name for slot in prompt.slots}:
        known = ", ".join(slot.name for slot in prompt.slots) or "none"
        raise InvalidContent(f"slots: {prompt.key} has no slot {min(unknown)[:40]!r}. Its slots: {known}.")
    rest = "" if message in captured.values() else message
    told, found = (
        [_fill(slot, text, captured.get(slot.name), given.get(slot.name), today) for slot in prompt.slots]
        for text in ("", rest)
    )
    times = Counter(one.text for one in found if isinstance(one, SlotValue))
    values: list[SlotValue] = []
    missing: SlotNeeded | None = None
    for slot, without, within in zip(prompt.slots, told, found, strict=True):
        is_shared = isinstance(within, SlotValue) and times[within.text] > 1
        result = without if is_shared else within
        if isinstance(result, SlotValue):
            values.append(result)
        elif missing is None:
            missing = SlotNeeded(slot, is_invalid=result, known=())
    if missing is not None:
        return SlotNeeded(missing.slot, missing.is_invalid, tuple(values))
    return SlotsFilled(tuple(values))


def value_within(slot: AnySlot, message: str, today: dt.date) -> SlotValue | None:
    """Returns the one value that stands in `message` ("in Leeds, please"); None where none does, or several do."""
    found = _only(find_values(slot, message, today))
    return found if isinstance(found, SlotValue) else None


def _fill(slot: AnySlot, message: str, captured: str | None, given: str | None, today: dt.date) -> SlotValue | bool:
    """Returns the value, or whether something was there that is not acceptable."""
    if given is not None:
        return accept_value(slot, given, today) or True
    if captured is not None and (value := accept_value(slot, captured, today)):
        return value
    found = _only(find_values(slot, message, today))
    return found if isinstance(found, SlotValue) else found or captured is not None


def _only(found: tuple[SlotValue | None, ...]) -> SlotValue | bool:
    """Returns the one value that was found, or whether what was found is unusable."""
    texts = {value.text if value else None for value in found}
    if len(texts) == 1 and found[0] is not None:
        return found[0]
    return bool(texts)
