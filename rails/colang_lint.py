"""Checks Colang 1.0 text for everything that NeMo would notice too late, or never."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from rails.colang_expressions import check_arguments, check_expression
from rails.colang_reading import Colang, Definition, Kind, Line, Statement, read_colang
from rails.findings import Finding, Severity
from rails.lint_words import near
from rails.nemo import ColangInvalid, NemoColang, parse_colang
from rails.nemo_library import library_names

MAX_CHARS = 100_000
READABLE = frozenset({"user_message", "last_user_message", "language", "one_of_two", "one_of_three"})
"""What a condition may look at beside the flow's own values."""
_REFERENCES = {"user": Kind.USER, "bot": Kind.BOT, "do": Kind.SUBFLOW}
_LACKS = {
    Kind.USER: (
        "undefined_user",
        "no message can ever lead here",
        "Write `user topic NAME` with the name of a topic, or `user other message`.",
    ),
    Kind.BOT: (
        "undefined_bot",
        "the language model would make the answer up",
        "Add `define bot {name}` with its text.",
    ),
    Kind.SUBFLOW: ("undefined_flow", "the conversation would break off", "Add `define subflow {name}` with its steps."),
}


def lint_colang(
    text: str, *, actions: Collection[str] = (), intents: Collection[str] = (), above: int = 0
) -> tuple[Finding, ...]:
    """Returns what is wrong with the text, by its own lines; what messages say of lines counts those `above` it, too.

    `actions` are those that a flow may execute, `intents` the messages that reach flows without being defined here.
    """
    start = Line(1, 0, "")
    if len(text) > MAX_CHARS:
        return (start.finding("size", f"The text has more than {MAX_CHARS} characters.", "Shorten it."),)
    colang = read_colang(text)
    findings = list(colang.findings)
    if not findings and not any(one.kind is Kind.FLOW for one in colang.definitions):
        findings.append(start.finding("no_flow", "The text defines no flow, so nothing would happen.", "Add one."))
    findings += _Meaning(colang, actions, intents, above).findings()
    if not any(finding.is_error for finding in findings):
        findings += _as_nemo_reads(text, colang)
    return tuple(sorted(findings))


