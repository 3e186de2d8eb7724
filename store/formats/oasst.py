"""OASST1: message trees, and messages one a line; every language of the set."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from store.formats.as_rows import as_conversation
from store.formats.fields import Fields, together
from store.formats.row_format import Placed
from store.formats.rows import BadRow, Conversation, Json, Kept, Record, Row, Speaker, Turn

TREES, MESSAGES = "oasst", "oasst-messages"
_NODE = "oasst message"
_MAX_MESSAGES = 20_000
"""Of one tree."""
_IDS = uuid.UUID("6f1d2c58-70b5-4b0e-9d0c-0a4c6d1f8f27")
"""Names the ids of messages that had none; equal rows get equal ids."""
_SPEAKERS: Mapping[str, Speaker] = {
    "prompter": Speaker.PERSON,
    "assistant": Speaker.ASSISTANT,
    "system": Speaker.SYSTEM,
}
_WRITTEN: Mapping[Speaker, str] = {
    Speaker.PERSON: "prompter",
    Speaker.ASSISTANT: "assistant",
    Speaker.SYSTEM: "system",
}


def parse_tree(value: Json) -> Conversation:
    """Reads a tree: {message_tree_id, tree_state, prompt}. Raises `BadRow`."""
    fields = Fields(value, TREES)
    turns, parents = _grown(fields.take("prompt"), "prompt")
    return Conversation(turns=turns, parents=parents, id=fields.text("message_tree_id"), kept=fields.kept())


def compose_tree(row: Row) -> Iterator[Record]:
    """Writes a row as one tree. Raises `BadRow`."""
    said = _with_ids(as_conversation(row))
    if said.parents.count(None) != 1:
        raise BadRow("a part of a tree, whose beginning is elsewhere")
    tree = said.id if said.kept.format == TREES else said.id or said.turns[0].id
    told: Record = {"message_tree_id": tree, "tree_state": "ready_for_export"}
    told["prompt"] = _nested(said)
    yield together(said.kept, TREES, told)


def parse_message(value: Json) -> Conversation:
    """Reads one message with the replies that are written inside it, if any. Raises `BadRow`."""
    turns, parents = _grown(value, "")
    record = value if isinstance(value, dict) else {}
    tree = record.get("message_tree_id")
    kept = Kept(MESSAGES, ("replies",) if record.get("replies") else ())
    return Conversation(turns=turns, parents=parents, id=tree if isinstance(tree, str) else "", kept=kept)


def compose_messages(row: Row) -> Iterator[Record]:
    """Writes a row as messages, one record each; replies that came inside a message go back inside. Raises `BadRow`."""
    said = _with_ids(as_conversation(row))
    if said.kept.format == MESSAGES:
        records = (_record(turn, {}) for turn in said.turns)
        yield from [_nested(said)] if said.kept.names else records
        return
    tree = said.id or said.turns[0].id
    for turn, parent in zip(said.turns, said.parents, strict=True):
        more: Record = {"parent_id": None if parent is None else said.turns[parent].id, "message_tree_id": tree}
        record = _record(turn, more, always=tuple(more))
        record.pop("replies", None)
        yield record


def gathered(rows: Iterable[Placed]) -> Iterator[Placed]:
    """Puts messages that follow one another and belong to one tree together; each tree is held in memory alone."""
    tree: list[Placed] = []
    ids: dict[str, int] = {}
    for one in rows:
        said = one.row
        if tree and not (isinstance(said, Conversation) and len(tree) < _MAX_MESSAGES and _belongs(said, tree, ids)):
            yield _joined(tree)
            tree, ids = [], {}
        if isinstance(said, Conversation) and said.turns[0].id:
            ids[said.turns[0].id] = len(tree)
        tree.append(one)
    if tree:
        yield _joined(tree)


def _belongs(said: Conversation, tree: list[Placed], ids: dict[str, int]) -> bool:
    first = tree[0].row
    if said.kept.names or not isinstance(first, Conversation) or first.kept.names:
        return False
    return _parent(said.turns[0]) in ids or bool(said.id and said.id == first.id)


def _parent(turn: Turn) -> str | None:
    parent = turn.kept.values.get("parent_id")
    return parent if isinstance(parent, str) else None


def _joined(tree: list[Placed]) -> Placed:
    """Returns the messages as one tree; one whose parent does not come before it stands beside the others."""
    if len(tree) == 1:
        return tree[0]
    rows = [one.row for one in tree if isinstance(one.row, Conversation)]
    turns = tuple(row.turns[0] for row in rows)
    ids: dict[str, int] = {}
    parents: list[int | None] = []
    for number, turn in enumerate(turns):
        parent = _parent(turn)
        parents.append(None if parent is None else ids.get(parent))
        if turn.id:
            ids[turn.id] = number
    whole = Conversation(turns=turns, parents=tuple(parents), id=rows[0].id, kept=rows[0].kept)
    return Placed(tree[0].place, whole, b"\n".join(one.raw for one in tree))


def _grown(value: Json, where: str) -> tuple[tuple[Turn, ...], tuple[int | None, ...]]:
    """Returns the messages of a tree, each after the one that it answers, without recursion."""
    turns: list[Turn] = []
    parents: list[int | None] = []
    waiting: list[tuple[Json, int | None, str]] = [(value, None, where)]
    while waiting:
        node, parent, place = waiting.pop()
        fields = Fields(node, _NODE, where=place)
        replies = fields.record.get("replies")
        turns.append(_turn(fields, place))
        parents.append(parent)
        if len(turns) > _MAX_MESSAGES:
            raise BadRow(f"more than {_MAX_MESSAGES} messages in one tree")
        if isinstance(replies, list):
            here = f"{place}.replies" if place else "replies"
            numbered = [(reply, len(turns) - 1, f"{here}[{number}]") for number, reply in enumerate(replies)]
            waiting += reversed(numbered)
        elif replies is not None:
            raise BadRow(f"{place or 'the row'}.replies: something else than a list")
    return tuple(turns), tuple(parents)


def _turn(fields: Fields, place: str) -> Turn:
    role = fields.text("role", is_needed=True)
    if role not in _SPEAKERS:
        raise BadRow(f"{place or 'the row'}.role: neither prompter, assistant nor system")
    text, message_id, language = fields.text("text", is_needed=True), fields.text("message_id"), fields.text("lang")
    if fields.record.get("replies"):
        fields.take("replies")
    return Turn(_SPEAKERS[role], text, message_id, language, fields.kept())


def _nested(said: Conversation) -> Record:
    """Returns the tree as records inside one another, made from its leaves on."""
    children: dict[int, list[Json]] = {}
    for number in range(len(said.turns) - 1, -1, -1):
        inside = children.pop(number, [])[::-1]
        turn, parent = said.turns[number], said.parents[number]
        node = _record(turn, {"parent_id": None if parent is None else said.turns[parent].id})
        if inside or turn.kept.format != _NODE:
            node["replies"] = inside
        if parent is None:
            return node
        children.setdefault(parent, []).append(node)
    raise BadRow("a part of a tree, whose beginning is elsewhere")


def _record(turn: Turn, more: Record, *, always: tuple[str, ...] = ()) -> Record:
    if turn.speaker not in _WRITTEN:
        raise BadRow("a turn of somebody who is neither prompter, assistant nor system")
    told: Record = {"message_id": turn.id, "text": turn.text, "role": _WRITTEN[turn.speaker], "lang": turn.language}
    if turn.helpful is not None:
        told["labels"] = {"name": ["helpfulness"], "value": [float(turn.helpful)], "count": [1]}
    if turn.rank is not None:
        told["rank"] = turn.rank
    if "replies" in turn.kept.names and "replies" not in turn.kept.values:
        more = more | {"replies": []}
    return together(turn.kept, _NODE, told | more, always=always)


def _with_ids(said: Conversation) -> Conversation:
    """Returns the conversation with an id for each message that came without one from another format."""
    if all(turn.id or turn.kept.format == _NODE for turn in said.turns):
        return said
    seed = "\0".join((said.id, *(turn.text for turn in said.turns)))
    numbers = count()
    turns = tuple(
        turn
        if turn.id or turn.kept.format == _NODE
        else replace(turn, id=str(uuid.uuid5(_IDS, f"{seed}\0{next(numbers)}")))
        for turn in said.turns
    )
    kept = said.kept
    return Conversation(turns=turns, parents=said.parents, id=said.id, kept=kept)
