"""One case of a test set as a form, and the document with that case in it. What the form lacks stays as it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from gateway.http.pages.forms import Form
from store.errors import InvalidContent, NotFound
from store.formats.suite import SuiteCase

FIELDS = ("id", "kind", "message", "expect", "prompt", "ask", "after", "by")
"""Of a case, those that have a field; values of blanks and checks of words are edited over REST or in files."""
_FIRST = {"kind": "honest", "expect": "answer"}


def case_of(document: Mapping[str, Any], case_id: str) -> Mapping[str, Any] | None:
    """Returns the case with that id, None for an empty id. Raises `NotFound`."""
    if not case_id:
        return None
    for case in document.get("cases") or ():
        if case.get("id") == case_id:
            return dict(case)
    raise NotFound("there is no such case")


def said_in(case: Mapping[str, Any]) -> str:
    """Returns all that is looked through for words."""
    return "\n".join(str(case.get(name) or "") for name in FIELDS).casefold()


def case_form(case: Mapping[str, Any] | None, read: str, change: str) -> Form:
    """Returns the form of a case as it is, or of a new one, of which some fields may be known."""
    known = case if case is not None and "id" in case else {**_FIRST, **(case or {})}
    values = {name: (str(known.get(name) or ""),) for name in FIELDS}
    place = () if "id" in known else values["message"]  # by which scripts tell texts for new cases apart
    return Form(values | {"case": (str(known.get("id") or ""),), "read": (read,), "change": (change,), "place": place})


def with_case(document: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Returns the document with the case of the form in the place of the one it was. Raises `InvalidContent`."""
    before = form.text("case")
    case = _typed_over(case_of(document, before) or {}, form)
    try:
        msgspec.convert(case, SuiteCase)
    except msgspec.ValidationError as error:
        raise InvalidContent(_told(str(error))) from error
    cases = list(document.get("cases") or ())
    if any(one.get("id") == case["id"] for one in cases if one.get("id") != before):
        raise InvalidContent("id: another case has this id already.")
    if before:
        cases = [case if one.get("id") == before else one for one in cases]
    else:
        cases.append(case)
    return {**document, "cases": cases}


def both_cases(form: Form, document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Returns the case that the document has under the name of the form's, and the form's; none where it has none."""
    name = form.text("case") or form.text("id")
    old = next((one for one in document.get("cases") or () if one.get("id") == name), None)
    return ({}, {}) if old is None else (old, _typed_over(old, form))


def written_over(form: Form, document: Mapping[str, Any], read: str, change: str) -> Form:
    """Returns the form as it is sent over a document that was read since; a case that is gone comes as a new one."""
    ids = {one.get("id") for one in document.get("cases") or ()}
    case = form.text("case") if form.text("case") in ids else ""
    return replace(form, values={**form.values, "case": (case,), "read": (read,), "change": (change,)})


def without_case(document: Mapping[str, Any], case_id: str) -> dict[str, Any]:
    """Returns the document without the case. Raises `InvalidContent` for the only one."""
    case_of(document, case_id)
    left = [one for one in document.get("cases") or () if one.get("id") != case_id]
    if not left:
        raise InvalidContent("a test set has one case at least. Remove the test set in place of its only case.")
    return {**document, "cases": left}


def _typed_over(old: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Returns a case as it was typed, with what has no field."""
    typed = {name: form.text(name) for name in FIELDS if form.text(name)}
    return {name: value for name, value in old.items() if name not in FIELDS} | typed


def _told(message: str) -> str:
    """Returns what msgspec says with the field in front, as services say it."""
    words, mark, place = message.rpartition(" - at `$.")
    if mark:
        return f"{place.rstrip('`')}: {words}"
    if "missing required field `" in message:
        return f"{message.rpartition('field `')[2].rstrip('`')}: it is needed."
    return message
