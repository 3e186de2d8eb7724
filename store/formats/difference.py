"""What an import would change, as a difference of readable texts, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

from store.formats.bundle import Bundle, document_files
from store.formats.documents import write_yaml


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that is not the same on both sides."""

    path: str
    """Where it lies in a bundle's folder."""
    lines: tuple[str, ...]
    """A unified difference of its YAML texts; a new or removed document has all of its lines."""


def differences(before: Bundle, after: Bundle) -> Iterator[Difference]:
    """Gives what differs, by path."""
    old, new = document_files(before), document_files(after)
    for path in sorted(old.keys() | new.keys()):
        texts = [write_yaml(side[path]) if path in side else "" for side in (old, new)]
        if texts[0] != texts[1]:
            names = [f"live/{path}" if path in old else "", f"new/{path}" if path in new else ""]
            lines = unified_diff(
                texts[0].splitlines(),
                texts[1].splitlines(),
                names[0] or "/dev/null",
                names[1] or "/dev/null",
                lineterm="",
            )
            yield Difference(path, tuple(lines))
