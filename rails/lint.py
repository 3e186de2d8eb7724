"""Checks the written text of a policy, and names every mistake with its place and what to do about it.

The trapdoors of NeMo Guardrails are the reason: a misspelt key there drops a rail in silence, and a configuration can
run code, read files and send out secrets. Nothing here runs anything that a policy says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from rails.cases import Expected, PolicyCase
from rails.colang_lint import lint_colang
from rails.definition import RAIL_FIELD, OnFail
from rails.dialog_colang import NO_TOPIC, intent_of
from rails.errors import PolicyInvalid
from rails.findings import Finding, Severity, has_errors
from rails.lint_places import placed, plain_number
from rails.lint_words import cut, misspelt, near, type_findings
from rails.policy import DEFAULT_REFUSAL, form_of_policies, load_policy, policy_schema
from rails.registry import SHIPPED_RAILS
from rails.types import Stage
from rails.yaml_text import Place, YamlText, read_yaml_text

_DIALOG = "dialog"
_NEMO_KEYS = {
    "import_paths": "NeMo would run every Python file that it finds there.",
    "models": "NeMo would send a key from the server's environment to the address that stands there.",
    "actions_server_url": "NeMo would send what people write, and the verdict on it, to that address.",
    "rails": "NeMo's list of flows; a rail that is misspelt in it is dropped in silence.",
    "colang_version": "which Colang is read is not a policy's choice: it is 1.0.",
    "core": "NeMo would write files or load other parts as it says there.",
    "tracing": "NeMo would write files as it says there.",
    "knowledge_base": "facts belong to approved prompts.",
    "docs": "facts belong to approved prompts.",
    "instructions": "what the model is told belongs to the assistant.",
    "prompts": "what the model is told belongs to approved prompts.",
    "sample_conversation": "what the model is told belongs to approved prompts.",
    "passthrough": "how the model is called is not a policy's choice.",
    "config_path": "NeMo would read files from there.",
    "custom_data": "NeMo would hand it to code that is not here.",
    "enable_rails_exceptions": "how a stop is told is not a policy's choice.",
    "flows": "NeMo's form of flows; dialog flows are Colang text under `dialog`.",
    "bot_messages": "NeMo's form of answers; they are Colang text under `dialog`.",
    "user_messages": "NeMo's form of examples; they are Colang text under `dialog`.",
}
_TEMPLATE = ("{{", "{%", "{#")
_PARTS = ("name", "input", "output", "refusals")


def lint_policy(text: str) -> tuple[Finding, ...]:
    """Returns everything that is wrong with the text of a policy, in the order of the file."""
    read = read_yaml_text(text)
    if read.findings:
        return tuple(sorted(plain_number(finding) for finding in read.findings))
    policy = _Policy(read)
    findings = sorted(policy.findings())
    told = {(finding.line, finding.column) for finding in findings if finding.is_error}
    findings = sorted([*findings, *(one for one in policy.form() if (one.line, one.column) not in told)])
    if not has_errors(findings):
        findings += _last_look(read)
    return tuple(findings)


def _last_look(text: YamlText) -> Iterator[Finding]:
    """Loads the policy as the gateway does: what it refuses cannot be activated, whatever was found before."""
    try:
        load_policy(text.value)
    except PolicyInvalid as error:
        yield placed(f"{error}", text)


class _Policy:
    """One policy under the eyes of the linter."""

    def __init__(self, text: YamlText) -> None:
        self._text = text
        self._stages: dict[Stage, list[str]] = {stage: [] for stage in Stage}

    def findings(self) -> Iterator[Finding]:
        """Gives what is wrong, part by part."""
        value = self._text.value
        if not isinstance(value, dict):
            what = "The file is empty." if value is None else "The file is not a policy."
            remedy = "A policy has the names `name`, `input`, `output` and `refusals`, each with a colon behind it."
            yield Place().finding("policy.not_a_mapping", what, remedy)
            return
        yield from self._keys(value)
        for stage in Stage:
            if stage.value in value:
                yield from self._stage(stage, value[stage.value])
        yield from self._refusals(value.get("refusals"))
        yield from self._dialog(value.get(_DIALOG))
        yield from self._tests(value.get("tests"))

    def _keys(self, value: Mapping[str, Any]) -> Iterator[Finding]:
        known = tuple(policy_schema()["properties"])
        meant = misspelt((key for key in value if key not in (*known, *_NEMO_KEYS)), (*_PARTS, _DIALOG))
        for key in value:
            place = self._text.name(key)
            if key not in known and key in _NEMO_KEYS:
                message = f"`{key}` belongs to NeMo's own configuration and is never read here: {_NEMO_KEYS[key]}"
                yield place.finding("policy.nemo_key", message, "Remove it.")
            elif key not in known:
                message = f"`{key}` is not known here, so all that stands under it would do nothing."
                yield place.finding("policy.unknown_key", message, near(key, known))
        for part in _PARTS:
            if part not in value and part not in meant:
                missing = f"`{part}` is missing, and a policy cannot do without it."
                yield Place().finding("policy.missing_key", missing, f"Add `{part}:` with what belongs to it.")

    def form(self) -> Iterator[Finding]:
        """Gives every value that is not of its form, outside of the rails and of what has words of its own."""
        value, form = self._text.value, form_of_policies()
        if not isinstance(value, dict):
            return
        known = {key: value[key] for key in value if key in form.__struct_fields__ and key != "tests"}
        whole = known | {stage.value: [] for stage in Stage}
        for finding in type_findings(whole, form, (), self._text, part="policy"):
            if finding.code != "policy.missing_parameter" or finding.line > 1:
                yield finding

    def _stage(self, stage: Stage, entries: Any) -> Iterator[Finding]:
        at = self._text.at(stage.value)
        example = f"`- {{{RAIL_FIELD}: {_plainest_rail_of(stage)}}}`"
        if not isinstance(entries, list) or not entries:
            message = f"No rail stands under `{stage.value}`, so everything would pass unchecked."
            yield at.finding("stage.empty", message, f"Add a list with one rail at least, such as {example}.")
            return
        for position, entry in enumerate(entries):
            yield from self._entry(stage, position, entry, example)
        modes = [entry.get("monitor") is True for entry in entries if isinstance(entry, dict)]
        if modes and all(modes):
            message = f"Every rail under `{stage.value}` only watches (`monitor: true`), so nothing would be stopped."
            yield at.finding("stage.only_watches", message, "Set `monitor: false` for one rail at least.")

    def _entry(self, stage: Stage, position: int, entry: Any, example: str) -> Iterator[Finding]:
        at, name = self._text.at(stage.value, position), entry.get(RAIL_FIELD) if isinstance(entry, dict) else None
        if not isinstance(entry, dict):
            like = f"`- {{{RAIL_FIELD}: {entry}}}`" if entry in _rails_of(stage) else f"it like {example}"
            yield at.finding("rail.not_an_entry", "This entry does not name a rail.", f"Write {like}.")
        elif RAIL_FIELD in entry and not isinstance(name, str):
            message = f"The name of a rail must stand behind `{RAIL_FIELD}:`, so nothing would be checked here."
            place = self._text.at(stage.value, position, RAIL_FIELD)
            yield place.finding("rail.not_named", message, near("", _rails_of(stage)))
        elif not isinstance(name, str):
            wrong = next(iter(entry), RAIL_FIELD)
            message = f"This entry has no `{RAIL_FIELD}:`, so its rail would not run; its first word is `{wrong}`."
            first, _, rest = str(wrong).partition(" ")
            like = f"`- {{{RAIL_FIELD}: {rest}}}`" if first == RAIL_FIELD and rest in _rails_of(stage) else example
            remedy = f"Begin it with `{RAIL_FIELD}:`, colon and blank, like {like}."
            yield self._text.name(stage.value, position, wrong).finding("rail.not_named", message, remedy)
        elif name not in SHIPPED_RAILS:
            message = f"There is no rail `{name}`, so nothing would be checked here."
            place = self._text.at(stage.value, position, RAIL_FIELD)
            yield place.finding("rail.unknown", message, near(name, _rails_of(stage)))
        else:
            yield from self._rail(stage, position, entry, name)

    def _rail(self, stage: Stage, position: int, entry: Mapping[str, Any], name: str) -> Iterator[Finding]:
        path, definition = (stage.value, position), SHIPPED_RAILS[name]
        at = self._text.at(*path, RAIL_FIELD)
        if stage not in definition.stages:
            there = " and ".join(f"`{other.value}`" for other in Stage if other in definition.stages)
            yield at.finding("rail.wrong_stage", f"The rail `{name}` cannot run here.", f"Move it to {there}.")
        if name in self._stages[stage]:
            message = f"The rail `{name}` stands here for the second time."
            yield at.finding("rail.twice", message, "Keep one entry, with all its parameters.")
        self._stages[stage].append(name)
        unknown = [key for key in entry if key not in (RAIL_FIELD, *definition.params.__struct_fields__)]
        for key in unknown:
            message = f"The rail `{name}` has no parameter `{key}`, so it would do nothing."
            remedy = near(key, definition.params.__struct_fields__)
            yield self._text.name(*path, key).finding("rail.unknown_parameter", message, remedy)
        known = {key: value for key, value in entry.items() if key not in unknown}
        if wrong := list(type_findings(known, definition.params, path, self._text)):
            yield from wrong
            return
        params = msgspec.convert(known, definition.params)
        mode = self._text.at(*path, "on_fail")
        if params.on_fail is OnFail.TRANSFORM and not definition.may_rewrite:
            message = f"The rail `{name}` cannot change a text: it lets pass or blocks."
            yield mode.finding("rail.cannot_transform", message, "Take `on_fail: transform` away.")
        if params.on_fail is OnFail.CLARIFY and stage is Stage.OUTPUT:
            message = "Nobody can be asked for other words about an answer of the model."
            yield mode.finding("rail.cannot_clarify", message, "Use `on_fail: block` here.")

    def _refusals(self, refusals: Any) -> Iterator[Finding]:
        if not isinstance(refusals, dict) or not refusals:
            if refusals is not None or "refusals" in self._text.value:
                message = "There is no text, with its language, for people whose message is stopped."
                remedy = "Write one for each language: `en:`, and below it `default: Sorry, ...`."
                yield self._text.at("refusals").finding("refusals.none", message, remedy)
            return
        used = {name for names in self._stages.values() for name in names}
        for language, texts in refusals.items():
            at = self._text.name("refusals", language)
            if not isinstance(texts, dict):
                message = f"The texts of `{language}` are not given by name."
                place = self._text.at("refusals", language)
                yield place.finding("refusals.form", message, "Write `default: Sorry, ...` on a line below it.")
                continue
            if DEFAULT_REFUSAL not in texts:
                message = f"`{language}` has no `{DEFAULT_REFUSAL}` text, for rails without one of their own."
                yield at.finding("refusals.no_default", message, f"Add `{DEFAULT_REFUSAL}: Sorry, ...`.")
            for name, said in texts.items():
                yield from self._refusal(language, name, said, used)

    def _refusal(self, language: str, name: str, said: Any, used: set[str]) -> Iterator[Finding]:
        at = self._text.at("refusals", language, name)
        if name != DEFAULT_REFUSAL and name not in used:
            message = f"This policy runs no rail `{name}`, so nobody would ever read this text."
            place = self._text.name("refusals", language, name)
            yield place.finding("refusals.unknown_rail", message, near(name, sorted({*used, DEFAULT_REFUSAL})))
        if said is None or (isinstance(said, str) and not said.strip()):
            message = "A person who is stopped here would read nothing."
            yield at.finding("refusals.blank", message, "Write what a person should read, as text.")
        elif isinstance(said, str) and any(mark in said for mark in _TEMPLATE):
            message = "Braces are not filled in: people would read them as they stand."
            yield at.finding("refusals.template", message, "Write the text without {{ }} and {% %}.")

    def _tests(self, tests: Any) -> Iterator[Finding]:
        if not tests:
            message = "The policy has no `tests`, so nobody would notice when an edit changes what is stopped."
            remedy = "Add texts with what must become of them, such as `- {text: ..., stage: input, expect: blocked}`."
            yield replace(Place().finding("tests.none", message, remedy), severity=Severity.WARNING)
        if tests and not isinstance(tests, list):
            message = "`tests` must be a list, and none of what stands here would be tried."
            remedy = "Begin each test with a hyphen: `- {text: ..., stage: input, expect: blocked}`."
            yield self._text.at("tests").finding("tests.form", message, remedy)
            return
        for position, case in enumerate(tests or ()):
            if wrong := list(type_findings(case, PolicyCase, ("tests", position), self._text, part="tests")):
                yield from wrong
                continue
            read = msgspec.convert(case, PolicyCase)
            at, used = self._text.at("tests", position, "by"), self._stages[read.stage]
            if read.by is not None and read.expect is Expected.PASSED:
                yield at.finding("tests.by", "A text that passes is stopped by no rail.", "Take `by` away.")
            elif read.by is not None and read.by not in used:
                message = (
                    f"Test {position + 1} of the policy's own tests (“{cut(read.text)}”) wants to be stopped by the "
                    f"rail `{read.by}`. No rail `{read.by}` runs on `{read.stage.value}` here."
                )
                remedy = f"Take the test out, put the rail back, or name one that runs. {near(read.by, used)}"
                yield at.finding("tests.by", message, remedy)

    def _dialog(self, dialog: Any) -> Iterator[Finding]:
        colang = dialog.get("colang") if isinstance(dialog, dict) else None
        if not isinstance(colang, str):
            return  # what else a dialog may be is the last look's business
        block = self._text.block(_DIALOG, "colang")
        topics = dialog.get("topics")
        names = [one.get("name") for one in topics if isinstance(one, dict)] if isinstance(topics, list) else []
        intents = (NO_TOPIC, *(intent_of(str(name)) for name in names))
        above = block.place.line if block.is_block else 0
        for finding in lint_colang(colang, intents=intents, above=above):
            if block.is_block:
                line = block.place.line + finding.line
                column = finding.column + self._indentation(line, colang, finding.line)
                yield replace(finding, line=line, column=column)
            else:
                message = f"Line {finding.line} of this text: {finding.message}"
                yield replace(finding, line=block.place.line, column=block.place.column, message=message)

    def _indentation(self, line: int, colang: str, inner: int) -> int:
        """Returns how far the lines of a block are moved to the right in the file."""
        written = self._text.line(line)
        own = colang.split("\n")[inner - 1] if inner <= colang.count("\n") + 1 else ""
        return max(0, len(written) - len(own))


def _rails_of(stage: Stage) -> list[str]:
    return [name for name, one in SHIPPED_RAILS.items() if stage in one.stages]


def _plainest_rail_of(stage: Stage) -> str:
    """Returns a rail that needs no parameters, so that an entry with its name alone is right."""
    return next(
        name
        for name in _rails_of(stage)
        if not any(field.required for field in msgspec.structs.fields(SHIPPED_RAILS[name].params))
    )
