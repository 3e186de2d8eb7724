"""ShareGPT: conversations of {from, value}; with `chosen` and `rejected`, two ways for one to go on."""

from collections.abc import Iterator, Mapping

from store.formats.as_rows import as_conversation
from store.formats.fields import Fields, together
from store.formats.rows import BadRow, Conversation, Json, Preference, Record, Row, Speaker, Turn, line_of

NAME = "sharegpt"
_TURN = "sharegpt turn"
_SPEAKERS: Mapping[str, Speaker] = {
    "human": Speaker.PERSON,
    "user": Speaker.PERSON,
    "gpt": Speaker.ASSISTANT,
    "assistant": Speaker.ASSISTANT,
    "chatgpt": Speaker.ASSISTANT,
    "function_call": Speaker.ASSISTANT,
    "system": Speaker.SYSTEM,
    "tool": Speaker.TOOL,
    "observation": Speaker.TOOL,
}
_WRITTEN: Mapping[Speaker, str] = {
    Speaker.PERSON: "human",
    Speaker.ASSISTANT: "gpt",
    Speaker.SYSTEM: "system",
    Speaker.TOOL: "tool",
    Speaker.OTHER: "other",
}


def parse(value: Json) -> Conversation | Preference:
    """Reads a conversation, or a preference where there are two answers. Raises `BadRow`."""
    fields = Fields(value, NAME)
    listed = fields.listed("conversations")
    turns = tuple(_turn(turn, f"conversations[{number}]") for number, turn in enumerate(listed))
    if not turns:
        raise BadRow("conversations: the list is empty")
    row_id = fields.text("id") if isinstance(fields.record.get("id"), str) else ""
    if isinstance(fields.record.get("chosen"), dict) and isinstance(fields.record.get("rejected"), dict):
        chosen, rejected = _turn(fields.take("chosen"), "chosen"), _turn(fields.take("rejected"), "rejected")
        return Preference(chosen=(*turns, chosen), rejected=(*turns, rejected), id=row_id, kept=fields.kept())
    return line_of(turns, conversation_id=row_id, kept=fields.kept())


def compose(row: Row) -> Iterator[Record]:
    """Writes a row. Raises `BadRow` for a tree, which a list of turns cannot say."""
    if isinstance(row, Preference):
        if row.chosen[:-1] != row.rejected[:-1]:
            raise BadRow("its two transcripts differ before the last answer")
        told: Record = {"id": row.id} if row.id else {}
        told["conversations"] = [_record(turn) for turn in row.chosen[:-1]]
        told |= {"chosen": _record(row.chosen[-1]), "rejected": _record(row.rejected[-1])}
        yield together(row.kept, NAME, told)
        return
    said = as_conversation(row)
    if not said.is_line:
        raise BadRow("a tree of messages: several answer the same one")
    turns: list[Json] = [_record(turn) for turn in said.turns]
    yield together(said.kept, NAME, {"id": said.id, "conversations": turns})


def _turn(value: Json, where: str) -> Turn:
    fields = Fields(value, _TURN, where=where)
    name = fields.text("from", is_needed=True)
    speaker = _SPEAKERS.get(name, Speaker.OTHER)
    if _WRITTEN[speaker] != name:
        fields.leave("from")
    return Turn(speaker, fields.text("value", is_needed=True), kept=fields.kept())


def _record(turn: Turn) -> Json:
    return together(turn.kept, _TURN, {"from": _WRITTEN[turn.speaker], "value": turn.text})
