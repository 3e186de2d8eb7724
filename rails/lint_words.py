"""Says in plain words what a typed form does not take, and where."""

import difflib
import re
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from rails.findings import Finding
from rails.yaml_text import Path, YamlText

# msgspec's own messages and paths; no text of people is matched with these.
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$?(?P<place>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_TICKED = re.compile(r"`([^`]*)`")
_BOUND = re.compile(r"(>=|<=|>|<) (-?[\d.]+)$")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "`true` or `false`",
    "array": "a list",
    "object": "names with values",
    "null": "nothing",
}
_FORMS = {
    "name": "Use lower-case letters and digits, with hyphens (a policy) or underscores (a pattern) between words.",
    "refusals": "A language is named by its code, such as `en` or `pt-BR`.",
    "language": "A language is named by its code, such as `en` or `pt-BR`.",
    "hosts": "Write names such as `www.example.com` or `*.example.com`: lower case, without https:// and slashes.",
}
"""What a form that is stated as a pattern means."""
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def near(word: str, known: Iterable[str]) -> str:
    """Returns what may have been meant, or everything that is known."""
    choices = list(known)
    found = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean `{found[0]}`?" if found else f"Known are: {', '.join(choices)}."


def type_findings(value: Any, form: Any, base: Path, text: YamlText, *, part: str = "rail") -> Iterator[Finding]:
    """Gives a finding for everything that `form`, a type of msgspec's, does not take of `value`, written below `base`.

    Fields, entries of lists and names are looked at one by one, so that one mistake does not hide the next; what only
    the whole can say, such as two of one name, is said when its parts are right.
    """
    found = list(_parts_findings(value, form, base, text, part))
    yield from found
    if found:
        return
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        yield type_finding(error, form, base, text, part=part)


def _parts_findings(value: Any, form: Any, base: Path, text: YamlText, part: str) -> Iterator[Finding]:
    plain = _bare(form)
    if isinstance(value, dict) and isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(plain)}
        names = {*fields, plain.__struct_config__.tag_field}
        for name in value.keys() - names if plain.__struct_config__.forbid_unknown_fields else ():
            yield _unknown(str(name), base, fields, text, part)
        for name, field in fields.items():
            if name in value:
                yield from type_findings(value[name], field.type, (*base, name), text, part=part)
            elif field.required:
                yield _missing(name, base, text, part)
    elif isinstance(value, list) and get_origin(plain) in (tuple, list):
        for position, entry in enumerate(value):
            yield from type_findings(entry, get_args(plain)[0], (*base, position), text, part=part)
    elif isinstance(value, dict) and get_origin(plain) is dict and len(value) > 1:
        for name, entry in value.items():
            yield from type_findings({name: entry}, plain, base, text, part=part)


def _bare(form: Any) -> Any:
    """Returns a type without what is said about it, and without the None that stands for its absence."""
    if get_origin(form) is Annotated:
        return _bare(get_args(form)[0])
    others = [one for one in get_args(form) if one is not NoneType] if get_origin(form) in (Union, UnionType) else []
    return _bare(others[0]) if len(others) == 1 else form


def _unknown(name: str, base: Path, known: Iterable[str], text: YamlText, part: str) -> Finding:
    remedy = f"Correct its spelling or remove it. {near(name, known)}"
    message = f"`{name}` is not known here, so it would do nothing."
    return text.name(*base, name).finding(f"{part}.unknown_parameter", message, remedy)


def _missing(name: str, base: Path, text: YamlText, part: str) -> Finding:
    return text.at(*base).finding(f"{part}.missing_parameter", f"`{name}` is missing here.", f"Add `{name}: ...`.")


def type_finding(
    error: msgspec.ValidationError, form: Any, base: Path, text: YamlText, *, part: str = "rail"
) -> Finding:
    """Returns the finding for what `form`, whose values are written below `base`, does not take.

    The codes begin with `part`.
    """
    hit = _PLACE.match(str(error))
    problem, place = (hit["problem"], hit["place"] or "") if hit else (str(error), "")
    steps = tuple(int(digits) if digits else name for name, digits in _STEP.findall(place) if name or digits)
    path = (*base, *steps)
    kind = _walk(inspect.type_info(form), steps)
    named = _TICKED.search(problem)
    if problem.startswith("Object contains unknown field") and named:
        return _unknown(named[1], path, _fields(kind), text, part)
    if problem.startswith("Object missing required field") and named:
        return _missing(named[1], path, text, part)
    name = next((step for step in reversed(path) if isinstance(step, str)), "this")
    if problem.startswith("Invalid enum value"):
        message = f"{problem.removeprefix('Invalid enum value ')} is not a choice for `{name}`."
        return text.at(*path).finding(f"{part}.value", message, f"Choose one of: {', '.join(_choices(kind))}.")
    if problem.startswith("Expected"):
        message, remedy = _expected(name, problem)
        return text.at(*path).finding(f"{part}.value", message, remedy)
    code = f"{part}.pattern" if "pattern" in problem else f"{part}.value"
    return text.at(*path).finding(code, f"{problem[:1].upper()}{problem[1:]}.", _remedy(problem))


def _expected(name: str, problem: str) -> tuple[str, str]:
    kinds = " or ".join(_KINDS.get(kind, kind) for kind in _TICKED.findall(problem)[0].split(" | "))
    got = _TICKED.findall(problem)[1:2]
    bound = _BOUND.search(problem)
    if got:
        what = _KINDS.get(got[0], got[0])
        quotes = " Put it in quotes." if kinds == "text" else " Write it without quotes." if what == "text" else ""
        return f"`{name}` must be {kinds}, and here is {what}.", f"Write {kinds}.{quotes}"
    if bound is None:
        form = _FORMS.get(name, f"Keep to the form: {problem.removeprefix('Expected ')}.")
        return f"`{name}` is not of the form that it must have.", form
    limit = f"{_BOUNDS[bound[1]]} {bound[2]}"
    if "of length" not in problem:
        return f"`{name}` must be {kinds}, {limit}.", f"Write {kinds}, {limit}."
    many, one = ("characters", "character") if kinds == "text" else ("entries", "entry")
    unit = one if bound[2] == "1" else many
    return f"`{name}` must have {limit} {unit}.", f"Write {limit} {unit}."


def _remedy(problem: str) -> str:
    if "RE2" in problem:
        return (
            "Correct the pattern; brackets must be closed, and look-arounds and back-references are not possible (RE2)."
        )
    if "own example" in problem:
        return "Correct the pattern, or write an example that it must stop."
    if "every text" in problem:
        return "The pattern matches nothing at all, too, so it would block everything. Make it say more."
    return "Correct it."


def _walk(kind: Any, steps: Path) -> Any:
    """Returns the type that is due at the end of `steps`, as far as it can be told."""
    for step in steps:
        if isinstance(kind, inspect.UnionType):
            kind = next((one for one in kind.types if not isinstance(one, inspect.NoneType)), None)
        match kind:
            case inspect.StructType(fields=fields):
                kind = next((one.type for one in fields if one.encode_name == step), None)
            case inspect.VarTupleType() | inspect.ListType():
                kind = kind.item_type
            case inspect.DictType():
                kind = kind.value_type
            case inspect.Metadata():
                kind = kind.type
            case _:
                return None
    return kind


def _fields(kind: Any) -> list[str]:
    return [field.encode_name for field in kind.fields] if isinstance(kind, inspect.StructType) else []


def _choices(kind: Any) -> list[str]:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    return [str(member.value) for member in kind.cls] if isinstance(kind, inspect.EnumType) else []
