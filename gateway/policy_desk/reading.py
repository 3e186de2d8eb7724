"""What a policy does, prepared for a person to read: stage by stage, and against the policy that is live."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rails.changes import Change, ChangeKind, changes_between
from rails.definition import RAIL_FIELD, OnFail, RailParams, rail_name
from rails.describe import RailNote, describe_rails
from rails.errors import PolicyInvalid
from rails.policy import PolicyDocument, Streaming, load_policy
from rails.types import Stage
from rails.weakening import Weakening

_COMMON = (RAIL_FIELD, "on_fail", "monitor")
_MOST_CHARS = 160
"""Of a value in a sentence; whoever wants all of it reads the text."""


@dataclass(frozen=True, slots=True)
class SettingView:
    """A parameter with the value that takes effect."""

    name: str
    value: str
    """As it is written in a policy, cut when it is long."""
    is_default: bool
    doc: str
    """English, from the source of the rail; may be empty."""


@dataclass(frozen=True, slots=True)
class RailView:
    """One rail of a stage."""

    name: str
    on_fail: OnFail
    is_watching: bool
    """It decides and records, and stops nothing."""
    settings: tuple[SettingView, ...]

    @property
    def own(self) -> tuple[SettingView, ...]:
        """Settings that are not the rail's defaults."""
        return tuple(one for one in self.settings if not one.is_default)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A whole policy."""

    stages: Mapping[Stage, tuple[RailView, ...]]
    refusals: Mapping[str, Mapping[str, str]]
    """Language, then rail or `default`, then the text."""
    is_streaming: bool
    """Whether sentences are shown before the whole answer is checked."""
    topics: int
    """Of the dialog."""
    tests: int
    problem: str = ""
    """Why it cannot be read as a policy, in English; everything else is then empty."""

    @property
    def watching(self) -> int:
        """How many rails only watch."""
        return sum(rail.is_watching for rails in self.stages.values() for rail in rails)

    @property
    def rails(self) -> int:
        """How many rails there are."""
        return sum(map(len, self.stages.values()))


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a draft would change of what is live."""

    kind: ChangeKind
    stage: Stage | None
    what: str
    parameter: str
    before: str
    after: str
    weakening: Weakening


def view_of(document: Mapping[str, Any]) -> PolicyView:
    """Returns a policy as people read it; one that is not in order says why."""
    try:
        policy = load_policy(document)
    except PolicyInvalid as error:
        return PolicyView({}, {}, is_streaming=False, topics=0, tests=0, problem=str(error))
    notes = {note.name: note for note in describe_rails()}
    return PolicyView(
        stages={stage: tuple(_rail(one, notes) for one in _of_stage(policy, stage)) for stage in Stage},
        refusals=policy.refusals,
        is_streaming=policy.streaming is Streaming.CHECKED_SENTENCES,
        topics=len(policy.dialog.topics) if policy.dialog else 0,
        tests=len(policy.tests),
    )


def differences(live: Mapping[str, Any] | None, draft: Mapping[str, Any]) -> tuple[Difference, ...] | None:
    """Returns what the draft changes of what runs; None when one of the two cannot be read as a policy."""
    try:
        found = changes_between(load_policy(live) if live is not None else None, load_policy(draft))
    except PolicyInvalid:
        return None
    return tuple(map(_difference, found))


def weakenings(found: tuple[Difference, ...] | None) -> tuple[Difference, ...]:
    """Returns those after which less may be stopped."""
    return tuple(one for one in found or () if one.weakening is not Weakening.NO)


def _of_stage(policy: PolicyDocument, stage: Stage) -> tuple[RailParams, ...]:
    return policy.input if stage is Stage.INPUT else policy.output


def _rail(params: RailParams, notes: Mapping[str, RailNote]) -> RailView:
    name = rail_name(params)
    return RailView(name, params.on_fail, params.monitor, tuple(_settings(params, notes[name])))


def _settings(params: RailParams, note: RailNote) -> Iterator[SettingView]:
    docs = {one.name: one.doc for one in note.parameters}
    for field in msgspec.structs.fields(type(params)):
        if field.name in _COMMON:
            continue
        value = getattr(params, field.name)
        default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        yield SettingView(field.encode_name, written(value), value == default, docs.get(field.encode_name, ""))


def _difference(change: Change) -> Difference:
    before, after = _cases(change.before, change.after) if change.what == "tests" else (change.before, change.after)
    return Difference(
        change.kind,
        change.stage,
        change.what,
        change.parameter or "",
        "" if before is None else written(before),
        "" if after is None else written(after),
        change.weakening,
    )


def _cases(before: Any, after: Any) -> tuple[list[str] | None, list[str] | None]:
    """Returns the texts of the tests that the other side lacks, None for none."""
    old, new = list(before or ()), list(after or ())
    gone, come = ([str(one["text"]) for one in ours if one not in theirs] for ours, theirs in ((old, new), (new, old)))
    return gone or None, come or None


def written(value: Any) -> str:
    """Returns a value for reading: texts with commas between them, names with their texts behind a colon."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, list | tuple) and all(isinstance(one, str) for one in plain):
        text = ", ".join(plain)
    elif isinstance(plain, dict) and all(isinstance(one, str) for one in plain.values()):
        text = ", ".join(f"{name}: {one}" for name, one in plain.items())
    else:
        text = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"
