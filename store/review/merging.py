"""Puts clusters of questions into one, and takes them apart again as they were."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor
from store.review.types import Target
from store.tables import QuestionClusterRow, QuestionRow

MAX_MERGED = 50


def merge_clusters(
    actor: Actor, into: Target, sources: Sequence[Target], *, session: Session
) -> tuple[list[str], list[dict[str, Any]]]:
    """Moves all questions of the sources; returns the assistant and what there was before.

    Raises `NotFound`, `Conflict`, and `InvalidContent` for clusters of several assistants or one into itself.
    """
    if len(sources) > MAX_MERGED or into.id in {source.id for source in sources}:
        raise InvalidContent(f"merge at most {MAX_MERGED} clusters, and none into itself.")
    wanted = {target.id: target.rev for target in (into, *sources)}
    rows = _locked(session, list(wanted))
    if any(one not in rows or not actor.may_see(rows[one].assistant) for one in wanted):
        raise NotFound("one of the clusters does not exist. Nothing was changed.")
    if any(row.rev != wanted[row.id] or row.merged_into is not None for row in rows.values()):
        raise Conflict("one of the clusters has changed since it was read. Read them again; nothing was changed.")
    assistants = {row.assistant for row in rows.values()}
    if len(assistants) > 1:
        raise InvalidContent("clusters of several assistants cannot be merged.")
    before = []
    for source in sources:
        row = rows[source.id]
        moved = list(session.scalars(select(QuestionRow.id).where(QuestionRow.cluster == row.id)))
        session.execute(update(QuestionRow).where(QuestionRow.cluster == row.id).values(cluster=into.id))
        row.merged_into, row.rev = into.id, row.rev + 1
        before.append({"id": row.id, "rev": row.rev, "into": into.id, "questions": moved})
    rows[into.id].rev += 1
    return sorted(assistants), before


def unmerge_clusters(before: Sequence[Mapping[str, Any]], *, session: Session) -> None:
    """Moves back what a merge moved, as far as it is still there. Raises `Conflict` when it was merged further."""
    into = before[0]["into"]
    rows = _locked(session, [into, *(one["id"] for one in before)])
    if into in rows and rows[into].merged_into is not None:
        raise Conflict("the cluster was merged further since. Undo that first; nothing was changed.")
    for one in before:
        row = rows.get(one["id"])
        if row is None:  # its questions' time is over, and it went with them
            continue
        if row.merged_into != into or row.rev != one["rev"]:
            raise Conflict("one of the clusters has changed since. Undo that first; nothing was changed.")
        moved = update(QuestionRow).where(QuestionRow.id.in_(one["questions"]), QuestionRow.cluster == into)
        session.execute(moved.values(cluster=row.id))
        row.merged_into, row.rev = None, row.rev + 1
    if into in rows:
        rows[into].rev += 1


def _locked(session: Session, ids: Sequence[str]) -> dict[str, QuestionClusterRow]:
    query = select(QuestionClusterRow).where(QuestionClusterRow.id.in_(list(ids))).order_by(QuestionClusterRow.id)
    return {row.id: row for row in session.scalars(query.with_for_update())}
