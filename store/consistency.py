"""Rules that no single document can break alone: what published content must be as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass

from store.content import SLOT_MARK, AnySlot, CanonicalPrompt, EnumSlot, IntegerSlot, PatternSlot
from store.errors import InvalidContent
from store.formats.bundle import Bundle, convert_document, prompt_path
from store.formats.suite import Suite
from store.pauses import give_way
from store.phrases import Normalize, fold
from store.slot_values import takes_sentences

_OF_ANOTHER = "a prompt of another area"
_REMOVE = "Remove one of them."


def check_bundle(bundle: Bundle, *, normalize: Normalize = fold) -> None:
    """Raises `InvalidContent` with every problem at once, a line each: file, field, what is wrong, what to do."""
    problems = [
        *(f"{prompt_path(prompt.key)}: {line}" for prompt in bundle.prompts for line in _in_prompt(prompt, normalize)),
        *_between_prompts(bundle, normalize),
        *_references(bundle),
        *_in_suites(bundle),
    ]
    if problems:
        raise InvalidContent("\n".join(sorted(set(problems))))


def _in_prompt(prompt: CanonicalPrompt, normalize: Normalize) -> Iterator[str]:
    give_way()
    leads_here = {
        normalize(text): f"{kind}[{place}]"
        for kind, texts in (("phrasings", prompt.phrasings), ("follow_ups", prompt.follow_ups))
        for place, text in enumerate(texts)
    }
    for place, text in enumerate(prompt.counterexamples):
        if other := leads_here.get(normalize(text)):
            yield f"counterexamples[{place}]: {text!r} is also {other}. Keep one of them."
        if SLOT_MARK.search(text):
            yield f"counterexamples[{place}]: {text!r} has a blank. Write an example of it instead."
    for kind, texts in (("phrasings", prompt.phrasings), ("follow_ups", prompt.follow_ups)):
        for place, text in enumerate(texts):
            if not SLOT_MARK.sub("", normalize(text)).strip():
                yield f"{kind}[{place}]: {text!r} has no words of its own and would match anything. Add some."
    for place, slot in enumerate(prompt.slots):
        yield from (f"slots[{place}].{line}" for line in _in_slot(slot))


def _in_slot(slot: AnySlot) -> Iterator[str]:
    match slot:
        case PatternSlot():
            try:
                if takes_sentences(slot.pattern):
                    yield (
                        f"pattern: {slot.pattern!r} lets whole sentences through. Write which characters stand where, "
                        "or make the slot a short_text or a quoted_text."
                    )
            except InvalidContent as error:
                yield f"pattern: {error}. Write it without look-around or back-references."
        case IntegerSlot(minimum=minimum, maximum=maximum) if minimum > maximum:
            yield f"minimum: {minimum} is above maximum {maximum}. Swap them."
        case EnumSlot():
            yield from _in_enum(slot)
        case _:
            pass


def _in_enum(slot: EnumSlot) -> Iterator[str]:
    owner: dict[str, str] = {}
    for place, value in enumerate(slot.values):
        for spelling in (value.value, *value.also):
            other = owner.setdefault(fold(spelling), value.value)
            if other != value.value:
                yield f"values[{place}]: {spelling!r} stands for {other!r} already. Keep it at one value."


def _between_prompts(bundle: Bundle, normalize: Normalize) -> Iterator[str]:
    """Gives a line at each of two prompts; one of another area is not named, since it may be another tenant's."""
    phrasings: dict[str, _Spot] = {}
    follow_ups: dict[tuple[str, str], _Spot] = {}
    for prompt in bundle.prompts:
        give_way()
        for place, text in enumerate(prompt.phrasings):
            here = _Spot(prompt.key, f"phrasings[{place}]", text)
            other = phrasings.setdefault(normalize(text), here)
            if other is not here:
                yield from _same_phrasing(here, other)
        for place, text in enumerate(prompt.follow_ups):
            here = _Spot(prompt.key, f"follow_ups[{place}]", text)
            for predecessor in prompt.follows:
                other = follow_ups.setdefault((predecessor, normalize(text)), here)
                if other.key != prompt.key:
                    yield from _same_follow_up(here, other, predecessor)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a sentence is."""

    key: str
    field: str
    text: str

    @property
    def area(self) -> str:
        return self.key.partition(".")[0]

    def __str__(self) -> str:
        return f"{prompt_path(self.key)}: {self.field}"


def _same_phrasing(here: _Spot, other: _Spot) -> Iterator[str]:
    if here.area != other.area:
        yield from (f"{one}: {one.text!r} is a phrasing of {_OF_ANOTHER} already. {_REMOVE}" for one in (here, other))
        return
    where = "this prompt" if here.key == other.key else f"prompt {other.key}"
    yield f"{here}: {here.text!r} is a phrasing of {where} already ({other}). {_REMOVE}"


def _same_follow_up(here: _Spot, other: _Spot, predecessor: str) -> Iterator[str]:
    if here.area != other.area:
        yield from (
            f"{one}: {one.text!r} after {predecessor} leads to {_OF_ANOTHER} already. {_REMOVE}"
            for one in (here, other)
        )
        return
    yield f"{here}: {here.text!r} after {predecessor} leads to {other.key} already. {_REMOVE}"


def _in_suites(bundle: Bundle) -> Iterator[str]:
    for name, document in bundle.suites.items():
        file = f"suites/{name}.yaml"
        try:
            suite = convert_document(document, Suite)
        except InvalidContent as error:
            yield f"{file}: {error}"
            continue
        if suite.name != name:
            yield f"{file}: name: the file is called {name}. Give both the same name."


def _references(bundle: Bundle) -> Iterator[str]:
    areas = {prompt.key: prompt.area for prompt in bundle.prompts}
    for prompt in bundle.prompts:
        for place, key in enumerate(prompt.follows):
            if key not in areas or key == prompt.key:
                yield f"{prompt_path(prompt.key)}: follows[{place}]: there is no other prompt {key}. Correct the key."
    for assistant in bundle.assistants:
        file = f"assistants/{assistant.name}.yaml"
        for place, area in enumerate(assistant.areas):
            if area not in areas.values():
                yield f"{file}: areas[{place}]: no prompt is in area {area}. Correct it or add a prompt."
        for place, key in enumerate(assistant.suggestions):
            if areas.get(key) not in assistant.areas:
                yield f"{file}: suggestions[{place}]: the assistant has no prompt {key}. Correct the key."
        if assistant.policy not in bundle.policies:
            yield f"{file}: policy: there is no policy {assistant.policy}. Add policies/{assistant.policy}.yaml."
