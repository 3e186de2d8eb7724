"""The policy document: which rails run on a message and on an answer, and what a refused person is told."""

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rails.cases import Cases, Expected, PolicyCase
from rails.definition import RAIL_FIELD, OnFail, RailParams, rail_name
from rails.dialog_document import Dialog, check_dialog
from rails.errors import PolicyInvalid
from rails.json_schema import portable_schema
from rails.registry import SHIPPED_RAILS
from rails.types import Stage

DEFAULT_REFUSAL = "default"
"""The key of the refusal text that serves every rail without one of its own."""

PolicyName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]
"""Also the name of its file, and of its rows."""
LanguageTag = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
RefusalText = Annotated[str, Meta(min_length=1, max_length=1000)]
Refusals = Annotated[dict[LanguageTag, dict[str, RefusalText]], Meta(min_length=1)]


class Streaming(StrEnum):
    """How an answer may reach a person who waits for it."""

    WHOLE_ANSWER = "whole_answer"
    """All of it, once the output rails let all of it pass."""
    CHECKED_SENTENCES = "checked_sentences"
    """Sentence by sentence, each once the output rails let everything up to it pass."""


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One policy as it is written, reviewed and stored; `load_policy` is the way to one."""

    name: str
    input: tuple[RailParams, ...]
    """Rails on the person's message, in the order in which they run."""
    output: tuple[RailParams, ...]
    """Rails on the model's answer, in the order in which they run."""
    refusals: dict[str, dict[str, str]]
    """Language, then rail or `default`, then the text that a person gets."""
    streaming: Streaming = Streaming.WHOLE_ANSWER
    dialog: Dialog | None = None
    """What greetings, thanks and the like are answered with."""
    tests: tuple[PolicyCase, ...] = ()
    """Tried before the policy is activated; one that fares otherwise keeps it from being live."""


