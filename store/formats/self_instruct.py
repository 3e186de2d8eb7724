"""Self-Instruct: tasks with an instruction and instances of input and output."""

from collections.abc import Iterator

from store.formats.as_rows import as_instruction
from store.formats.fields import Fields, together
from store.formats.rows import BadRow, Case, Instruction, Json, Record, Row

NAME = "self-instruct"
_INSTANCE = "self-instruct instance"


def parse(value: Json) -> Instruction:
    """Reads a task. Raises `BadRow`."""
    fields = Fields(value, NAME)
    instances = fields.listed("instances")
    if not instances:
        raise BadRow("instances: the list is empty")
    return Instruction(
        instruction=fields.text("instruction", is_needed=True),
        cases=tuple(_case(instance, number) for number, instance in enumerate(instances)),
        id=fields.text("id"),
        title=fields.text("name"),
        kept=fields.kept(),
    )


def compose(row: Row) -> Iterator[Record]:
    """Writes a row as one task. Raises `BadRow`."""
    said = as_instruction(row)
    instances: list[Json] = [_instance(case, said.context) for case in said.cases]
    told: Record = {
        "id": said.id,
        "name": said.title,
        "instruction": said.instruction,
        "instances": instances,
        "is_classification": False,
    }
    yield together(said.kept, NAME, told)


def _case(value: Json, number: int) -> Case:
    fields = Fields(value, _INSTANCE, where=f"instances[{number}]")
    return Case(fields.text("output", is_needed=True), fields.text("input"), fields.kept())


def _instance(case: Case, context: str) -> Record:
    material = "\n\n".join(text for text in (context, case.input) if text)
    return together(case.kept, _INSTANCE, {"input": material, "output": case.output})
