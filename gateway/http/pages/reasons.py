"""What services say, in the reader's language: each of their sentences is looked for among the English texts.

Reasons are kept with what they are about (a run of the gate, an import, a change whose time failed), and are told over
REST as well. So a service writes one English sentence, whoever reads it; its form names the text of another language,
and what is filled in goes from the one to the other. A test holds the forms and the sources together.
"""

import re
from dataclasses import dataclass
from functools import cache

from gateway.http.pages.forms import Said
from gateway.http.pages.texts import DEFAULT, LANGUAGES, Texts

_REASONS, _TITLES, _WORDS = ("reason.", "import_reason."), ("change_title.",), "import_word."
_VERDICTS = "verdict."
_PLACE = re.compile(r"\{([a-z_]+)\}")
_NESTED = "told"
"""A place that begins like this holds a reason of its own."""
_LONGEST, _MOST_JOINTS = 2000, 3
"""Characters of a line, and sentences beside the first: more of either is none of ours."""
_FOLDERS = {"prompts": "prompt", "assistants": "assistant", "policies": "policy", "suites": "suite"}
_DOCUMENT = re.compile(
    r"(?:(?P<folder>prompts|assistants|policies|suites)/(?P<path>[a-z0-9_/-]+)\.yaml"
    r"|(?P<kind>prompt|assistant|policy|suite) (?P<name>[a-z0-9._-]+)): (?P<rest>.+)",
    re.DOTALL,
)
_FIELD = re.compile(r"(?P<field>[a-z_]+)(?P<place>(?:\[\d+\]|\.[a-z_]+)*): (?P<rest>.+)", re.DOTALL)
_ITEM = re.compile(r"(?P<kind>prompt|assistant|policy|suite) (?P<name>[a-z0-9._-]+)")
_ITEMS = re.compile(rf"{_ITEM.pattern}(?:, (?:{re.sub('[?]P<[a-z]+>', '?:', _ITEM.pattern)}))*")
_SETS = {"state": "change_state.", "kind": "kind.", "stage": "rail.stage_"}
"""Places whose values are of a closed set that has words."""
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d)?)%")


def reason_of(texts: Texts, reason: str) -> Said:
    """Returns the reason in that language; in English, and marked so, where it is none that is known."""
    if texts.language == DEFAULT or not reason:
        return Said(reason)
    lines = [_line(texts, line) for line in reason.split("\n")]
    found = [line for line in lines if line is not None]
    return Said("\n".join(found)) if len(found) == len(lines) else Said(reason, is_english=True)


def verdict_of(texts: Texts, text: str) -> Said:
    """Returns what came of a question of a test set, or should, in words: the services have names for it."""
    for form in _forms(("reason.",)):
        key = _VERDICTS + form.key.removeprefix("reason.")
        if texts.has(key) and (values := form.values(text)) is not None:
            return Said(texts(key, **{place: _value(texts, place, value) for place, value in values.items()}))
    return reason_of(texts, text)


def title_in_words(texts: Texts, title: str) -> str:
    """Returns the title of a change in that language where nobody wrote one; a person's own stays as it is."""
    if texts.language == DEFAULT:
        return title
    for form in _forms(_TITLES):
        if (values := form.values(title)) is not None:
            told = {_NESTED: title_in_words(texts, values.pop(_NESTED))} if _NESTED in values else {}
            return texts(form.key, **told, **{place: _value(texts, place, value) for place, value in values.items()})
    return title


def item_in_words(texts: Texts, text: str) -> str:
    """Returns a document, as `prompt it.vpn` or `without prompt it.vpn`, as kind and name; another text as it is."""
    about = text.removeprefix("without ")
    if (found := _ITEM.fullmatch(about)) is None:
        return text
    told = f"{texts('kind.' + found['kind'])} {texts.apart(found['name'])}"
    return told if about == text else texts("detail.without", told=told)


def place_in_words(texts: Texts, place: str) -> str:
    """Returns a place in a change, such as `prompt it.vpn reply.facts`, as kind, name and field."""
    about, _, field = place.rpartition(" ")
    if (found := _ITEM.fullmatch(about)) is None:
        return texts.apart(place)
    head, dot, inside = field.partition(".")
    shown = _field(texts, head.partition("[")[0], head[len(head.partition("[")[0]) :] + dot + inside)
    return f"{texts('kind.' + found['kind'])} {texts.apart(found['name'])}: {shown}"


