"""The catalog: what is live, as one immutable value, and the only way to change it."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
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
from store.pauses import uncollected
from store.phrases import Normalize, fold
from store.plain import canonical_hash
from store.publish_plan import ASSISTANT, POLICY, PROMPT, Plan, PublishReport, bare, named
from store.repositories.assistants import Assistants
from store.repositories.policies import Policies, StoredPolicy
from store.repositories.prompts import Prompts
from store.repositories.revisions import Published, Revisions
from store.repositories.suites import Suites

_TRIES = 5
"""Of a publish that found other content live at its end than at its beginning."""

Joined = Callable[[Session, "PublishReport"], None]
"""Writes in the transaction of a publish: all of both is kept, or nothing."""


@dataclass(frozen=True, slots=True)
class PromptArea:
    """The prompts of an area, as lists of them are narrowed."""

    languages: frozenset[str]
    owners: frozenset[str]


@dataclass(frozen=True)
class Catalog:
    """Everything that is live at one revision. Belongs to no session and never changes."""

    revision: int
    """0 when nothing was ever published."""
    prompts: Mapping[str, PromptVersion]
    assistants: Mapping[str, Assistant]
    policies: Mapping[str, StoredPolicy]
    suites: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Documents of the saved test sets."""

    @cached_property
    def content_hash(self) -> str:
        """Hex hash over the live prompt versions; equal for equal prompts, whatever the revision."""
        lines = "".join(f"{key}\0{self.prompts[key].sha256}\n" for key in sorted(self.prompts))
        return sha256(lines.encode()).hexdigest()

    @cached_property
    def followers(self) -> Mapping[str, tuple[str, ...]]:
        """By the key of a prompt, the keys of those with a follow-up question to it."""
        found: dict[str, list[str]] = {}
        for key in sorted(self.prompts):
            for before in self.prompts[key].content.follows:
                found.setdefault(before, []).append(key)
        return MappingProxyType({key: tuple(after) for key, after in found.items()})

    @cached_property
    def prompt_areas(self) -> Mapping[str, PromptArea]:
        """By area, what its prompts are: there may be ten thousand, and pages ask at each call."""
        languages: dict[str, set[str]] = {}
        owners: dict[str, set[str]] = {}
        for version in self.prompts.values():
            content = version.content
            languages.setdefault(content.area, set()).add(content.language)
            owners.setdefault(content.area, set()).add(content.owner)
        return MappingProxyType(
            {area: PromptArea(frozenset(found), frozenset(owners[area])) for area, found in languages.items()}
        )

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """The canonical hash of every document that is live; names as in a publish's report."""
        others = {**named(replace(self.to_bundle(), prompts=()))}
        prompts = {PROMPT + key: version.sha256 for key, version in self.prompts.items()}
        return MappingProxyType(prompts | {name: canonical_hash(document) for name, document in others.items()})

    def to_bundle(self) -> Bundle:
        """Returns what is live in the form that is written as files."""
        return Bundle(
            prompts=tuple(self.prompts[key].content for key in sorted(self.prompts)),
            assistants=tuple(self.assistants[name] for name in sorted(self.assistants)),
            policies={name: self.policies[name].document for name in sorted(self.policies)},
            suites={name: self.suites[name] for name in sorted(self.suites)},
        )

    @uncollected()
    def after(self, bundle: Bundle, *, removed: Collection[str] = ()) -> "Catalog":
        """Returns what would be live once the bundle and the removals were published, as the next revision.

        Raises `InvalidContent` for content that cannot be.
        """
        plan = Plan.make(self.hashes, bundle, removed=removed)
        whole = plan.content_afterwards(self.to_bundle(), bundle)
        check_bundle(whole)
        prompts = dict(self.prompts)
        for prompt in bundle.prompts:
            before = self.prompts.get(prompt.key)
            if before is None or before.content != prompt:
                number = 1 if before is None else before.number + 1
                prompts[prompt.key] = PromptVersion(number, prompt, canonical_hash(prompt))
        kept = {prompt.key for prompt in whole.prompts}
        policies = {
            name: StoredPolicy(name, self.revision + 1, document)
            if POLICY + name in plan.write
            else self.policies[name]
            for name, document in whole.policies.items()
        }
        return Catalog(
            self.revision + 1,
            MappingProxyType({key: version for key, version in prompts.items() if key in kept}),
            MappingProxyType({assistant.name: assistant for assistant in whole.assistants}),
            MappingProxyType(policies),
            MappingProxyType(dict(whole.suites)),
        )


