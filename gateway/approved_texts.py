"""The texts that people may be shown as they stand, and whether a policy's output rails let them through."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.render import asked_of
from rails.engine import RailsPolicy
from rails.types import RailContext, RailRecord, Stage
from store.content import SLOT_MARK, AnySlot, Assistant, CanonicalPrompt, DateSlot, EnumSlot, Generate, IntegerSlot
from store.formats.bundle import Bundle, prompt_path


@dataclass(frozen=True, slots=True)
class _ApprovedText:
    """A text that people may be shown as it stands, and where it is written."""

    file: str
    field: str
    text: str
    slots: Mapping[str, str]
    """A value for each blank."""
    above: str = ""
    """What the assistant sometimes says before it, in the same reply."""
    asked: str = ""
    """What it answers, in approved words; empty for what an assistant says without having matched anything."""

    is_refusal: bool = False
    """Whether it says no, which the rail against a model's refusals may take for one."""
    language: str = ""
    """What it is written in; empty for the assistant's first."""

    def shown(self) -> Iterator[str]:
        """Gives every form in which people see it."""
        filled = SLOT_MARK.sub(lambda mark: self.slots[mark[1]], self.text.strip())
        yield filled
        if self.above:
            yield f"{self.above}\n\n{filled}"


def withheld_texts(bundle: Bundle, policies: Mapping[str, RailsPolicy]) -> Iterator[str]:
    """Gives a line for each approved text that an assistant's output rails would keep from people."""
    for assistant in bundle.assistants:
        policy = policies.get(assistant.policy)
        if policy is None:
            continue  # publishing refuses an assistant without a policy, and says so
        told: set[tuple[str, str]] = set()
        for approved in (*_texts_of(assistant, bundle.prompts), *_replies_of(policy, assistant)):
            place = (approved.file, approved.field)
            if place not in told and (stopped := _stopped(approved, assistant, policy)):
                told.add(place)
                yield (
                    f"{approved.file}: {approved.field}: the rail {stopped.name} of policy {policy.name} stops it "
                    f"({stopped.reason}), so {assistant.name} could not show it. Change the text or the policy."
                )


def _stopped(approved: _ApprovedText, assistant: Assistant, policy: RailsPolicy) -> RailRecord | None:
    for shown in approved.shown():
        context = RailContext(
            language=approved.language or assistant.languages[0],
            languages=(approved.language,) if approved.language else assistant.languages,
            facts=shown,
            slots=approved.slots,
            prompt=approved.asked or shown,
        )
        stopped = policy.check_blocking(Stage.OUTPUT, shown, context).stopped_by
        if stopped and not (approved.is_refusal and stopped.name == "refusal"):
            return stopped
    return None


def _texts_of(assistant: Assistant, prompts: tuple[CanonicalPrompt, ...]) -> Iterator[_ApprovedText]:
    file = f"assistants/{assistant.name}.yaml"
    for field in ("no_match", "clarify", "withheld", "language"):
        # Shown as they are written: what looks like a blank stays.
        text: str = getattr(assistant.texts, field)
        if not text:
            continue  # `language` may be left out
        yield _ApprovedText(file, f"texts.{field}", text, _as_written(text))
    for prompt in prompts:
        if prompt.area not in assistant.areas:
            continue
        path, asked = prompt_path(prompt.key), asked_of(prompt)
        for position, slot in enumerate(prompt.slots):
            yield _ApprovedText(path, f"slots[{position}].ask", slot.ask, _as_written(slot.ask))
        is_generated = isinstance(prompt.reply, Generate)
        text, above = (
            (prompt.reply.fallback, assistant.texts.withheld)
            if isinstance(prompt.reply, Generate)
            else (prompt.reply.answer, "")
        )
        field = "reply.fallback" if is_generated else "reply.answer"
        for values in _values_of(prompt.slots):
            yield _ApprovedText(path, field, text, values, above=above, asked=asked)


def _replies_of(policy: RailsPolicy, assistant: Assistant) -> Iterator[_ApprovedText]:
    """Gives what the policy itself may say to people of this assistant: its refusals, and what its dialog says."""
    for language, rail, text in policy.refusals():
        field = f"refusals.{language}.{rail}"
        yield _ApprovedText(
            f"policies/{policy.name}.yaml", field, text, _as_written(text), is_refusal=True, language=language
        )
    told = set[str]()
    for language in assistant.languages if policy.dialog else ():
        for field, text in policy.dialog.texts(language, assistant.languages[0]) if policy.dialog else ():
            if f"{field} {text}" not in told:
                told.add(f"{field} {text}")
                yield _ApprovedText(f"policies/{policy.name}.yaml", field, text, {})


def _as_written(text: str) -> dict[str, str]:
    """Returns values that leave a text as it is: what looks like a blank stays."""
    return {name: f"{{{name}}}" for name in SLOT_MARK.findall(text)}


def _values_of(slots: Sequence[AnySlot]) -> Iterator[dict[str, str]]:
    """Gives values for the blanks of a text so that each value of each list is among them once.

    Every combination would be too many; a rail that stops one value stops it beside the first of the others.
    """
    first = {slot.name: _samples(slot)[0] for slot in slots}
    yield first
    for slot in slots:
        yield from (first | {slot.name: value} for value in _samples(slot)[1:])


def _samples(slot: AnySlot) -> tuple[str, ...]:
    """Returns values to read a text with: all of a list, otherwise one, of which only its being there matters."""
    match slot:
        case EnumSlot(values=values):
            return tuple(value.value for value in values)
        case IntegerSlot(minimum=minimum):
            return (str(minimum),)
        case DateSlot():
            return ("2027-06-30",)
        case _:
            return ("sample",)
