"""LongForm: input (the instruction), output (a long text), source (the corpus that it is from)."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.fields import Fields, together
from store.formats.rows import Case, Instruction, Json, Record, Row

NAME = "longform"


def parse(value: Json) -> Instruction:
    """Reads a record. Raises `BadRow`."""
    fields = Fields(value, NAME)
    return Instruction(
        instruction=fields.text("input", is_needed=True),
        cases=(Case(fields.text("output", is_needed=True)),),
        source=fields.text("source"),
        kept=fields.kept(),
    )


def compose(row: Row) -> Iterator[Record]:
    """Writes a row, one record for each of its cases. Raises `BadRow`."""
    said = as_instruction(row)
    for case in said.cases:
        asked = "\n\n".join(text for text in (said.instruction, said.context, case.input) if text)
        if said.kept.format == NAME:
            asked = said.instruction
        yield together(said.kept, NAME, {"input": asked, "output": case.output, "source": said.source})
