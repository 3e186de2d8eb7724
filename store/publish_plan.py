"""What a publish would do: the difference between documents and what is live."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from store.formats.bundle import Bundle
from store.plain import canonical_hash
from store.readable import require_readable

PROMPT, ASSISTANT, POLICY, SUITE = "prompt ", "assistant ", "policy ", "suite "
"""Beginnings of the names of documents in plans and reports."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What a publish did, or would do. Names are written `prompt it.x`, `assistant y`, `policy z`."""

    revision: int
    """The live revision afterwards; the one before when nothing changed or it was a dry run."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    is_dry_run: bool

    @property
    def has_changes(self) -> bool:
        """Whether anything was, or would be, different."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between the bundle and what is live; names as in the report, documents to write."""

    write: Mapping[str, Any]
    added: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]

    @classmethod
    def make(cls, before: Mapping[str, str], bundle: Bundle, *, removed: Collection[str]) -> "Plan":
        """Compares them. Raises `InvalidContent` for what is new and has characters that no reader sees."""
        after = named(bundle)
        same = {name for name, document in after.items() if before.get(name) == canonical_hash(document)}
        write = {name: document for name, document in after.items() if name not in same}
        for name, document in write.items():
            require_readable(name, document, is_test=name.startswith(SUITE))
        return cls(
            write=write,
            added=tuple(sorted(after.keys() - before.keys())),
            unchanged=tuple(sorted(same)),
            removed=tuple(sorted((before.keys() & set(removed)) - after.keys())),
        )

    def content_afterwards(self, live: Bundle, bundle: Bundle) -> Bundle:
        """Returns what would be live, the bundle's content and what stays beside it."""
        together = named(live) | named(bundle)
        return _unnamed({name: document for name, document in together.items() if name not in self.removed})

    def report(self, revision: int, *, is_dry_run: bool) -> PublishReport:
        """Returns the report of doing this."""
        changed = tuple(sorted(self.write.keys() - set(self.added)))
        return PublishReport(revision, self.added, changed, self.unchanged, self.removed, is_dry_run)


def named(bundle: Bundle) -> dict[str, Any]:
    """Returns every document of a bundle by its name in plans and reports."""
    return (
        {PROMPT + prompt.key: prompt for prompt in bundle.prompts}
        | {ASSISTANT + assistant.name: assistant for assistant in bundle.assistants}
        | {POLICY + name: document for name, document in bundle.policies.items()}
        | {SUITE + name: document for name, document in bundle.suites.items()}
    )


def _unnamed(documents: Mapping[str, Any]) -> Bundle:
    return Bundle(
        prompts=tuple(document for name, document in documents.items() if name.startswith(PROMPT)),
        assistants=tuple(document for name, document in documents.items() if name.startswith(ASSISTANT)),
        policies={bare(name): document for name, document in documents.items() if name.startswith(POLICY)},
        suites={bare(name): document for name, document in documents.items() if name.startswith(SUITE)},
    )


def bare(name: str) -> str:
    """Returns a document's own name: that of `prompt it.x` is `it.x`."""
    return name.partition(" ")[2]
