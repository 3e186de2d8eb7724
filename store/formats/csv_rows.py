"""CSV of instructions: one a line, under a header; further columns are kept aside."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.csv_cells import csv_line
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


def sample() -> tuple[bytes, ...]:
    """Returns a small file, line by line: two phrasings of one prompt, and another prompt."""
    vpn = "Open the VPN app, choose your country and sign in as you do on your computer."
    badge = "Tell the front desk. They lock the old badge and give you a new one while you wait."
    rows = (
        ("title", "instruction", "response", "language"),
        ("VPN from home", "How do I get onto the VPN from home?", vpn, "en"),
        ("VPN from home", "How do I get onto the VPN from the train?", vpn, "en"),
        ("Lost badge", "I lost my badge, what now?", badge, "en"),
    )
    return tuple(map(csv_line, rows))
