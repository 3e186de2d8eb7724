"""HH-RLHF: two transcripts, `chosen` and `rejected`, of turns that begin with Human: and Assistant:."""

import re
from collections.abc import Iterator, Mapping

from store.formats.fields import Fields, together
from store.formats.rows import BadRow, Json, Preference, Record, Row, Speaker, Turn

NAME = "hh-rlhf"
_MARK = re.compile(r"\n\n(Human|Assistant):")
_SPEAKERS: Mapping[str, Speaker] = {"Human": Speaker.PERSON, "Assistant": Speaker.ASSISTANT}
_WRITTEN: Mapping[Speaker, str] = {Speaker.PERSON: "Human", Speaker.ASSISTANT: "Assistant"}


def parse(value: Json) -> Preference:
    """Reads a pair; a transcript that would not come back letter by letter is also kept as it is. Raises `BadRow`."""
    fields = Fields(value, NAME)
    sides = {}
    for name in ("chosen", "rejected"):
        text = fields.text(name, is_needed=True)
        sides[name] = turns_of(text, name)
        if not _comes_back(sides[name], text):
            fields.leave(name)
    return Preference(chosen=sides["chosen"], rejected=sides["rejected"], kept=fields.kept())


def compose(row: Row) -> Iterator[Record]:
    """Writes a pair. Raises `BadRow` for a row that has no second answer, or turns that a transcript cannot tell."""
    if not isinstance(row, Preference):
        raise BadRow("there is one answer, and a preference needs two")
    told: Record = {}
    for name, turns in (("chosen", row.chosen), ("rejected", row.rejected)):
        if row.kept.format != NAME or name not in row.kept.values:
            told[name] = transcript(turns)
    yield together(row.kept, NAME, told)


def turns_of(text: str, where: str) -> tuple[Turn, ...]:
    """Returns the turns of a transcript. Raises `BadRow` when it does not begin with one."""
    before, *pieces = _MARK.split(text)
    if before or not pieces:
        raise BadRow(f"{where}: a transcript begins with an empty line and Human: or Assistant:")
    turns = zip(pieces[::2], pieces[1::2], strict=True)
    return tuple(Turn(_SPEAKERS[name], said.removeprefix(" ")) for name, said in turns)


def _comes_back(turns: tuple[Turn, ...], text: str) -> bool:
    try:
        return transcript(turns) == text
    except BadRow:
        return False


def transcript(turns: tuple[Turn, ...]) -> str:
    """Returns turns as one text. Raises `BadRow` for one that is neither a person's nor the assistant's."""
    if any(turn.speaker not in _WRITTEN for turn in turns):
        raise BadRow("a transcript has turns of a person and of the assistant only")
    if any(_MARK.search(f"\n\n{turn.text}") for turn in turns):
        raise BadRow("a turn holds a line that would begin another turn")
    return "".join(f"\n\n{_WRITTEN[turn.speaker]}: {turn.text}" for turn in turns)
