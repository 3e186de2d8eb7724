"""The reference says what the code says: what is generated is as it would be generated now."""

import re

import msgspec
import pytest

from docs.generate import DOCS, pages
from docs.tables import metric_table
from gateway.settings import Settings

MADE = pages()


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_what_the_code_comes_to(name: str) -> None:
    assert (DOCS / name).read_text() == MADE[name], "run: make docs"


def test_the_table_of_metrics_has_those_of_every_kind() -> None:
    table = metric_table()
    for name in ("canongate_decisions_total", "canongate_rail_seconds", "canongate_model_state"):
        assert f"| `{name}` |" in table
    assert "| `canongate_requests_in_line` | gauge | line |" in table


def test_the_page_on_incidents_names_lines_of_the_log_with_the_level_at_which_they_are_written() -> None:
    page = (DOCS / "operating" / "incidents.md").read_text()
    part = page.partition("## By the line in the log")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([a-z]+) \|", part, re.MULTILINE)
    told = {(name, level) for names, level in rows for name in re.findall(r"[a-z_]+", names)}
    assert len(told) > 10
    assert told - written_lines() == set()
    critical = {name for name, level in written_lines() if level == "critical"}
    assert critical - {name for name, _ in told} == set()


def test_the_page_on_incidents_ends_the_secret_before_with_every_rotation() -> None:
    page = (DOCS / "operating" / "incidents.md").read_text()
    rotations = re.findall(r"canongate (?:key|widget) rotate[^`\n]*", page)
    assert rotations
    assert all("--overlap 0" in one for one in rotations)


def test_the_promise_to_call_nobody_names_every_setting_that_has_somebody_called() -> None:
    promise = (DOCS.parent / "SECURITY.md").read_text().partition("### It calls nobody\n")[2].partition("\n### ")[0]
    addresses = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(section.type)
        if field.name in {"address", "database_url", "endpoint", "endpoints", "issuer", "store", "url"}
    }
    assert len(addresses) == 7
    assert addresses - set(re.findall(r"`([a-z_.]+)`", promise)) == set()


def written_lines() -> set[tuple[str, str]]:
    """Gives the lines that we write to the log by name, each with its level."""
    rooms = [DOCS.parent / name for name in ("gateway", "models", "rails", "store")]
    source = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    written = re.findall(r'\.(warning|error|exception|critical)\(\s*"([a-z]+(?:_[a-z]+)*)[":,]', source)
    lasting = re.findall(r'RepeatedLog\(_LOG, "(\w+)"', source)
    levels = {"exception": "error"}
    return {(name, levels.get(level, level)) for level, name in written} | {(name, "error") for name in lasting}