@uncollected()
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
    joined: Joined | None = None,
) -> PublishReport:
    """Makes the bundle's content live in one transaction: all of it, or nothing.

    What the bundle does not name stays live, unless `remove_missing`. A document that says what is live already makes
    no version, and a bundle that changes nothing makes no revision. Checks run on what would be live afterwards.
    With `based_on`, nothing is published once another revision than that one is live.
    Raises `InvalidContent` (every problem at once), `Conflict` and `StoreUnavailable`.
    """
    for _ in range(_TRIES):
        live = load_catalog(database)
        if based_on not in (None, live.revision):
            raise _moved(live.revision)
        removed = named(live.to_bundle()).keys() - named(bundle).keys() if remove_missing else frozenset()
        if dry_run:
            plan = Plan.make(live.hashes, bundle, removed=removed)
            check_bundle(plan.content_afterwards(live.to_bundle(), bundle), normalize=normalize)
            return plan.report(live.revision, is_dry_run=True)
        said = Published(author, note)
        try:
            return publish_onto(
                database, live, bundle, said, removed=removed, normalize=normalize, now=now, joined=joined
            )
        except Conflict:
            if live_revision(database) == live.revision:
                raise
    raise _moved(live_revision(database))


@uncollected()
def publish_onto(
    database: Database,
    live: Catalog,
    bundle: Bundle,
    said: Published,
    *,
    removed: Collection[str] = (),
    normalize: Normalize = fold,
    now: dt.datetime | None = None,
    joined: Joined | None = None,
) -> PublishReport:
    """Makes the bundle live in place of its namesakes and takes away what is `removed`, in one transaction.

    `live` is what the caller read, so that the transaction is short: reading 1,000 prompts in it kept every other
    writer waiting. `joined` writes in the same transaction, also when nothing of the content changes.
    Raises `Conflict` when another revision is live by now, `InvalidContent` and `StoreUnavailable`.
    """
    at = now or dt.datetime.now(dt.UTC)
    plan = Plan.make(live.hashes, bundle, removed=removed)
    check_bundle(plan.content_afterwards(live.to_bundle(), bundle), normalize=normalize)
    report = plan.report(live.revision, is_dry_run=False)
    if not report.has_changes and joined is None:
        return report
    with database.writing() as session:
        revisions = Revisions(database)
        revisions.lock(session)
        if (found := revisions.live(session)) != live.revision:
            raise _moved(found)
        if report.has_changes:
            report = replace(report, revision=live.revision + 1)
            revisions.add(report.revision, said, at=at, session=session)
            _apply(database, session, plan, report.revision, said, at=at, normalize=normalize)
        if joined is not None:
            joined(session, report)
    return report


def _moved(revision: int) -> Conflict:
    return Conflict(f"revision {revision} was published meanwhile. Look at it, then try again.")


def _load(database: Database, session: Session) -> Catalog:
    prompts = {prompt.key: prompt for prompt in Prompts(database).live(session)}
    assistants = {assistant.name: assistant for assistant in Assistants(database).all(session)}
    policies = {policy.name: policy for policy in Policies(database).live(session)}
    suites = {suite.name: suite.document for suite in Suites(database).live(session)}
    return Catalog(
        Revisions(database).live(session),
        MappingProxyType(prompts),
        MappingProxyType(assistants),
        MappingProxyType(policies),
        MappingProxyType(suites),
    )


def _apply(
    database: Database,
    session: Session,
    plan: Plan,
    revision: int,
    said: Published,
    *,
    at: dt.datetime,
    normalize: Normalize,
) -> None:
    prompts, assistants = Prompts(database), Assistants(database)
    policies, suites = Policies(database), Suites(database)
    for name, document in plan.write.items():
        match document:
            case CanonicalPrompt():
                prompts.publish(
                    document, author=said.author, note=said.note, at=at, normalize=normalize, session=session
                )
            case Assistant():
                assistants.save(document, revision=revision, session=session)
            case _:
                opaque = policies if name.startswith(POLICY) else suites
                opaque.add(bare(name), document, revision=revision, at=at, session=session)
    for name in plan.removed:
        if name.startswith(PROMPT):
            prompts.unpublish(bare(name), session)
        elif name.startswith(ASSISTANT):
            assistants.remove(bare(name), session)
        else:
            opaque = policies if name.startswith(POLICY) else suites
            opaque.add(bare(name), None, revision=revision, at=at, session=session)
