"""Prompts and their versions in the database."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import uuid_utils
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from store.content import CanonicalPrompt, PromptVersion
from store.database import Database
from store.errors import InvalidContent, NotFound
from store.folding import folded
from store.pauses import give_way
from store.phrases import Normalize, RowKind
from store.plain import canonical_hash, to_plain
from store.tables import PhrasingRow, PromptRow, PromptVersionRow

_BATCH = 200
"""Versions whose sentences are read in one statement; SQLite takes a limited number of parameters."""

_LIVE = (
    select(PromptRow, PromptVersionRow)
    .outerjoin(
        PromptVersionRow,
        (PromptVersionRow.prompt_id == PromptRow.id) & (PromptVersionRow.number == PromptRow.live_version),
    )
    .where(PromptRow.live_version.is_not(None))
)


class Prompts:
    """Reads and adds prompt versions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, session: Session | None = None) -> tuple[PromptVersion, ...]:
        """Returns the live version of every published prompt, by key. Raises `InvalidContent` for altered rows."""
        with self._database.reading(session) as opened:
            rows = opened.execute(_LIVE.order_by(PromptRow.key))
            return _load(opened, [(row[0].key, row[1]) for row in rows])

    def live_of(self, keys: Collection[str], session: Session | None = None) -> tuple[PromptVersion, ...]:
        """Returns the live versions of those prompts that are published, by key."""
        found: list[tuple[str, PromptVersionRow | None]] = []
        with self._database.reading(session) as opened:
            for batch in _batches(keys):
                rows = opened.execute(_LIVE.where(PromptRow.key.in_(batch)))
                found += [(row[0].key, row[1]) for row in rows]
            return _load(opened, sorted(found, key=lambda one: one[0]))

    def live_hashes(self, keys: Collection[str], session: Session | None = None) -> Mapping[str, str]:
        """Returns the content hashes of those prompts that are published, without reading what they say."""
        hashes: dict[str, str] = {}
        with self._database.reading(session) as opened:
            for batch in _batches(keys):
                query = _LIVE.with_only_columns(PromptRow.key, PromptVersionRow.sha256)
                rows = opened.execute(query.where(PromptRow.key.in_(batch)))
                hashes.update((key, digest) for key, digest in rows)
        return hashes

    def version(self, key: str, number: int, session: Session | None = None) -> PromptVersion:
        """Returns one version, live or not. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            found = opened.scalar(
                select(PromptVersionRow)
                .join(PromptRow, PromptRow.id == PromptVersionRow.prompt_id)
                .where(PromptRow.key == key, PromptVersionRow.number == number)
            )
            if found is None:
                raise NotFound(f"there is no version {number} of prompt {key}")
            return _load(opened, [(key, found)])[0]

    def versions(self, key: str, session: Session | None = None) -> tuple[PromptVersion, ...]:
        """Returns all versions of a prompt, oldest first. Raises `NotFound`."""
        with self._database.reading(session) as opened:
            rows = opened.scalars(
                select(PromptVersionRow)
                .join(PromptRow, PromptRow.id == PromptVersionRow.prompt_id)
                .where(PromptRow.key == key)
                .order_by(PromptVersionRow.number)
            )
            if not (found := _load(opened, [(key, row) for row in rows])):
                raise NotFound(f"there is no prompt {key}")
            return found

    def publish(
        self,
        content: CanonicalPrompt,
        *,
        author: str,
        note: str,
        at: dt.datetime,
        normalize: Normalize,
        session: Session | None = None,
    ) -> PromptVersion:
        """Makes `content` the live version: a new one, or the prompt's latest when that says the same."""
        digest = canonical_hash(content)
        with self._database.writing(session) as opened:
            prompt = opened.scalar(select(PromptRow).where(PromptRow.key == content.key))
            if prompt is None:
                prompt = PromptRow(id=_new_id(), key=content.key, area=content.area, created_at=at, live_version=None)
                opened.add(prompt)
                opened.flush()
            latest = opened.scalar(
                select(PromptVersionRow)
                .where(PromptVersionRow.prompt_id == prompt.id)
                .order_by(PromptVersionRow.number.desc())
                .limit(1)
            )
            if latest is None or latest.sha256 != digest:
                number = latest.number + 1 if latest else 1
                _add_version(opened, prompt.id, number, content, digest, author, note, at, normalize)
            else:
                number = latest.number
            prompt.area, prompt.live_version = content.area, number
            _fill(prompt, content)
            opened.flush()
        return PromptVersion(number, content, digest)

    def unpublish(self, key: str, session: Session | None = None) -> None:
        """Takes a prompt out of what is live; its versions stay. Raises `NotFound`."""
        with self._database.writing(session) as opened:
            prompt = opened.scalar(select(PromptRow).where(PromptRow.key == key))
            if prompt is None or prompt.live_version is None:
                raise NotFound(f"there is no live prompt {key}")
            prompt.live_version = None
            opened.flush()


