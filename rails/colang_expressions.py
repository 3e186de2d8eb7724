"""Checks the expressions of Colang, which NeMo evaluates only while a person waits for an answer."""

import ast
import re
from collections.abc import Iterator

from rails.colang_reading import Line
from rails.findings import Finding

MAX_CHARS = 300
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_SINGLE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
_TRUTHS = {"true": "True", "false": "False", "yes": "True", "no": "False", "null": "None", "none": "None"}
_MARK = "_variable_"
_ALLOWED = (
    ast.Expression,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.And,
    ast.Or,
    ast.Not,
    ast.USub,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Is,
    ast.IsNot,
    ast.List,
    ast.Tuple,
)
_CONSTANTS = (str, int, float, bool, type(None))


def check_expression(line: Line, expression: str, known: set[str]) -> Iterator[Finding]:
    """Gives what would fail, or do more than compare, when the expression is evaluated."""
    tree = _parsed(expression)
    if tree is None:
        message = f"`{expression[:80]}` cannot be calculated; the flow would break off while somebody waits."
        is_set = _SINGLE_EQUALS.search(expression) is not None
        remedy = "Compare values, such as `$name == 1`, with `and`, `or` and `not`."
        yield line.finding("expression", message, f"Write two equals signs to compare. {remedy}" if is_set else remedy)
        return
    for node in ast.walk(tree):
        if finding := _wrong(line, node, known):
            yield finding
            return


def check_arguments(line: Line, arguments: str, known: set[str]) -> Iterator[Finding]:
    """Gives what is wrong with the brackets behind an action: `(name=value, ...)`."""
    if not arguments:
        return
    tree = _parsed(f"f{arguments}")
    call = tree.body if tree is not None else None
    if not isinstance(call, ast.Call) or call.args or any(word.arg is None for word in call.keywords):
        yield line.finding("expression", "The brackets cannot be read.", "Write `(name=value, other=value)`.")
        return
    for word in call.keywords:
        for node in ast.walk(word.value):
            if finding := _wrong(line, node, known):
                yield finding
                return


def _parsed(expression: str) -> ast.Expression | None:
    if len(expression) > MAX_CHARS:
        return None
    try:
        return ast.parse(_VARIABLE.sub(rf"{_MARK}\1", expression), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _wrong(line: Line, node: ast.AST, known: set[str]) -> Finding | None:
    if isinstance(node, ast.Call | ast.Attribute | ast.Subscript | ast.Lambda):
        message = "A value may only be compared: calling a function or reaching into a value can change the server."
        return line.finding("call", message, "Remove the brackets or the point.")
    if isinstance(node, ast.Name):
        return _wrong_name(line, node.id, known)
    if isinstance(node, ast.Constant) and not isinstance(node.value, _CONSTANTS):
        return line.finding("expression", "This kind of value is not known.", "Use numbers, texts, True or False.")
    if isinstance(node, _ALLOWED):
        return None
    message = "This expression does more than compare values, and may take for ever."
    return line.finding("expression", message, "Compare values, such as `$name == 1`.")


def _wrong_name(line: Line, written: str, known: set[str]) -> Finding | None:
    name = written.removeprefix(_MARK)
    if name == written:
        message = f"`{name}` is neither a value with `$` nor a text in quotes."
        truth = _TRUTHS.get(name.casefold())
        remedy = f"Write `{truth}`." if truth else "Write `$` before a value, and quotes around a text."
        return line.finding("expression", message, remedy)
    if name not in known:
        message = f"`${name}` is set nowhere before this line, so the flow would break off here."
        return line.finding("unknown_variable", message, "Set it in a line above, or correct its spelling.")
    return None
