"""The catalog: what is live, as one immutable value, and the only way to change it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from store.consistency import check_bundle
from store.content import Assistant, CanonicalPrompt, PromptVersion
from store.database import Database
from store.errors import Conflict
from store.formats.bundle import Bundle
from store.phrases import Normalize, fold
from store.plain import canonical_hash
from store.repositories.assistants import Assistants
from store.repositories.policies import Policies, StoredPolicy
from store.repositories.prompts import Prompts
from store.repositories.revisions import Revisions

_PROMPT, _ASSISTANT, _POLICY = "prompt ", "assistant ", "policy "


@dataclass(frozen=True)
class Catalog:
    """Everything that is live at one revision. Belongs to no session and never changes."""

    revision: int
    """0 when nothing was ever published."""
    prompts: Mapping[str, PromptVersion]
    assistants: Mapping[str, Assistant]
    policies: Mapping[str, StoredPolicy]

    @cached_property
    def content_hash(self) -> str:
        """Hex hash over the live prompt versions; equal for equal prompts, whatever the revision."""
        lines = "".join(f"{key}\0{self.prompts[key].sha256}\n" for key in sorted(self.prompts))
        return sha256(lines.encode()).hexdigest()

    def to_bundle(self) -> Bundle:
        """Returns what is live in the form that is written as files."""
        return Bundle(
            prompts=tuple(self.prompts[key].content for key in sorted(self.prompts)),
            assistants=tuple(self.assistants[name] for name in sorted(self.assistants)),
            policies={name: self.policies[name].document for name in sorted(self.policies)},
        )


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


def load_catalog(database: Database) -> Catalog:
    """Reads what is live in one consistent look. Raises `StoreUnavailable`, `InvalidContent` for altered content."""
    with database.reading() as session:
        return _load(database, session)


def live_revision(database: Database) -> int:
    """Returns the number of the live revision, 0 when nothing was published: a cheap look for newer content."""
    return Revisions(database).live()


def publish_bundle(
    database: Database,
    bundle: Bundle,
    *,
    author: str,
    note: str = "",
    remove_missing: bool = False,
    dry_run: bool = False,
    based_on: int | None = None,
    normalize: Normalize = fold,
    now: dt.datetime | None = None,
) -> PublishReport:
    """Makes the bundle's content live in one transaction: all of it, or nothing.

    What the bundle does not name stays live, unless `remove_missing`. A document that says what is live already makes
    no version, and a bundle that changes nothing makes no revision. Checks run on what would be live afterwards.
    With `based_on`, nothing is published once another revision than that one is live.
    Raises `InvalidContent` (every problem at once), `Conflict` and `StoreUnavailable`.
    """
    at = now or dt.datetime.now(dt.UTC)
    reading = database.reading if dry_run else database.writing
    with reading() as session:
        if not dry_run:
            Revisions(database).lock(session)
        live = _load(database, session)
        if based_on not in (None, live.revision):
            raise Conflict(f"revision {live.revision} was published meanwhile. Look at it, then try again.")
        plan = _Plan.make(live, bundle, remove_missing=remove_missing)
        check_bundle(plan.content_afterwards(live, bundle), normalize=normalize)
        report = plan.report(live.revision, is_dry_run=dry_run)
        if dry_run or not report.has_changes:
            return report
        report = replace(report, revision=live.revision + 1)
        Revisions(database).add(report.revision, kind="content", author=author, note=note, at=at, session=session)
        _apply(database, session, plan, report.revision, author=author, note=note, at=at, normalize=normalize)
    return report


@dataclass(frozen=True, slots=True)
class _Plan:
    """What differs between the bundle and what is live; names as in the report, documents to write."""

    write: Mapping[str, Any]
    added: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]

    @classmethod
    def make(cls, live: Catalog, bundle: Bundle, *, remove_missing: bool) -> "_Plan":
        before = {name: canonical_hash(document) for name, document in _named(live.to_bundle()).items()}
        after = _named(bundle)
        same = {name for name, document in after.items() if before.get(name) == canonical_hash(document)}
        return cls(
            write={name: document for name, document in after.items() if name not in same},
            added=tuple(sorted(after.keys() - before.keys())),
            unchanged=tuple(sorted(same)),
            removed=tuple(sorted(before.keys() - after.keys())) if remove_missing else (),
        )

    def content_afterwards(self, live: Catalog, bundle: Bundle) -> Bundle:
        """Returns what would be live, the bundle's content and what stays beside it."""
        named = _named(live.to_bundle()) | _named(bundle)
        kept = {name: document for name, document in named.items() if name not in self.removed}
        return _unnamed(kept)

    def report(self, revision: int, *, is_dry_run: bool) -> PublishReport:
        """Returns the report of doing this."""
        changed = tuple(sorted(self.write.keys() - set(self.added)))
        return PublishReport(revision, self.added, changed, self.unchanged, self.removed, is_dry_run)


def _load(database: Database, session: Session) -> Catalog:
    prompts = {prompt.key: prompt for prompt in Prompts(database).live(session)}
    assistants = {assistant.name: assistant for assistant in Assistants(database).all(session)}
    policies = {policy.name: policy for policy in Policies(database).live(session)}
    return Catalog(
        Revisions(database).live(session),
        MappingProxyType(prompts),
        MappingProxyType(assistants),
        MappingProxyType(policies),
    )


def _apply(
    database: Database,
    session: Session,
    plan: _Plan,
    revision: int,
    *,
    author: str,
    note: str,
    at: dt.datetime,
    normalize: Normalize,
) -> None:
    prompts, assistants, policies = Prompts(database), Assistants(database), Policies(database)
    for name, document in plan.write.items():
        match document:
            case CanonicalPrompt():
                prompts.publish(document, author=author, note=note, at=at, normalize=normalize, session=session)
            case Assistant():
                assistants.save(document, revision=revision, session=session)
            case _:
                policies.add(_bare(name), document, revision=revision, at=at, session=session)
    for name in plan.removed:
        if name.startswith(_PROMPT):
            prompts.unpublish(_bare(name), session)
        elif name.startswith(_ASSISTANT):
            assistants.remove(_bare(name), session)
        else:
            policies.add(_bare(name), None, revision=revision, at=at, session=session)


def _named(bundle: Bundle) -> dict[str, Any]:
    return (
        {_PROMPT + prompt.key: prompt for prompt in bundle.prompts}
        | {_ASSISTANT + assistant.name: assistant for assistant in bundle.assistants}
        | {_POLICY + name: document for name, document in bundle.policies.items()}
    )


def _unnamed(named: Mapping[str, Any]) -> Bundle:
    return Bundle(
        prompts=tuple(document for name, document in named.items() if name.startswith(_PROMPT)),
        assistants=tuple(document for name, document in named.items() if name.startswith(_ASSISTANT)),
        policies={_bare(name): document for name, document in named.items() if name.startswith(_POLICY)},
    )


def _bare(name: str) -> str:
    return name.partition(" ")[2]
