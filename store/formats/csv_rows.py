"""CSV of instructions: one a line, under a header; further columns are kept aside."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.fields import Fields, together
from store.formats.rows import Case, Instruction, Json, Record, Row

NAME = "csv"
COLUMNS = ("id", "title", "instruction", "input", "context", "response", "category", "source", "language")


def parse(value: Json) -> Instruction:
    """Reads a record. Raises `BadRow`."""
    fields = Fields(value, NAME)
    return Instruction(
        instruction=fields.text("instruction", is_needed=True),
        cases=(Case(fields.text("response", is_needed=True), fields.text("input")),),
        context=fields.text("context"),
        id=fields.text("id"),
        title=fields.text("title"),
        category=fields.text("category"),
        source=fields.text("source"),
        language=fields.text("language"),
        kept=fields.kept(),
    )


def compose(row: Row) -> Iterator[Record]:
    """Writes a row, one record for each of its cases. Raises `BadRow`."""
    said = as_instruction(row)
    for case in said.cases:
        told: Record = {
            "id": said.id,
            "title": said.title,
            "instruction": said.instruction,
            "input": case.input,
            "context": said.context,
            "response": case.output,
            "category": said.category,
            "source": said.source,
            "language": said.language,
        }
        yield together(said.kept, NAME, told)
