"""Alpaca: instruction, input, output."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.fields import Fields, together
from store.formats.rows import Case, Instruction, Json, Record, Row

NAME = "alpaca"


def parse(value: Json) -> Instruction:
    """Reads a record. Raises `BadRow`."""
    fields = Fields(value, NAME)
    instruction = fields.text("instruction", is_needed=True)
    case = Case(fields.text("output", is_needed=True), fields.text("input"))
    return Instruction(instruction=instruction, cases=(case,), kept=fields.kept())


def compose(row: Row) -> Iterator[Record]:
    """Writes a row, one record for each of its cases. Raises `BadRow`."""
    said = as_instruction(row)
    for case in said.cases:
        material = "\n\n".join(text for text in (said.context, case.input) if text)
        told: Record = {"instruction": said.instruction, "input": material, "output": case.output}
        yield together(said.kept, NAME, told)
