"""Patterns of fields mean the whole text: a bare `$` also matches before a line break at the end."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def declared() -> list[tuple[Path, str]]:
    """Gives every pattern that a field is declared with; names in it stand as they are written."""
    calls = [
        (path, node)
        for folder in ("gateway", "store", "rails", "models")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Meta"
    ]
    return [(path, ast.unparse(one.value)) for path, node in calls for one in node.keywords if one.arg == "pattern"]


def test_no_declared_pattern_takes_a_line_break_that_it_does_not_name() -> None:
    found = declared()
    assert len(found) > 30
    assert not [(str(path), pattern) for path, pattern in found if re.search(r"(?<!\\)\$", pattern)]