def _line(texts: Texts, line: str) -> str | None:
    """Returns a line with the place that it begins with, None for one that is not known."""
    if len(line) > _LONGEST:
        return None
    if about := _DOCUMENT.fullmatch(line):
        kind = about["kind"] or _FOLDERS[about["folder"]]
        name = about["name"] or about["path"].replace("/", ".")
        rest = _line(texts, about["rest"])
        return None if rest is None else f"{texts('kind.' + kind)} {texts.apart(name)}: {rest}"
    if (found := _sentence(texts, line)) is not None:
        return found
    if at := _FIELD.fullmatch(line):
        rest = _line(texts, at["rest"])
        return None if rest is None else f"{_field(texts, at['field'], at['place'])}: {rest}"
    return None


def _sentence(texts: Texts, text: str) -> str | None:
    """Returns a sentence, or several that are known each by itself."""
    if key := _wholes().get(text):
        return texts(key)
    if (apart := _joined(texts, text, "; ", texts("format.comma"))) is not None:
        return apart
    for form in _forms(_REASONS):
        if (values := form.values(text)) is not None:
            return texts(form.key, **{place: _value(texts, place, value) for place, value in values.items()})
    return _joined(texts, text, ". ", " ")


def _joined(texts: Texts, text: str, joint: str, between: str) -> str | None:
    if text.count(joint) > _MOST_JOINTS:
        return None
    for at in re.finditer(re.escape(joint), text):
        first = _sentence(texts, text[: at.start()] + joint.strip("; "))
        rest = None if first is None else _sentence(texts, text[at.end() :])
        if rest is not None:
            return f"{first}{between}{rest}"
    return None


@dataclass(frozen=True, slots=True)
class _Form:
    """An English text as what stands between its places; it is matched in linear time, whatever somebody wrote."""

    key: str
    literals: tuple[str, ...]
    places: tuple[str, ...]

    @classmethod
    def of(cls, key: str, text: str) -> "_Form":
        parts = _PLACE.split(text)
        return cls(key, tuple(parts[::2]), tuple(parts[1::2]))

    def values(self, text: str) -> dict[str, str] | None:
        """Returns what stands in the places, None when the text has another form."""
        first, last = self.literals[0], self.literals[-1]
        if not self.places:
            return {} if text == first else None
        at, end = len(first), len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last)):
            return None
        found: dict[str, str] = {}
        for place, literal in zip(self.places, self.literals[1:-1], strict=False):
            behind = text.find(literal, at + 1, end)
            if behind < 0:
                return None
            found[place], at = text[at:behind], behind + len(literal)
        found[self.places[-1]] = text[at:end]
        return found if at < end else None


@cache
def _forms(sections: tuple[str, ...]) -> tuple[_Form, ...]:
    """Returns the forms, the most particular first."""
    made = [_Form.of(key, text) for key, text in LANGUAGES[DEFAULT].entries.items() if key.startswith(sections)]
    return tuple(sorted(made, key=lambda one: -sum(map(len, one.literals))))


@cache
def _wholes() -> dict[str, str]:
    """Returns the keys of the reasons without a place, by their text: joints and commas in them are their own."""
    return {form.literals[0]: form.key for form in _forms(_REASONS) if not form.places}


def _value(texts: Texts, place: str, text: str) -> object:
    """Returns what stands in a place: a reason, a number, one of the words that reasons use, or a name as it is."""
    if place.startswith(_NESTED) and (nested := _line(texts, text)) is not None:
        return nested
    if text.isascii() and text.isdigit():
        return int(text)
    if texts.has(named := _SETS.get(place, "-") + text):
        return texts(named)
    if _ITEMS.fullmatch(text):
        return texts("format.comma").join(
            f"{texts('kind.' + one['kind'])} {texts.apart(one['name'])}" for one in _ITEM.finditer(text)
        )
    if share := _PERCENT.fullmatch(text):
        return texts("format.percent", number=texts.number(float(share[1]), 1))
    english = LANGUAGES[DEFAULT].entries
    known = next((key for key, word in english.items() if key.startswith(_WORDS) and word == text), None)
    return texts(known) if known else text


def _field(texts: Texts, name: str, place: str) -> str:
    for key in (f"document.{name}", f"field.{name}"):
        if texts.has(key):
            return texts(key) + (f" {texts.apart(place)}" if place else "")
    return texts.apart(name + place)
