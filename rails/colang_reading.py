"""Reads Colang 1.0 into definitions and statements, and takes only what can be read in one way.

NeMo's own parser skips what it does not understand, joins lines and guesses names; here every line is of a known form
or a finding. No text of people is matched with the patterns below, only the lines of a policy.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rails.colang_traps import TRAPS
from rails.findings import Finding

_WORD = r"[A-Za-z][A-Za-z0-9_-]*"
NAME = rf"{_WORD}(?: [A-Za-z0-9_-]+)*"
_DEFINE = re.compile(rf"define (user|bot|flow|subflow) ({NAME})")
_QUOTED = re.compile(r'"([^"]*)"')
_FORMS = (
    ("user", re.compile(rf"user ({NAME})")),
    ("bot", re.compile(rf"bot ({NAME})")),
    ("do", re.compile(rf"do ({NAME})")),
    ("execute", re.compile(r"(?:\$(?P<to>[A-Za-z_]\w*) ?= ?)?execute (?P<name>[A-Za-z_]\w*)(?P<args>\(.*\))?")),
    ("set", re.compile(r"\$(?P<to>[A-Za-z_]\w*) ?= ?(?P<expression>[^=].*)")),
    ("if", re.compile(r"if (?P<expression>.+)")),
    ("else if", re.compile(r"else if (?P<expression>.+)")),
    ("else", re.compile(r"else")),
    ("stop", re.compile(r"stop")),
    ("return", re.compile(r"return")),
)
_OPENS = frozenset({"if", "else if", "else"})
_READ_OTHERWISE = frozenset({"something", "or", "with", "for", "as", "says", "any", "no", "not"})
"""Words that NeMo takes for its own inside a name."""


class Kind(StrEnum):
    """What is defined."""

    USER = "user"
    BOT = "bot"
    FLOW = "flow"
    SUBFLOW = "subflow"


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its comment."""

    number: int
    indent: int
    text: str
    is_refused: bool = False
    """Whether it is a finding already, and only tells where a block ends."""
    has_note: bool = False
    """Whether a comment stood behind it."""

    def finding(self, code: str, message: str, remedy: str) -> Finding:
        """Returns an error at the first character of the line."""
        return Finding(self.number, self.indent + 1, f"colang.{code}", message, remedy)


@dataclass(slots=True)
class Statement:
    """One step of a flow."""

    line: Line
    form: str
    """The first word of its form, such as `bot` or `else if`."""
    name: str = ""
    """Of the message, subflow or action."""
    variable: str = ""
    """What is set; empty when nothing is."""
    expression: str = ""
    """The condition, the value, or what stands in an action's brackets."""
    body: list["Statement"] = field(default_factory=list)


@dataclass(slots=True)
class Definition:
    """One block that begins with `define`."""

    line: Line
    kind: Kind
    name: str
    texts: list[tuple[Line, str]] = field(default_factory=list)
    """Of a message: its examples or wordings."""
    body: list[Statement] = field(default_factory=list)
    """Of a flow."""


@dataclass(slots=True)
class Colang:
    """What a Colang text defines, and what in it could not be read."""

    definitions: list[Definition] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_colang(text: str) -> Colang:
    """Reads the whole text; what is not understood is a finding, never skipped."""
    colang = Colang()
    current: Definition | None = None
    block: list[Line] = []
    is_lost = False
    for line in _lines(text, colang.findings):
        if line.indent and (current is not None or is_lost):
            block.append(line)  # what stands below a line that was refused is not told as well
            continue
        _finish(current, block, colang)
        current, block = None if line.is_refused else _define(line, colang), []
        is_lost = current is None
    _finish(current, block, colang)
    return colang


def _lines(text: str, findings: list[Finding]) -> Iterator[Line]:
    for number, written in enumerate(text.split("\n"), start=1):
        stripped = written.strip()
        indent = len(written) - len(written.lstrip(" "))
        cut, is_open = _without_comment(stripped)
        line = Line(number, indent, cut, has_note=cut != stripped)
        if not cut:
            continue
        problem = _problem(line, has_other_blanks=written[indent : indent + 1].isspace(), is_open=is_open)
        if problem is not None:
            findings.append(problem)
        yield replace(line, is_refused=problem is not None)


def _problem(line: Line, *, has_other_blanks: bool, is_open: bool) -> Finding | None:
    if has_other_blanks:
        return line.finding("tab", "The line is indented with something else than blanks.", "Use blanks.")
    if is_open or '"""' in line.text:
        message = "A quote is opened in this line and not closed, so the lines below would become part of the text."
        return line.finding("quote", message, "Close it; keep each text in one line, and notes behind #.")
    if line.text.endswith(("\\", " or")):
        message = "A line that ends like this swallows the next one."
        return line.finding("joined", message, "Write each step in a line of its own.")
    if line.has_note and line.text.startswith('"'):
        message = "NeMo reads a note behind a text as part of the text, and drops the text below it."
        return line.finding("note", message, "Put the note into a line of its own.")
    trap = next((one for one in TRAPS if one.pattern.search(line.text)), None)
    return None if trap is None else line.finding(trap.code, trap.message, trap.remedy)


