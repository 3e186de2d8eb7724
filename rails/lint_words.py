"""Says in plain words what a typed form does not take, and where."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

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


def type_finding(
    error: msgspec.ValidationError, form: type[msgspec.Struct], base: Path, text: YamlText, *, part: str = "rail"
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
        remedy = f"Correct its spelling or remove it. {near(named[1], _fields(kind))}"
        message = f"`{named[1]}` is not known here, so it would do nothing."
        return text.name(*path, named[1]).finding(f"{part}.unknown_parameter", message, remedy)
    if problem.startswith("Object missing required field") and named:
        message = f"`{named[1]}` is missing here."
        return text.at(*path).finding(f"{part}.missing_parameter", message, f"Add `{named[1]}: ...`.")
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
