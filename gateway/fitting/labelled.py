"""Labelled messages from files: what a matcher is fitted on and measured with."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gateway.rows import bad_rows, read_rows
from models.ports import Embedder

OUT_OF_SCOPE = "oos"
"""The intent of a message that no prompt answers."""


class Kind(StrEnum):
    """What a measured message stands for."""

    IN_SCOPE = "in_scope"
    NEAR_MISS = "near_miss"
    """About the same things, but no prompt answers it."""
    STRANGER = "stranger"


_KINDS = {"in": Kind.IN_SCOPE, "id-oos": Kind.NEAR_MISS, "ood-oos": Kind.STRANGER, "oos": Kind.STRANGER}


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A sentence and the prompt that it belongs to."""

    text: str
    intent: str
    line: int = field(default=0, compare=False)
    """Where it stands in its file, from 1; 0 for a sentence from no file."""


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """A message, the prompt that answers it or `oos`, and what it stands for."""

    text: str
    intent: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was read, and what was odd about it, in words."""

    store: tuple[LabelledText, ...]
    queries: tuple[LabelledQuery, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it stands in a file."""

    line: int
    text: str
    intent: str
    kind: str | None


def read_labelled(store: Path, queries: Path) -> Labelled:
    """Reads rows `{text, intent}` and rows `{text, intent or "oos", kind}` from JSON lines, gzipped or not.

    A sentence that an intent has twice counts once. A message whose intent the store does not have is answered by
    no prompt: a near miss if it is called `in`. Raises `InvalidRequest` with file and line for a row that is no such
    row, and for a file without any.
    """
    rows = [LabelledText(row.text, row.intent, row.line) for row in _rows(store)]
    if outside := [row for row in rows if row.intent == OUT_OF_SCOPE]:
        raise bad_rows(
            store, None, f"{len(outside)} rows are labelled {OUT_OF_SCOPE!r}: what is out of scope has no prompt"
        )
    kept = tuple(dict.fromkeys(rows))
    intents = {row.intent for row in kept}
    asked = tuple(_query(row, intents, queries) for row in _rows(queries))
    return Labelled(kept, asked, tuple(_notes(rows, kept, asked)))


def require_readable(path: Path, sentences: Iterable[LabelledText], embedder: Embedder) -> None:
    """Raises `InvalidRequest` with file and line for a sentence that is longer than the embedder reads."""
    for row in sentences:
        pieces = embedder.count_tokens(row.text)
        if pieces > embedder.max_tokens:
            raise bad_rows(
                path, row.line, f"text has {pieces} word pieces; the embedder reads at most {embedder.max_tokens}"
            )


def _notes(rows: Sequence[LabelledText], kept: Sequence[LabelledText], asked: Sequence[LabelledQuery]) -> Iterator[str]:
    if len(rows) > len(kept):
        yield f"{len(rows) - len(kept)} sentences stand twice under their intent and count once"
    if shared := len(kept) - len({row.text for row in kept}):
        yield f"{shared} sentences stand under several intents: asked word for word they are asked back"
    unknown = {q.intent for q in asked} - {row.intent for row in kept} - {OUT_OF_SCOPE}
    if unknown:
        shown = ", ".join(sorted(unknown)[:5])
        yield f"{len(unknown)} intents of queries are not in the store, no prompt is right for them: {shown}"


def _query(row: _Row, intents: Collection[str], path: Path) -> LabelledQuery:
    intent, named = row.intent, row.kind
    if named is not None and named not in _KINDS:
        raise bad_rows(path, row.line, f"kind {named!r} is none of {', '.join(_KINDS)}")
    is_known = intent in intents
    default = Kind.IN_SCOPE if is_known else Kind.STRANGER
    kind = _KINDS[named] if named is not None else default
    if kind is Kind.IN_SCOPE and not is_known:
        kind = Kind.NEAR_MISS if intent != OUT_OF_SCOPE else Kind.STRANGER
    elif kind is not Kind.IN_SCOPE and is_known:
        raise bad_rows(path, row.line, f"kind {named!r}, but its intent {intent!r} is in the store")
    return LabelledQuery(row.text, intent, kind)


def _rows(path: Path) -> Iterator[_Row]:
    for row in read_rows(path, '{"text": ..., "intent": ...}'):
        text, intent, kind = row.text("text"), row.text("intent"), row.fields.get("kind")
        if kind is not None and not isinstance(kind, str):
            raise row.bad("kind must be a text")
        yield _Row(row.line, text, intent, kind)