def _batches(keys: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(keys)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))


def _new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def _add_version(  # noqa: PLR0917 -- private, called once, and each is a column
    session: Session,
    prompt_id: UUID,
    number: int,
    content: CanonicalPrompt,
    digest: str,
    author: str,
    note: str,
    at: dt.datetime,
    normalize: Normalize,
) -> None:
    session.add(
        PromptVersionRow(
            prompt_id=prompt_id,
            number=number,
            title=content.title,
            folded_title=folded(content.title),
            area=content.area,
            owner=content.owner,
            audience=content.audience,
            language=content.language,
            review_by=content.review_by,
            reply=to_plain(content.reply),
            slots=[to_plain(slot) for slot in content.slots],
            follows=list(content.follows),
            sha256=digest,
            author=author,
            created_at=at,
            note=note,
        )
    )
    session.flush()
    session.add_all(
        PhrasingRow(
            prompt_id=prompt_id,
            version=number,
            kind=kind.value,
            position=position,
            text=sentence,
            canonical=normalize(sentence),
            folded=folded(sentence),
        )
        for kind, sentences in _sentences(content).items()
        for position, sentence in enumerate(sentences)
    )


def _fill(prompt: PromptRow, content: CanonicalPrompt) -> None:
    """Puts into the prompt's own row what lists need of its live version."""
    sentences = _sentences(content)
    said = [sentence for kind in sentences.values() for sentence in kind]
    prompt.folded_title, prompt.owner, prompt.review_by = folded(content.title), content.owner, content.review_by
    prompt.phrasings = len(sentences[RowKind.PHRASING])
    prompt.searched = "\n".join(map(folded, (content.key, content.title, *said)))


def _sentences(content: CanonicalPrompt) -> Mapping[RowKind, Sequence[str]]:
    return {
        RowKind.PHRASING: content.phrasings,
        RowKind.FOLLOW_UP: content.follow_ups,
        RowKind.COUNTEREXAMPLE: content.counterexamples,
    }


def _load(session: Session, rows: Iterable[tuple[str, PromptVersionRow | None]]) -> tuple[PromptVersion, ...]:
    versions: list[tuple[str, PromptVersionRow]] = []
    for key, row in rows:
        if row is None:
            raise InvalidContent(f"prompt {key}: its live version is not in the database. Restore a backup.")
        versions.append((key, row))
    sentences: dict[tuple[UUID, int, str], list[str]] = {}
    for start in range(0, len(versions), _BATCH):
        batch = [(row.prompt_id, row.number) for _, row in versions[start : start + _BATCH]]
        columns = (PhrasingRow.prompt_id, PhrasingRow.version, PhrasingRow.kind, PhrasingRow.text)
        found = session.execute(
            select(*columns)
            .where(tuple_(PhrasingRow.prompt_id, PhrasingRow.version).in_(batch))
            .order_by(PhrasingRow.position)
        )
        for prompt_id, version, kind, text in found:
            give_way()
            sentences.setdefault((prompt_id, version, kind), []).append(text)
    return tuple(_version(key, row, sentences) for key, row in versions)


def _version(key: str, row: PromptVersionRow, sentences: Mapping[tuple[UUID, int, str], list[str]]) -> PromptVersion:
    give_way()
    texts = {kind: sentences.get((row.prompt_id, row.number, kind.value), []) for kind in RowKind}
    document: dict[str, Any] = {
        "key": key,
        "title": row.title,
        "area": row.area,
        "owner": row.owner,
        "language": row.language,
        "audience": row.audience,
        "review_by": row.review_by,
        "phrasings": texts[RowKind.PHRASING],
        "counterexamples": texts[RowKind.COUNTEREXAMPLE],
        "follows": row.follows,
        "follow_ups": texts[RowKind.FOLLOW_UP],
        "slots": row.slots,
        "reply": row.reply,
    }
    try:
        content = msgspec.convert(document, CanonicalPrompt)
    except msgspec.ValidationError as error:
        raise InvalidContent(f"prompt {key} version {row.number} in the database is not valid: {error}") from error
    if canonical_hash(content) != row.sha256:
        raise InvalidContent(f"prompt {key} version {row.number} was altered in the database. Restore a backup.")
    return PromptVersion(row.number, content, row.sha256)