class _Frame(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy without its rails, whose types depend on what is shipped."""

    name: PolicyName
    input: list[dict[str, Any]]
    output: list[dict[str, Any]]
    refusals: Refusals
    streaming: Streaming = Streaming.WHOLE_ANSWER
    dialog: Dialog | None = None
    tests: Cases = ()


def form_of_policies() -> type[msgspec.Struct]:
    """Returns the form of a policy but for its rails, whose forms are theirs."""
    return _Frame


def load_policy(mapping: Mapping[str, Any]) -> PolicyDocument:
    """Returns the policy that `mapping` (parsed YAML or JSON) describes.

    Raises `PolicyInvalid`; its message names the place and the remedy.
    """
    if not isinstance(mapping, Mapping):
        raise PolicyInvalid("a policy is a mapping with the keys name, input, output and refusals.")
    _check_keys("the policy", mapping, _Frame.__struct_fields__)
    for stage in Stage:
        _check_stage(stage, mapping.get(stage.value))
    try:
        frame = msgspec.convert(dict(mapping), _Frame)
        rails = {stage: _rails(stage, mapping[stage.value]) for stage in Stage}
    except msgspec.ValidationError as error:
        raise PolicyInvalid(f"the policy does not fit its form: {error}. See the schema of policies.") from error
    document = PolicyDocument(
        name=frame.name,
        input=rails[Stage.INPUT],
        output=rails[Stage.OUTPUT],
        refusals=frame.refusals,
        streaming=frame.streaming,
        dialog=frame.dialog,
        tests=frame.tests,
    )
    if document.dialog is not None:
        check_dialog(document.dialog)
    _check_on_fail(document)
    _check_refusals(document)
    _check_tests(document)
    return document


def policy_schema() -> dict[str, Any]:
    """Returns the JSON Schema (2020-12) of a policy document, with the rails that are shipped."""
    types = [_Frame, *(definition.params for definition in SHIPPED_RAILS.values())]
    (frame, *rails), parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    schema = dict(parts.pop(frame["$ref"].rpartition("/")[2]))
    schema["properties"] = dict(schema["properties"])
    for stage in Stage:
        known = [
            rail for rail, definition in zip(rails, SHIPPED_RAILS.values(), strict=True) if stage in definition.stages
        ]
        schema["properties"][stage.value] = {"type": "array", "minItems": 1, "items": {"anyOf": known}}
    words = {"title": "Policy", "description": "Which rails run on a message and on an answer."}
    return dict(portable_schema({**schema, **words, "$defs": parts}))


def _rails(stage: Stage, entries: Iterable[Mapping[str, Any]]) -> tuple[RailParams, ...]:
    found = []
    for position, entry in enumerate(entries):
        try:
            found.append(msgspec.convert(dict(entry), SHIPPED_RAILS[entry[RAIL_FIELD]].params))
        except msgspec.ValidationError as error:
            words, _, at = str(error).partition(" - at `$")
            raise msgspec.ValidationError(f"{words} - at `$.{stage.value}[{position}]{at or '`'}") from error
    return tuple(found)


def _check_stage(stage: Stage, entries: Any) -> None:
    if not isinstance(entries, list | tuple) or not entries:
        raise PolicyInvalid(
            f"{stage.value}: a policy needs at least one rail here. Add one, such as {_example(stage)}."
        )
    seen: set[str] = set()
    for position, entry in enumerate(entries):
        place = f"{stage.value}[{position}]"
        if not isinstance(entry, Mapping) or not isinstance(entry.get(RAIL_FIELD), str):
            raise PolicyInvalid(f"{place}: an entry is a mapping that names its rail, such as {_example(stage)}.")
        name = entry[RAIL_FIELD]
        definition = SHIPPED_RAILS.get(name)
        if definition is None:
            raise PolicyInvalid(f"{place}: there is no rail {name!r}. {_suggest(name, _names(stage))}")
        if stage not in definition.stages:
            there = " and ".join(sorted(other.value for other in definition.stages))
            raise PolicyInvalid(f"{place}: the rail {name!r} cannot run on {stage.value}. Move it to {there}.")
        if name in seen:
            raise PolicyInvalid(f"{place}: the rail {name!r} is here already. Keep one, with all its parameters.")
        seen.add(name)
        _check_keys(f"{place}, rail {name!r}", entry, (RAIL_FIELD, *definition.params.__struct_fields__))


def _check_on_fail(document: PolicyDocument) -> None:
    for stage, rails in ((Stage.INPUT, document.input), (Stage.OUTPUT, document.output)):
        for position, params in enumerate(rails):
            place = f"{stage.value}[{position}], rail {rail_name(params)!r}"
            if params.on_fail is OnFail.TRANSFORM and not SHIPPED_RAILS[rail_name(params)].may_rewrite:
                raise PolicyInvalid(f"{place}: it can only let pass or block. Take `on_fail: transform` away.")
            if params.on_fail is OnFail.CLARIFY and stage is Stage.OUTPUT:
                raise PolicyInvalid(f"{place}: nobody can be asked about an answer. Use `on_fail: block` here.")
        if all(params.monitor for params in rails):
            raise PolicyInvalid(f"{stage.value}: every rail only watches. Set `monitor: false` for one at least.")


def _check_refusals(document: PolicyDocument) -> None:
    used = {rail_name(params) for params in (*document.input, *document.output)}
    for language, texts in document.refusals.items():
        place = f"refusals.{language}"
        if DEFAULT_REFUSAL not in texts:
            raise PolicyInvalid(f"{place}: the text for every other case is missing. Add `{DEFAULT_REFUSAL}`.")
        for name, text in texts.items():
            if name not in used and name != DEFAULT_REFUSAL:
                raise PolicyInvalid(f"{place}: this policy runs no rail {name!r}. {_suggest(name, sorted(used))}")
            if not text.strip():
                raise PolicyInvalid(f"{place}.{name}: the text is blank. Write what a person should read.")


def _check_tests(document: PolicyDocument) -> None:
    for position, case in enumerate(document.tests):
        rails = document.input if case.stage is Stage.INPUT else document.output
        used = [rail_name(params) for params in rails]
        if case.by is not None and case.expect is Expected.PASSED:
            raise PolicyInvalid(f"tests[{position}].by: a text that passes is stopped by no rail. Take `by` away.")
        if case.by is not None and case.by not in used:
            raise PolicyInvalid(
                f"tests[{position}].by: no rail {case.by!r} runs on {case.stage.value}. {_suggest(case.by, used)}"
            )


def _check_keys(place: str, mapping: Mapping[str, Any], known: Iterable[str]) -> None:
    allowed = tuple(known)
    for key in mapping:
        if key not in allowed:
            raise PolicyInvalid(f"{place}: {key!r} is not known here. {_suggest(str(key), allowed)}")


def _suggest(word: str, known: Iterable[str]) -> str:
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(choices)}."


def _names(stage: Stage) -> list[str]:
    return [name for name, definition in SHIPPED_RAILS.items() if stage in definition.stages]


def _example(stage: Stage) -> str:
    return f"`{{{RAIL_FIELD}: {_names(stage)[0]}}}`"
