"""Keeps the clusters of questions: gives vectors to those that lack them, and each a place among the others."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import uuid_utils
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from store.database import Database
from store.review.grouping import Nearness, centres_of, group, most_central, place, unit
from store.review.locking import hold_queue
from store.tables import QuestionClusterRow, QuestionRow
from store.vectors import Embed, Vectors

NEARNESS = Nearness(join=0.45, merge=0.7)
"""See docs/benchmarks.md: `python -m benchmarks.review` prints what other values give."""
AT_ONCE = 100
"""Questions placed in one transaction; the rest follows in the next. Decisions wait for SQLite meanwhile: with 2,000
up to 3 s on a busy machine."""
_EMBEDDED_AT_ONCE = 64
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did."""

    placed: int
    has_more: bool


class Clusters:
    """Places questions. One pass at a time: the second of two gateways finds nothing left to do, or tries again."""

    def __init__(self, database: Database, embed: Embed, fingerprint: str, nearness: Nearness = NEARNESS) -> None:
        """`fingerprint` is the embedder's: the vectors of another one are made again, and their places kept."""
        self._database = database
        self._embed = embed
        self._fingerprint = fingerprint
        self._nearness = nearness

    def place_some(self, now: dt.datetime) -> Pass:
        """Gives vectors and places to the questions of one assistant that lack them, the oldest first.

        Raises `StoreUnavailable`; what the embedder raises passes through, and nothing is changed then.
        """
        with self._database.reading() as session:
            pending = self._pending(session)
        if not pending:
            return Pass(0, has_more=False)
        vectors = self._vectors([text for _, text in pending])
        with self._database.writing(waits_for_disk=False) as session:
            self._place([one for one, _ in pending], vectors, now, session)
        return Pass(len(pending), has_more=True)

    def waiting(self) -> int:
        """Returns how many questions have no place yet, or none by this embedder."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(QuestionRow).where(self._is_pending())) or 0

    def _is_pending(self) -> ColumnElement[bool]:
        return or_(QuestionRow.fingerprint.is_(None), QuestionRow.fingerprint != self._fingerprint)

    def _pending(self, session: Session) -> list[tuple[str, str]]:
        # Those with a place first: they are where the others may belong.
        wanted = (QuestionRow.cluster.is_(None), QuestionRow.first_seen, QuestionRow.id)
        first = session.scalar(select(QuestionRow.assistant).where(self._is_pending()).order_by(*wanted).limit(1))
        query = select(QuestionRow.id, QuestionRow.text).where(self._is_pending(), QuestionRow.assistant == first)
        return [(one, text) for one, text in session.execute(query.order_by(*wanted).limit(AT_ONCE))]

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        parts = [
            self._embed(texts[start : start + _EMBEDDED_AT_ONCE]) for start in range(0, len(texts), _EMBEDDED_AT_ONCE)
        ]
        return np.concatenate(parts)

    def _place(self, ids: Sequence[str], vectors: Vectors, now: dt.datetime, session: Session) -> None:
        of = dict(zip(ids, vectors, strict=True))
        hold_queue(self._database, session)
        query = select(QuestionRow).where(QuestionRow.id.in_(list(ids))).order_by(QuestionRow.id).with_for_update()
        rows = [row for row in session.scalars(query) if row.fingerprint != self._fingerprint]
        if not rows:
            return
        for row in rows:
            row.vector, row.fingerprint = of[row.id].astype(_STORED).tobytes(), self._fingerprint
        session.flush()
        # First the centres of those with a place: they are where the others may belong.
        self._centre({row.cluster for row in rows if row.cluster is not None}, session)
        new = [row for row in rows if row.cluster is None]
        if new:
            touched = self._give_places(new, np.stack([of[row.id] for row in new]), now, session)
            session.flush()
            self._centre(touched, session)

    def _give_places(
        self, rows: Sequence[QuestionRow], vectors: Vectors, now: dt.datetime, session: Session
    ) -> set[str]:
        assistant = rows[0].assistant
        query = select(QuestionClusterRow.id, QuestionClusterRow.centre).where(
            QuestionClusterRow.assistant == assistant,
            QuestionClusterRow.merged_into.is_(None),
            QuestionClusterRow.fingerprint == self._fingerprint,
        )
        known = [(one, centre) for one, centre in session.execute(query.order_by(QuestionClusterRow.id)) if centre]
        centres = _read([centre for _, centre in known], vectors.shape[1])
        places = place(vectors, centres, self._nearness).tolist()
        for row, found in zip(rows, places, strict=True):
            row.cluster = known[found][0] if found >= 0 else None
        alone = [number for number, found in enumerate(places) if found < 0]
        counts: NDArray[np.int64] = np.array([rows[number].count for number in alone], dtype=np.int64)
        groups = group(vectors[alone], counts, self._nearness).tolist()
        made = [_new_cluster(assistant, now) for _ in range(max(groups, default=-1) + 1)]
        session.add_all(made)
        session.flush()
        for number, found in zip(alone, groups, strict=True):
            rows[number].cluster = made[found].id
        return {str(row.cluster) for row in rows}

    def _centre(self, ids: Iterable[str], session: Session) -> None:
        """Computes centre and label of the clusters from all their questions that have vectors of this embedder."""
        wanted = sorted(ids)
        query = select(QuestionRow.cluster, QuestionRow.id, QuestionRow.count, QuestionRow.vector).where(
            QuestionRow.cluster.in_(wanted), QuestionRow.fingerprint == self._fingerprint
        )
        members: dict[str, list[tuple[str, int, bytes]]] = {}
        for cluster, question, count, vector in session.execute(query.order_by(QuestionRow.id)):
            members.setdefault(str(cluster), []).append((question, count, vector or b""))
        rows = session.scalars(select(QuestionClusterRow).where(QuestionClusterRow.id.in_(wanted)))
        for row in rows:
            own = members[row.id]
            vectors = _read([vector for _, _, vector in own], len(own[0][2]) // _STORED.itemsize)
            centre = centres_of(vectors, np.zeros(len(vectors), dtype=np.int64))[0]
            weights: NDArray[np.int64] = np.array([count for _, count, _ in own], dtype=np.int64)
            row.label = own[most_central(vectors, weights, centre)][0]
            row.centre, row.fingerprint = centre.astype(_STORED).tobytes(), self._fingerprint


def _read(stored: Sequence[bytes], dimension: int) -> Vectors:
    raw = np.frombuffer(b"".join(stored), dtype=_STORED).reshape(len(stored), dimension)
    return unit(raw.astype(np.float32))


def _new_cluster(assistant: str, now: dt.datetime) -> QuestionClusterRow:
    return QuestionClusterRow(
        id=str(uuid_utils.uuid7()),
        assistant=assistant,
        made_at=now,
        label=None,
        centre=None,
        fingerprint=None,
        merged_into=None,
        rev=1,
    )
