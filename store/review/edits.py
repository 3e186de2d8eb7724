"""What an action of the queue does to a document, and how that is taken back: lists of sentences in plain data."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from store.content import SLOT_MARK
from store.errors import InvalidContent
from store.phrases import fold

MAX_LINE = 200
_OUT_OF_SCOPE = "-out-of-scope"
_ROOM = 26
"""Characters of an assistant's name that leave place for the rest: a test set's name has 40 at most."""
_CASE_ID = re.compile(r"[^a-z0-9_-]")


def as_line(text: str) -> str:
    """Returns a question as a sentence of a prompt. Raises `InvalidContent` when it cannot be one."""
    line = " ".join(text.split())
    if not line or len(line) > MAX_LINE:
        raise InvalidContent(
            f"a phrasing has 1 to {MAX_LINE} characters and this question has {len(line)}. "
            "Send its wording with the action."
        )
    if SLOT_MARK.search(line):
        raise InvalidContent("the question has braces that would be read as a blank. Send its wording with the action.")
    return line


def with_lines(document: Mapping[str, Any], field: str, lines: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Returns the document with the sentences in a list of it, and which of them it did not have already."""
    present = list(document.get(field, ()))
    known = {fold(line) for line in present}
    added = []
    for line in lines:
        if fold(line) not in known:
            known.add(fold(line))
            added.append(line)
    return {**document, field: [*present, *added]}, added


def without_lines(document: Mapping[str, Any], field: str, lines: Sequence[str]) -> dict[str, Any]:
    """Returns the document without those sentences, each once; one that is gone already is not missed."""
    left = list(document.get(field, ()))
    for line in lines:
        if line in left:
            left.remove(line)
    changed = {name: value for name, value in document.items() if name != field}
    return {**changed, field: left} if left or field == "phrasings" else changed


def suite_of(assistant: str) -> str:
    """Returns the name of the test set that keeps what an assistant must not answer."""
    if len(assistant) > _ROOM:  # two that begin alike are still told apart
        assistant = f"{assistant[:17]}-{sha256(assistant.encode()).hexdigest()[:8]}"
    return assistant + _OUT_OF_SCOPE


def new_suite(name: str, assistant: str) -> dict[str, Any]:
    """Returns a test set of an assistant, without cases."""
    return {"name": name, "title": "Questions that are out of scope", "assistant": assistant, "cases": []}


def case_of(question: str, text: str) -> dict[str, Any]:
    """Returns the test case that a question becomes: whatever is said to it, it must not be answered."""
    short = _CASE_ID.sub("", question.replace("-", ""))
    return {"id": f"q-{short}", "kind": "out_of_scope", "message": text, "expect": "refuse"}


def with_cases(document: Mapping[str, Any], cases: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Returns the test set with the cases, and the ids of those that it did not have already."""
    present = list(document.get("cases", ()))
    known = {case["id"] for case in present}
    added = [case for case in cases if case["id"] not in known]
    return {**document, "cases": [*present, *added]}, [str(case["id"]) for case in added]


def without_cases(document: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """Returns the test set without the cases of those ids."""
    return {**document, "cases": [case for case in document.get("cases", ()) if case["id"] not in set(ids)]}
