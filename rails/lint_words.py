"""Says in plain words what a typed form does not take, and where."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from rails.findings import Finding
from rails.pattern_words import pattern_words
from rails.value_words import bare, bounds, kind_of, shown, wrong_kind
from rails.yaml_text import Path, YamlText

# msgspec's own messages and paths; no text of people is matched with these.
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$?(?P<place>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_TICKED = re.compile(r"`([^`]*)`")
_LENGTH = re.compile(r"of length (>=|<=) (\d+)$")
_HOST = re.compile(r"(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]+")
_MOST_OF_A_NAME = 40
_MOST_QUOTED = 60
_LANGUAGE = "A language is named by its code, such as `en` or `pt-BR`."
_FORMS = {
    "refusals": _LANGUAGE,
    "replies": _LANGUAGE,
    "language": _LANGUAGE,
    "hosts": "Write names such as `www.example.com` or `*.example.com`: lower case, without https:// and slashes.",
}
"""What a form that is stated as a pattern means, by the name of the value."""


def cut(text: str) -> str:
    """Returns the beginning of a text, on one line, as far as it takes to know it again."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_QUOTED else f"{line[: _MOST_QUOTED - 1]}…"


def near(word: str, known: Iterable[str]) -> str:
    """Returns what may have been meant, or everything that is known."""
    choices = list(known)
    found = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean `{found[0]}`?" if found else f"Known are: {', '.join(choices)}."


def type_findings(value: Any, form: Any, base: Path, text: YamlText, *, part: str = "rail") -> Iterator[Finding]:
    """Gives a finding for everything that `form`, a type of msgspec's, does not take of `value`, written below `base`.

    Fields, entries of lists and names are looked at one by one, so that one mistake does not hide the next; what only
    the whole can say, such as two of one name, is said when its parts are right. The codes begin with `part`.
    """
    found = list(_parts_findings(value, form, base, text, part))
    yield from found
    if found:
        return
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        yield _Told(error, _Where(value, form, base), text, part).finding()


def _parts_findings(value: Any, form: Any, base: Path, text: YamlText, part: str) -> Iterator[Finding]:
    plain = _bare(form)
    if isinstance(value, dict) and isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(plain)}
        names = {*fields, plain.__struct_config__.tag_field}
        unknown = value.keys() - names if plain.__struct_config__.forbid_unknown_fields else ()
        for name in unknown:
            yield _unknown(str(name), base, fields, text, part)
        meant = misspelt(unknown, fields.keys() - value.keys())
        for name, field in fields.items():
            if name in value:
                yield from type_findings(value[name], field.type, (*base, name), text, part=part)
            elif field.required and name not in meant:
                yield _missing(name, base, text, part)
    elif isinstance(value, list) and get_origin(plain) in (tuple, list):
        for position, entry in enumerate(value):
            yield from type_findings(entry, get_args(plain)[0], (*base, position), text, part=part)
    elif isinstance(value, dict) and get_origin(plain) is dict:
        yield from _names_findings(value, plain, base, text, part)


def _names_findings(value: dict[Any, Any], form: Any, base: Path, text: YamlText, part: str) -> Iterator[Finding]:
    names_form, values_form = get_args(form)
    for name, entry in value.items():
        try:
            msgspec.convert(name, names_form)
        except msgspec.ValidationError:
            yield _wrong_name(str(name), names_form, base, text, part)
            continue
        yield from type_findings(entry, values_form, (*base, name), text, part=part)


def _bare(form: Any) -> Any:
    """Returns a type without what is said about it, and without the None that stands for its absence."""
    if get_origin(form) is Annotated:
        return _bare(get_args(form)[0])
    others = [one for one in get_args(form) if one is not NoneType] if get_origin(form) in (Union, UnionType) else []
    return _bare(others[0]) if len(others) == 1 else form


def misspelt(unknown: Iterable[str], missing: Iterable[str]) -> frozenset[str]:
    """Returns those of the missing names that an unknown one is likely to be: one mistake need not be told twice."""
    choices = list(missing)
    return frozenset(name for one in unknown for name in difflib.get_close_matches(str(one), choices, n=1))


def _unknown(name: str, base: Path, known: Iterable[str], text: YamlText, part: str) -> Finding:
    remedy = f"Correct its spelling or remove it. {near(name, known)}"
    message = f"{shown(name)} is not known here, so it would do nothing."
    return text.name(*base, name).finding(f"{part}.unknown_parameter", message, remedy)


def _missing(name: str, base: Path, text: YamlText, part: str) -> Finding:
    return text.at(*base).finding(f"{part}.missing_parameter", f"`{name}` is missing here.", f"Add `{name}: ...`.")


def _wrong_name(name: str, form: Any, base: Path, text: YamlText, part: str) -> Finding:
    """Returns what is wrong with a name inside of a value whose names are of a form, such as languages."""
    place, whole = text.name(*base, name), _last_name(base)
    kind = bare(inspect.type_info(form))
    if isinstance(kind, inspect.EnumType):
        return place.finding(f"{part}.value", f"{shown(name)} is not a choice for `{whole}`.", _choose(name, kind))
    remedy = _FORMS.get(whole, "Correct its spelling.")
    return place.finding(f"{part}.value", f"{shown(name)} is not a name that may stand under `{whole}`.", remedy)


@dataclass(frozen=True, slots=True)
class _Where:
    """A value that was not taken, its form, and where it is written."""

    value: Any
    form: Any
    base: Path