class _Meaning:
    """Looks at what the definitions say to each other."""

    def __init__(self, colang: Colang, actions: Collection[str], intents: Collection[str], above: int) -> None:
        self._definitions = colang.definitions
        self._is_whole = not colang.findings
        self._actions = actions
        self._intents = intents
        self._above = above
        self._by_name: dict[tuple[Kind, str], Definition] = {}
        self._used: set[tuple[Kind, str]] = set()

    def findings(self) -> Iterator[Finding]:
        """Gives what is wrong with the definitions and between them."""
        for definition in self._definitions:
            yield from self._name(definition)
        for definition in self._definitions:
            if definition.kind in (Kind.FLOW, Kind.SUBFLOW):
                yield from self._flow(definition)
            elif definition.kind is Kind.USER:
                message = "What people say stands under `topics`, where it is compared; here no message would reach it."
                yield definition.line.finding("user_here", message, "Make a topic of it, and write `user topic NAME`.")
            else:
                yield from self._texts(definition)
        yield from self._recursion()
        if self._is_whole:  # else what a broken line names would seem to be unused
            yield from self._unused()

    def _name(self, definition: Definition) -> Iterator[Finding]:
        names = [(definition.kind, definition.name)]
        if definition.kind in (Kind.FLOW, Kind.SUBFLOW):
            names = [(Kind.FLOW, definition.name), (Kind.SUBFLOW, definition.name)]
        if first := next((self._by_name[name] for name in names if name in self._by_name), None):
            line = first.line.number + self._above
            message = f"`{definition.name}` is defined already, in line {line}; one of the two would be lost."
            yield definition.line.finding("twice", message, "Keep one, or choose another name.")
        elif definition.name in library_names().definitions:
            message = f"`{definition.name}` is one of NeMo's own: redefining it can switch its checks off."
            yield definition.line.finding("system_flow", message, "Choose another name.")
        self._by_name.setdefault((definition.kind, definition.name), definition)

    def _texts(self, definition: Definition) -> Iterator[Finding]:
        if len(definition.texts) > 1:
            message = f"`{definition.line.text}` has a second text here, and NeMo would take one of them by chance."
            yield definition.texts[1][0].finding("two_texts", message, "Keep one text for each message.")
        for line, text in definition.texts:
            if "$" in text or "{" in text or "<" in text:
                message = (
                    "A `$`, brace or angle bracket in a text is filled in with what a person wrote, or not at all."
                )
                yield line.finding("variable_in_text", message, "Write the text without it.")

    def _flow(self, flow: Definition) -> Iterator[Finding]:
        if self._is_whole and flow.kind is Kind.FLOW and flow.body[0].form != "user":
            message = "This flow does not begin with what a person says, so it could begin at any moment."
            yield flow.line.finding("flow_start", message, "Let its first step be `user` and the name of a message.")
        yield from self._steps(flow.body, set(READABLE), is_start=flow.kind is Kind.FLOW)
        if self._is_whole and flow.kind is Kind.FLOW and not self._answers(flow.body, ()):
            message = "There is a way through this flow without an answer; the language model would make one up."
            yield flow.line.finding("no_answer", message, "End every way, `else` too, with `bot` and a message.")

    def _steps(self, steps: list[Statement], known: set[str], *, is_start: bool) -> Iterator[Finding]:
        for number, step in enumerate(steps):
            if step.form == "user" and (number or not is_start):
                message = "The flow would wait here for another message, but each message begins anew."
                yield step.line.finding("second_turn", message, "Write a flow of its own for that message.")
            if kind := _REFERENCES.get(step.form):
                yield from self._reference(step, kind)
            if step.form == "execute":
                yield from self._action(step, known)
            elif step.expression:
                yield from check_expression(step.line, step.expression, known)
            yield from self._steps(step.body, known, is_start=False)
            if step.variable:
                yield from _written(step)
                known.add(step.variable)

    def _reference(self, step: Statement, kind: Kind) -> Iterator[Finding]:
        self._used.add((kind, step.name))
        if (kind, step.name) in self._by_name or (kind is Kind.USER and step.name in self._intents):
            return
        code, effect, remedy = _LACKS[kind]
        known = [name for other, name in self._by_name if other is kind]
        known += self._intents if kind is Kind.USER else ()
        hint = f" {near(step.name, known)}" if known else ""
        message = f"`{step.name}` is not defined anywhere, so {effect}."
        yield step.line.finding(code, message, remedy.format(name=step.name) + hint)

    def _action(self, step: Statement, known: set[str]) -> Iterator[Finding]:
        if step.name not in self._actions:
            is_builtin = step.name in library_names().actions
            message = (
                f"The action `{step.name}` is NeMo's own and may call models, addresses and files."
                if is_builtin
                else f"There is no action `{step.name}`; a person would read of an internal error."
            )
            remedy = near(step.name, sorted(self._actions)) if self._actions else "Remove it: flows execute no actions."
            yield step.line.finding("builtin_action" if is_builtin else "undefined_action", message, remedy)
        yield from check_arguments(step.line, step.expression, known)

    def _answers(self, steps: list[Statement], inside: tuple[str, ...]) -> bool:
        """Whether every way through the steps says something."""
        branches: list[bool] = []
        for step in steps:
            if step.form == "bot":
                return True
            if step.form == "do" and step.name not in inside:
                flow = self._by_name.get((Kind.SUBFLOW, step.name))
                if flow is None or self._answers(flow.body, (*inside, step.name)):
                    return True  # one that is not defined is a finding of its own
            if step.form in ("stop", "return"):
                return False
            branches = [] if step.form not in ("else", "else if") else branches
            branches.append(self._answers(step.body, inside))
            if step.form == "else" and all(branches):
                return True
        return False

    def _recursion(self) -> Iterator[Finding]:
        calls = {one.name: set(_calls(one.body)) for one in self._definitions if one.kind is Kind.SUBFLOW}
        for (kind, name), definition in self._by_name.items():
            if kind is Kind.SUBFLOW and name in _reached(name, calls):
                message = f"`{name}` ends up calling itself, for ever."
                yield definition.line.finding("recursion", message, "Remove the `do` that leads back.")

    def _unused(self) -> Iterator[Finding]:
        starts: dict[str, Definition] = {}
        for flow in self._definitions:
            first = flow.body[0] if flow.kind is Kind.FLOW and flow.body else None
            if first is None or first.form != "user":
                continue
            if first.name in starts:
                line = starts[first.name].line.number + self._above
                message = f"The flow in line {line} begins with the same message, so this one would never run."
                yield flow.line.finding("two_flows", message, "Put the steps into one flow.")
            starts.setdefault(first.name, flow)
        for (kind, name), definition in self._by_name.items():
            if kind is Kind.USER and name not in starts:
                message = f"No flow begins with `user {name}`; the language model would make up what follows."
                yield definition.line.finding("no_flow", message, "Add a flow for it, or remove the message.")
            elif kind in (Kind.BOT, Kind.SUBFLOW) and (kind, name) not in self._used:
                finding = definition.line.finding("unused", f"`{name}` is used nowhere.", "Use it, or remove it.")
                yield replace(finding, severity=Severity.WARNING)


def _written(step: Statement) -> Iterator[Finding]:
    """Gives a value that is not the flow's to write: flows share all values with each other and with NeMo."""
    name = step.variable
    if name in READABLE:
        message = f"`${name}` is set by canongate for each message; the replies of other flows are chosen by it."
    elif name in library_names().variables or name.startswith("_"):
        message = f"`${name}` is a value of NeMo's own flows; setting it here would change what they do."
    else:
        return
    yield step.line.finding("context_switch", message, f"Choose another name, such as `$my_{name.lstrip('_')}`.")


def _calls(steps: list[Statement]) -> Iterator[str]:
    for step in steps:
        if step.form == "do":
            yield step.name
        yield from _calls(step.body)


def _reached(name: str, calls: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(calls.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += calls.get(one, ())
    return found


def _as_nemo_reads(text: str, colang: Colang) -> Iterator[Finding]:
    """Compares with NeMo's own reading: a line that it takes for something else must not become live."""
    try:
        nemo = parse_colang(text)
    except ColangInvalid as error:
        line = Line(error.line, 0, "")
        yield line.finding("syntax", f"NeMo cannot read this: {error}.", "Write it as in the examples.")
        return
    for definition in colang.definitions:
        yield from _differences(definition, nemo)


def _differences(definition: Definition, nemo: NemoColang) -> Iterator[Finding]:
    message = "NeMo would read this in another way than it is written."
    remedy = "Write it in plain words, without special characters."
    if definition.kind in (Kind.USER, Kind.BOT):
        messages = nemo.user_messages if definition.kind is Kind.USER else nemo.bot_messages
        if list(messages.get(definition.name, ())) != [text for _, text in definition.texts]:
            yield definition.line.finding("not_read", message, remedy)
        return
    read = nemo.flow_lines.get(definition.name, frozenset())
    for step in _flat(definition.body):
        if step.form not in ("else", "return") and step.line.number not in read:
            yield step.line.finding("not_read", message, remedy)


def _flat(steps: list[Statement]) -> Iterator[Statement]:
    for step in steps:
        yield step
        yield from _flat(step.body)