def _without_comment(text: str) -> tuple[str, bool]:
    is_open = False
    for position, char in enumerate(text):
        if char == '"':
            is_open = not is_open
        elif char == "#" and not is_open:
            return text[:position].rstrip(), False
    return text, is_open


def _define(line: Line, colang: Colang) -> Definition | None:
    found = _DEFINE.fullmatch(line.text.removesuffix(":"))
    if line.indent or found is None:
        is_define = line.text.startswith("define")
        message = (
            "This definition is not of a known form."
            if is_define
            else "This line belongs to no definition; NeMo would skip it in silence."
        )
        remedy = "Begin with `define user`, `define bot`, `define flow` or `define subflow` and a name of plain words."
        colang.findings.append(line.finding("not_read", message, remedy))
        return None
    _check_name(found[2], line, colang)
    definition = Definition(line, Kind(found[1]), found[2])
    colang.definitions.append(definition)
    return definition


def _check_name(name: str, line: Line, colang: Colang) -> None:
    for word in _READ_OTHERWISE.intersection(name.split(" ")):
        message = f"The word `{word}` inside a name means something else to NeMo."
        colang.findings.append(line.finding("name", message, "Choose another name."))


def _finish(definition: Definition | None, block: list[Line], colang: Colang) -> None:
    if definition is None:
        return
    if not block:
        message = f"Nothing stands below `{definition.line.text}`."
        remedy = "Write what belongs to it on the next lines, indented by two blanks."
        colang.findings.append(definition.line.finding("empty_block", message, remedy))
    elif definition.kind in (Kind.USER, Kind.BOT):
        for line in (one for one in block if not one.is_refused):
            found = _QUOTED.fullmatch(line.text)
            if found is None or not found[1].strip():
                message = f"Below `{definition.line.text}` only texts in quotes may stand, one in each line."
                colang.findings.append(line.finding("not_read", message, "Put the text in double quotes."))
            else:
                definition.texts.append((line, found[1]))
    else:
        definition.body = _Steps(block, colang).read(block[0].indent)


class _Steps:
    """Reads the indented lines of one flow."""

    def __init__(self, lines: list[Line], colang: Colang) -> None:
        self._lines = lines
        self._next = 0
        self._colang = colang

    def read(self, indent: int) -> list[Statement]:
        """Returns the steps that are indented by `indent`, each with those below it."""
        steps: list[Statement] = []
        while self._next < len(self._lines) and self._lines[self._next].indent >= indent:
            line = self._lines[self._next]
            self._next += 1
            if line.is_refused:
                self._skip_body(line)
            elif line.indent > indent:
                message = "The line is indented deeper than the one above, but nothing opens a block there."
                self._find(line, "indentation", message, "Line it up with the steps around it.")
            elif step := self._step(line):
                self._check_place(step, steps)
                self._read_body(step, indent)
                steps.append(step)
        if self._next < len(self._lines) and indent == self._lines[0].indent:
            message = "The line is indented less than the first step of its flow."
            self._find(self._lines[self._next], "indentation", message, "Line it up with the steps around it.")
            self._next = len(self._lines)
        return steps

    def _skip_body(self, line: Line) -> None:
        while self._next < len(self._lines) and self._lines[self._next].indent > line.indent:
            self._next += 1

    def _read_body(self, step: Statement, indent: int) -> None:
        has_body = self._next < len(self._lines) and self._lines[self._next].indent > indent
        if step.form in _OPENS and not has_body:
            message = f"Nothing stands below `{step.line.text}`, so the block is not closed properly."
            self._find(step.line, "empty_block", message, "Write the steps that belong to it below, indented deeper.")
        elif step.form in _OPENS:
            step.body = self.read(self._lines[self._next].indent)

    def _step(self, line: Line) -> Statement | None:
        text = line.text.removesuffix(":") if line.text.startswith(("if ", "else")) else line.text
        for form, pattern in _FORMS:
            if found := pattern.fullmatch(text):
                parts = found.groupdict()
                name = parts.get("name") or (found[1] if form in ("user", "bot", "do") else "")
                if form in ("user", "bot", "do"):
                    _check_name(name, line, self._colang)
                expression = parts.get("expression") or parts.get("args") or ""
                return Statement(line, form, name, parts.get("to") or "", expression)
        message = "This is not a step that a flow may have."
        known = "Known are: user, bot, do, if, else if, else, stop, return and `$name = value`."
        if line.text.startswith(("elif ", "elseif ", "elsif ")):
            known = "Write `else if`, in two words."
        self._find(line, "not_read", message, known)
        return None

    def _check_place(self, step: Statement, before: list[Statement]) -> None:
        if step.form in ("else", "else if") and (not before or before[-1].form not in ("if", "else if")):
            self._find(step.line, "else", "This `else` belongs to no `if`.", "Line it up with the `if` above it.")

    def _find(self, line: Line, code: str, message: str, remedy: str) -> None:
        self._colang.findings.append(line.finding(code, message, remedy))
