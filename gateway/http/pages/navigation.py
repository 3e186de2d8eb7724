"""What the navigation lists, and who sees what: a page that no role of a person opens is not shown to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.http.pages.page_table import OF_NO_AREA, PAGES
from gateway.http.pages.texts import Texts
from gateway.open_work import MOST
from store.people import Actor

SECTIONS: Final = (
    ("", (("overview", "/admin"),)),
    (
        "content",
        (
            ("assistants", "/admin/assistants"),
            ("prompts", "/admin/prompts"),
            ("rails", "/admin/rails"),
            ("suites", "/admin/suites"),
        ),
    ),
    (
        "review",
        (("changes", "/admin/changes"), ("unmatched", "/admin/unmatched"), ("feedback", "/admin/feedback")),
    ),
    ("try", (("playground", "/admin/playground"),)),
    ("insight", (("analytics", "/admin/analytics"), ("requests", "/admin/requests"))),
    (
        "manage",
        (
            ("keys", "/admin/keys"),
            ("widget", "/admin/widget"),
            ("people", "/admin/people"),
            ("audit", "/admin/audit"),
            ("system", "/admin/system"),
        ),
    ),
)
"""Sections with the names and addresses of their pages, in order; texts are `nav.<name>` and `nav.section_<name>`."""

GO: Final[Mapping[str, str]] = {
    "assistants": "i",
    "prompts": "p",
    "rails": "r",
    "suites": "t",
    "changes": "c",
    "unmatched": "u",
    "feedback": "f",
    "playground": "y",
    "analytics": "a",
    "requests": "l",
    "keys": "k",
    "widget": "w",
}
"""Pages with the letter that goes there, after a `g`."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the palette begins."""

    path: str
    text: str


ACTIONS: Final = (
    Action("/admin/prompts/new", "prompts.add"),
    Action("/admin/prompts/import", "imports.title"),
    Action("/admin/assistants/new", "assistants.new"),
    Action("/admin/suites/new", "suites.add"),
    Action("/admin/keys/new", "keys.is_made"),
    Action("/admin/widget/new", "widget.add"),
    Action("/admin/people/new", "people.add"),
    Action("/admin/audit/check", "audit.check"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation."""

    name: str
    path: str
    is_here: bool
    go: str = ""
    """The letter that goes there after a `g`; empty for none."""


@dataclass(frozen=True, slots=True)
class Badge:
    """How much waits on a page, as it is shown and as it is said; both are empty for nothing."""

    shown: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A group of links; the first one has no name."""

    name: str
    entries: tuple[Entry, ...]


def navigation(actor: Actor, path: str) -> tuple[Section, ...]:
    """Returns what the person may open, with the mark of where they are."""
    found = []
    for name, pages in SECTIONS:
        entries = tuple(
            Entry(page, address, _is_below(path, address), GO.get(page, ""))
            for page, address in pages
            if may_open(actor, address)
        )
        if entries:
            found.append(Section(name, entries))
    return tuple(found)


def badges(texts: Texts, numbers: Mapping[str, int]) -> dict[str, Badge]:
    """Returns what stands beside pages, by their names; of one with nothing to do an empty one, to be filled later."""
    found = {}
    for name, number in numbers.items():
        shown = texts("nav.more", number=MOST) if number > MOST else texts.number(number)
        said = texts(f"nav.waits_{name}", number=shown if number > MOST else number)
        found[name] = Badge(shown, said) if number else Badge()
    return found


def actions(actor: Actor) -> tuple[Action, ...]:
    """Returns what the person may begin."""
    return tuple(one for one in ACTIONS if may_open(actor, one.path))


def may_open(actor: Actor, path: str, method: str = "GET") -> bool:
    """Whether a role of the person opens the page with that path template, and lets them do what it is for."""
    name = f"{method} {path}"
    roles = PAGES[name]
    return actor.may_everywhere(*roles) if name in OF_NO_AREA else any(actor.may(role) for role in roles)


def _is_below(path: str, address: str) -> bool:
    return path == address or (address != "/admin" and path.startswith(address + "/"))