class _Told:
    """One mistake that msgspec tells, with the value and the form that it is about."""

    def __init__(self, error: msgspec.ValidationError, where: "_Where", text: YamlText, part: str) -> None:
        hit = _PLACE.match(str(error))
        self._problem, place = (hit["problem"], hit["place"] or "") if hit else (str(error), "")
        steps = tuple(int(digits) if digits else name for name, digits in _STEP.findall(place) if name or digits)
        self._path = (*where.base, *steps)
        self._kind = _walk(inspect.type_info(where.form), steps)
        self._value = _inside(where.value, steps)
        self._text = text
        self._part = part

    def finding(self) -> Finding:
        """Returns it in words, at its place."""
        problem, path, text, part = self._problem, self._path, self._text, self._part
        named = _TICKED.search(problem)
        if problem.startswith("Object contains unknown field") and named:
            return _unknown(named[1], path, _fields(self._kind), text, part)
        if problem.startswith("Object missing required field") and named:
            return _missing(named[1], path, text, part)
        name = _last_name(path)
        if "RE2" in problem or problem.endswith(("own example", "every text", "under `passes`")):
            field, message, remedy = pattern_words(problem)
            return text.at(*path, field).finding(f"{part}.pattern", message, remedy)
        return text.at(*path).finding(f"{part}.value", *self._words(name))

    def _words(self, name: str) -> tuple[str, str]:
        problem, value, kind = self._problem, self._value, bare(self._kind)
        label = f"Each entry of `{name}`" if self._path and isinstance(self._path[-1], int) else f"`{name}`"
        is_one = not isinstance(value, list | dict | None)
        if problem.startswith("Invalid enum value") or (isinstance(kind, inspect.EnumType) and is_one):
            return f"{shown(value)} is not a choice for `{name}`.", _choose(value, kind)
        if not problem.startswith("Expected"):
            wrong, _, remedy = problem.partition("; ")
            return f"{_capital(wrong)}.", f"{_capital(remedy)}." if remedy else "Correct it."
        if length := _LENGTH.search(problem):
            return _length(name, length[1], int(length[2]), value)
        if "matching regex" in problem:
            remedy = _form(name, value, getattr(kind, "pattern", None) or "")
            return f"{shown(value)} is not of the form that `{name}` must have.", remedy
        if " got " in problem or value is None:
            return wrong_kind(label, name, value, self._kind)
        limit = f"{kind_of(self._kind)}{bounds(kind)}"
        return f"{label} must be {limit}, and here is {shown(value)}.", f"Write {limit}."


def _last_name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "this")


def _choose(value: object, kind: Any) -> str:
    choices = [str(member.value) for member in kind.cls] if isinstance(kind, inspect.EnumType) else []
    found = difflib.get_close_matches(str(value), choices, n=1)
    meant = f" Did you mean `{found[0]}`?" if found else ""
    return f"Choose one of: {', '.join(choices)}.{meant}" if choices else "Correct its spelling."


def _length(name: str, sign: str, limit: int, value: Any) -> tuple[str, str]:
    many, one = ("characters", "character") if isinstance(value, str) else ("entries", "entry")
    if sign == ">=":
        missing = f"Add {limit - len(value)} more." if len(value) else "Write what belongs there."
        return f"`{name}` must have at least {limit} {one if limit == 1 else many}.", missing
    return f"`{name}` has {len(value)} {many}, and may have at most {limit}.", "Shorten it."


def _form(name: str, value: object, pattern: str) -> str:
    """Says what a form means that is stated as a pattern."""
    if name == "hosts":
        return _host(str(value))
    if name != "name":
        return _FORMS.get(name, "Correct its spelling.")
    joint, joints = ("_", "underscores") if "_" in pattern else ("-", "hyphens")
    meant = re.sub(r"[^a-z0-9]+", joint, str(value).casefold()).strip(joint)[:_MOST_OF_A_NAME]
    proposed = f" Did you mean `{meant}`?" if re.fullmatch(pattern, meant) else ""
    return (
        f"Use at most {_MOST_OF_A_NAME} lower-case letters and digits, with {joints} between words and a letter first."
        f"{proposed}"
    )


def _host(value: str) -> str:
    """Says how the name of a host is written, and which one may have been meant."""
    written = value.strip().casefold()
    host = re.split(r"[/?#:]", written.partition("://")[2] or written)[0]
    try:
        latin = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return _FORMS["hosts"]
    if latin != host:
        return (
            f"Write it in Latin letters, as browsers send it: `{latin}`. Links in answers must be written so as well."
        )
    is_one = latin != value and _HOST.fullmatch(latin)
    return f"{_FORMS['hosts']} Did you mean `{latin}`?" if is_one else _FORMS["hosts"]


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _inside(value: Any, steps: Path) -> Any:
    """Returns what stands at the end of `steps`, as far as it can be told."""
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return value
    return value


def _walk(kind: Any, steps: Path) -> Any:
    """Returns the type that is due at the end of `steps`, as far as it can be told."""
    for step in steps:
        match bare(kind):
            case inspect.StructType(fields=fields):
                kind = next((one.type for one in fields if one.encode_name == step), None)
            case inspect.VarTupleType() | inspect.ListType() as entries:
                kind = entries.item_type
            case inspect.DictType() as names:
                kind = names.value_type
            case _:
                return None
    return kind


def _fields(kind: Any) -> list[str]:
    plain = bare(kind)
    return [field.encode_name for field in plain.fields] if isinstance(plain, inspect.StructType) else []
