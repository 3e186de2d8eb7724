"""Tables of the reference that are made from the code: families of models, formats of rows, metrics and alerts."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from models.families import Family, Quantisation, families
from store.formats.registry import FORMATS

ROOT = Path(__file__).parents[1]
METRICS_IN = ("gateway/telemetry.py", "gateway/metering.py", "gateway/tracing_making.py")
"""Files that name metrics, in the order in which the page tells them."""
LEAST_WORDS = 2
"""A name, and what is said of it."""
OF_A_LINE = "of_lines"
"""What makes a number for each line that requests stand in."""


def family_table() -> str:
    """Returns the table of families, one a line."""
    head = ["family", "graph in llama.cpp", "sizes (GiB of weights at Q4_K_M / F16)", "context", "commercial use"]
    return _table([*head, "prompt format"], map(_family, families()))


def format_table() -> str:
    """Returns the table of formats of rows."""
    rows = (
        [f"`{one.name}`", f"{one.title}, `.{one.extension}`", one.fields, one.keeps, one.licence]
        for one in FORMATS.values()
    )
    return _table(
        ["name", "what", "fields", "an export of approved prompts keeps", "licence of the published set"], rows
    )


def metric_table() -> str:
    """Returns the table of metrics, as the code names them."""
    found = [one for path in METRICS_IN for one in _metrics(ast.parse((ROOT / path).read_text()))]
    return _table(["metric", "kind", "labels", ""], found)


def alert_table() -> str:
    """Returns what each alert means and where to look first."""
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    rows = ([f"`{one['alert']}`", one["labels"]["severity"], _said(one, "summary"), _said(one, "do")] for one in alerts)
    return _table(["alert", "severity", "what people notice", "where to look first"], rows)


def _said(alert: dict[str, Any], name: str) -> str:
    """Returns an annotation with the names of labels in place of Prometheus' templates."""
    text: str = alert["annotations"][name]
    named = re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"the \1", text)
    return re.sub(r"(canongate_\w+|/readyz)", r"`\1`", named[:1].upper() + named[1:])


def _family(one: Family) -> list[str]:
    def gib(size: int) -> str:
        return f"{size / 2**30:.2g}" if size < 10 * 2**30 else f"{size / 2**30:,.0f}"

    sizes = ", ".join(
        f"{size.name} ({gib(size.weights_bytes(Quantisation.Q4_K_M))} / {gib(size.weights_bytes(Quantisation.F16))})"
        for size in one.sizes
    )
    context = f"{one.context_tokens:,}" + ("" if one.is_context_verified else "*")
    use = one.commercial_use.value + ("" if one.is_licence_verified else "*")
    return [f"`{one.name}`", one.gguf_architecture or "upstream only", sizes, context, use, f"`{one.format_name}`"]


def _metrics(tree: ast.Module) -> Iterator[list[str]]:
    """Gives the metrics that a file makes, in their order."""
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and len(one.args) > 1]
    for call in sorted(calls, key=lambda one: one.lineno):
        maker = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(texts) < LEAST_WORDS or not texts[0].startswith("canongate_"):
            continue
        options = {one.arg: one.value for one in call.keywords}
        label = options.get("label")
        labels = [*texts[2:], *([label.value] if isinstance(label, ast.Constant) else [])]
        is_counter = maker == "_counter" or "is_counter" in options
        kind = "counter" if is_counter else "histogram" if maker == "_histogram" else "gauge"
        labels += ["line"] if maker == OF_A_LINE else []
        yield [f"`{texts[0]}{'_total' if is_counter else ''}`", kind, ", ".join(map(str, labels)), texts[1]]


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)
