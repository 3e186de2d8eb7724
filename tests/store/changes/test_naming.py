"""What a change is called that nobody has called anything: words, and never a key."""

import pytest

from store.changes.naming import NEW, title_of
from store.changes.types import EditKind, StoredEdit

PROMPT, SUITE, POLICY = EditKind.PROMPT, EditKind.SUITE, EditKind.POLICY


def edit(name: str, title: str | None, kind: EditKind = PROMPT, base: str = "hash") -> StoredEdit:
    document = {} if title is None else {"title": title}
    return StoredEdit(kind, name, document, base, {"title": "As it is live"} if base else None)


@pytest.mark.parametrize(
    ("edits", "title"),
    [
        ((), NEW),
        ((edit("it.reset", "Reset a password"),), "Edit prompt: Reset a password"),
        ((edit("it.b", "VPN"), edit("it.a", "Badge")), "Edit 2 prompts: Badge, VPN"),
        ((edit("it.new", "Gym", base=""),), "Add prompt: Gym"),
        ((edit("it.new", "Gym", base=""), edit("it.b", "VPN")), "Edit 2 prompts: VPN, Gym"),
        ((StoredEdit(PROMPT, "it.old", None, "hash", {"title": "Fax"}),), "Remove prompt: Fax"),
        ((edit("it.reset", "Reset"), edit("cases", "Cases", SUITE)), "Edit 2 documents: Reset, Cases"),
        ((StoredEdit(POLICY, "help-desk", {"input": []}, "hash"),), "Edit policy: help desk"),
        ((edit("it.password-reset", None, base=""),), "Add prompt: password reset"),
        ((edit("it.a", "two\nlines", base=""),), "Add prompt: a"),
    ],
)
def test_a_title_says_what_is_done_to_what(edits: tuple[StoredEdit, ...], title: str) -> None:
    assert title_of(edits) == title
    assert title_of(edits[::-1]) == title


def test_a_title_fits_however_much_is_in_a_change() -> None:
    many = [edit(f"it.{number:04}", f"About thing {number:04}") for number in range(5000)]
    assert title_of(many) == (
        "Edit 5000 prompts: About thing 0000, About thing 0001, About thing 0002, About thing 0003, About thing 0004, "
        "About thing 0005, +4994"
    )
    assert len(title_of([edit("it.a", "x" * 900)])) < 200
