"""Turns one variant of the common form into another, where nothing of it would be lost."""

from dataclasses import replace

from store.formats.rows import BadRow, Case, Conversation, Instruction, Preference, Row, Speaker, Turn, line_of

_EXCHANGE = (Speaker.PERSON, Speaker.ASSISTANT)


def as_instruction(row: Row) -> Instruction:
    """Returns a row as a request with its answer. Raises `BadRow` for a conversation of more than that."""
    if isinstance(row, Instruction):
        return row
    if isinstance(row, Preference):
        raise BadRow("there are two answers, where one belongs")
    turns = row.turns
    if not row.is_line:
        raise BadRow("a tree of messages, where one request with one answer belongs")
    if tuple(turn.speaker for turn in turns) != _EXCHANGE:
        raise BadRow("a conversation of several turns, where one request with one answer belongs")
    asked, answered = turns
    return Instruction(
        instruction=asked.text, cases=(Case(answered.text),), id=row.id, language=asked.language or answered.language
    )


def as_conversation(row: Row) -> Conversation:
    """Returns a row as a conversation; a preference has two answers to one message, with ranks. Raises `BadRow`."""
    if isinstance(row, Conversation):
        return row
    if isinstance(row, Preference):
        return _both_ways(row)
    if len(row.cases) != 1:
        raise BadRow("an instruction with several inputs, where one conversation belongs")
    (case,) = row.cases
    asked = "\n\n".join(text for text in (row.instruction, row.context, case.input) if text)
    turns = (
        Turn(Speaker.PERSON, asked, language=row.language),
        Turn(Speaker.ASSISTANT, case.output, language=row.language),
    )
    return line_of(turns, conversation_id=row.id)


def _both_ways(row: Preference) -> Conversation:
    before = row.chosen[:-1]
    if before != row.rejected[:-1] or not before:
        raise BadRow("its two transcripts differ before the last answer")
    turns = (*before, replace(row.chosen[-1], rank=0), replace(row.rejected[-1], rank=1))
    parents = (None, *range(len(before)), len(before) - 1)
    return Conversation(turns=turns, parents=parents, id=row.id)


def first_question(row: Row) -> tuple[str, str]:
    """Returns what a person said first, and its language ("" where it is not told). Raises `BadRow`."""
    if isinstance(row, Instruction):
        return row.instruction, row.language
    turns = row.turns if isinstance(row, Conversation) else row.chosen
    asked = next((turn for turn in turns if turn.speaker is Speaker.PERSON), None)
    if asked is None:
        raise BadRow("nobody asked anything")
    return asked.text, asked.language
