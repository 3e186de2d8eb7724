"""databricks-dolly-15k: instruction, context, response, category."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.fields import Fields, together
from store.formats.rows import Case, Instruction, Json, Record, Row

NAME = "dolly"


def parse(value: Json) -> Instruction:
    """Reads a record. Raises `BadRow`."""
    fields = Fields(value, NAME)
    return Instruction(
        instruction=fields.text("instruction", is_needed=True),
        context=fields.text("context"),
        cases=(Case(fields.text("response", is_needed=True)),),
        category=fields.text("category"),
        kept=fields.kept(),
    )


def compose(row: Row) -> Iterator[Record]:
    """Writes a row, one record for each of its cases. Raises `BadRow`."""
    said = as_instruction(row)
    for case in said.cases:
        context = "\n\n".join(text for text in (said.context, case.input) if text)
        told: Record = {
            "instruction": said.instruction,
            "context": context,
            "response": case.output,
            "category": said.category,
        }
        yield together(said.kept, NAME, told)
