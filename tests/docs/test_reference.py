"""The reference says what the code says: what is generated is as it would be generated now."""

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
