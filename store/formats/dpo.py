"""DPO: prompt, chosen, rejected as plain texts; what preference training takes."""

from collections.abc import Iterator

from store.formats.fields import Fields, together
from store.formats.hh_rlhf import transcript
from store.formats.rows import BadRow, Json, Preference, Record, Row, Speaker, Turn

NAME = "dpo"


def parse(value: Json) -> Preference:
    """Reads a pair. Raises `BadRow`."""
    fields = Fields(value, NAME)
    asked = Turn(Speaker.PERSON, fields.text("prompt", is_needed=True))
    chosen, rejected = (Turn(Speaker.ASSISTANT, fields.text(name, is_needed=True)) for name in ("chosen", "rejected"))
    return Preference(chosen=(asked, chosen), rejected=(asked, rejected), kept=fields.kept())


def compose(row: Row) -> Iterator[Record]:
    """Writes a pair; several turns before the answer become one transcript. Raises `BadRow`."""
    if not isinstance(row, Preference):
        raise BadRow("there is one answer, and a preference needs two")
    asked = row.chosen[:-1]
    if asked != row.rejected[:-1]:
        raise BadRow("its two transcripts differ before the last answer")
    if not asked:
        raise BadRow("nothing was asked before the answers")
    prompt = asked[0].text if len(asked) == 1 else transcript(asked)
    yield together(row.kept, NAME, {"prompt": prompt, "chosen": row.chosen[-1].text, "rejected": row.rejected[-1].text})
