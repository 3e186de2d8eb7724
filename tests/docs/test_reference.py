"""The reference says what the code says: what is generated is as it would be generated now."""

import re

import pytest

from docs.generate import DOCS, pages
from docs.tables import metric_table

MADE = pages()


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_what_the_code_comes_to(name: str) -> None:
    assert (DOCS / name).read_text() == MADE[name], "run: make docs"


def test_the_table_of_metrics_has_those_of_every_kind() -> None:
    table = metric_table()
    for name in ("canongate_decisions_total", "canongate_rail_seconds", "canongate_model_state"):
        assert f"| `{name}` |" in table
    assert "| `canongate_requests_in_line` | gauge | line |" in table


def test_the_lines_of_the_log_that_the_page_on_incidents_names_are_written() -> None:
    page = (DOCS / "operating" / "incidents.md").read_text()
    part = page.partition("## By the line in the log")[2].partition("\n## ")[0]
    told = {name for line in part.splitlines() for name in re.findall(r"`([a-z]+_[a-z_]+)`", line)}
    source = "".join(path.read_text() for path in (DOCS.parent / "gateway").rglob("*.py"))
    source += "".join(path.read_text() for room in ("rails", "store") for path in (DOCS.parent / room).rglob("*.py"))
    assert len(told) > 10
    assert {name for name in told if name not in source} == set()
