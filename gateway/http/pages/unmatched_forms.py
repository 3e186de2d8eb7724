"""What is typed about a group of questions: which are ticked, and the first form of a new prompt."""

import datetime as dt
import re
from dataclasses import dataclass

from gateway.http.pages.forms import Form
from store.people import Actor
from store.review.types import Target

_NO_KEY = re.compile(r"[^a-z0-9]+")
_KEY_CHARS = 60
_TITLE_CHARS = 200
_REVIEW_AFTER = dt.timedelta(days=365)
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Selection:
    """Ticked questions on their way to a new prompt, and what was typed of it so far."""

    cluster: str
    label: str
    assistant: str
    targets: tuple[str, ...]
    form: Form
    is_typed: bool
    """Whether the form holds a prompt already."""


def targets_of(form: Form) -> tuple[Target, ...]:
    """Returns the ticked questions; what is none was tampered with, and is left out."""
    found = []
    for text in form.many("target"):
        one_id, _, rev = text.partition(":")
        if one_id.isprintable() and rev.isascii() and rev.isdigit() and len(rev) <= _MOST_DIGITS:
            found.append(Target(one_id, int(rev)))
    return tuple(dict.fromkeys(found))


def first_form(selection: Selection, areas: list[str], languages: list[str], actor: Actor, now: dt.datetime) -> Form:
    """Returns a prompt as it may begin: named by what the group asks, looked at again in a year."""
    label = " ".join(selection.label.split())
    area = areas[0] if areas else ""
    slug = _NO_KEY.sub("-", label.lower()).strip("-")[:_KEY_CHARS].rstrip("-")
    values = {
        "key": f"{area}.{slug}" if area and slug and slug[0].isalpha() else "",
        "title": label[:_TITLE_CHARS],
        "area": area,
        "language": languages[0] if languages else "",
        "owner": actor.name,
        "review_by": (now + _REVIEW_AFTER).date().isoformat(),
        "change": selection.form.text("change"),
    }
    return Form({name: (value,) for name, value in values.items()})
