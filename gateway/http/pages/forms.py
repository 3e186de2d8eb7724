"""Reads the forms of pages, and holds what was typed together with what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.connection import ASGIConnection

from gateway.errors import InvalidRequest

_MAX_FIELDS = 400
_STATE_KEY = "form"
CSRF_FIELD = "csrf"
"""Holds whose page it is, and the token of the session."""
SECRET_FIELDS = frozenset({CSRF_FIELD, "password", "again", "old", "new", "code", "token", "ticket"})
"""Names of fields that no page ever gives back."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for a person; one of a service's own is English whatever the page is written in."""

    text: str
    is_english: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, and what is wrong with it. A fresh page has an empty one."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, Said] = field(default_factory=dict)
    """Field to what is wrong there; `""` is for the form as a whole."""
    status: int = 200
    """Of the page that shows it."""

    def text(self, name: str, default: str = "") -> str:
        """Returns a field without blanks around it; the last one if it came twice."""
        found = self.values.get(name)
        return found[-1].strip() if found else default

    def secret(self, name: str) -> str:
        """Returns a field exactly as it was typed."""
        found = self.values.get(name)
        return found[-1] if found else ""

    def many(self, name: str) -> tuple[str, ...]:
        """Returns all values of a field, such as of ticked boxes."""
        return self.values.get(name, ())

    def number(self, name: str) -> int:
        """Returns a field as a whole number. Raises `InvalidRequest`: only a page that was tampered with sends none."""
        found = self.text(name)
        if not (found.isascii() and found.isdigit() and len(found) <= 18):  # noqa: PLR2004 - digits of a 64-bit number
            raise InvalidRequest("invalid_form", "The form is malformed.")
        return int(found)

    def wrong(self, name: str, said: Said, *, status: int = 422) -> "Form":
        """Returns the form with something wrong in that field."""
        return replace(self, errors={**self.errors, name: said}, status=status)

    @property
    def typist(self) -> str:
        """Whose page the form came from, as the page itself says; empty where nobody was signed in."""
        return self.text(CSRF_FIELD).rpartition(".")[0]

    @property
    def csrf(self) -> str:
        """The session's token."""
        return self.text(CSRF_FIELD).rpartition(".")[2]

    def kept(self) -> list[tuple[str, str]]:
        """Returns what may be given back to whoever typed it: everything but secrets."""
        return [(name, value) for name, values in self.values.items() if name not in SECRET_FIELDS for value in values]


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """Reads the body. Raises `InvalidRequest`."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError as error:  # also what is not UTF-8 behind its percent signs
        raise InvalidRequest("invalid_form", "The form is malformed.") from error
    return form_of_pairs(pairs)


def form_of_pairs(pairs: Iterable[tuple[str, str]]) -> Form:
    """Returns names and values as a form, with lines as Python ends them and without what no database takes."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value.replace("\r\n", "\n").replace("\x00", ""))
    return Form(values)


def keep_form(connection: ASGIConnection[Any, Any, Any, Any], form: Form | None = None) -> Form:
    """Puts the form of a request aside, or returns it; an empty one when there is none."""
    if form is not None:
        connection.scope["state"][_STATE_KEY] = form
    found = connection.scope["state"].get(_STATE_KEY)
    return found if isinstance(found, Form) else Form()
