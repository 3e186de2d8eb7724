"""What a new policy changes in what runs, against the one that is live."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from rails.definition import RailParams, rail_name
from rails.difference_words import differences_in_words, shortened
from rails.policy import PolicyDocument, Streaming
from rails.types import Stage
from rails.weakening import Weakening, weakening_of

_MODES = ("monitor", "on_fail")


class ChangeKind(StrEnum):
    """What differs."""

    ADDED = "added"
    REMOVED = "removed"
    PARAMETER = "parameter"
    MODE = "mode"
    """What becomes of a text that does not pass, or whether the rail only watches."""
    ORDER = "order"
    OUTSIDE = "outside"
    """Something beside the rails: refusal texts, streaming, dialog, tests."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    kind: ChangeKind
    stage: Stage | None
    """None for what belongs to no stage."""
    what: str
    """The rail, or the part of the policy."""
    parameter: str | None
    before: Any
    """As in the document; None for what was not there."""
    after: Any

    @property
    def weakening(self) -> Weakening:
        """Whether less is stopped than before."""
        match self.kind:
            case ChangeKind.REMOVED:
                return Weakening.YES
            case ChangeKind.MODE:
                is_let_on = (self.parameter, self.after) in (("monitor", True), ("on_fail", "transform"))
                return Weakening.YES if is_let_on else Weakening.NO
            case ChangeKind.PARAMETER:
                return weakening_of(self.what, str(self.parameter), self.before, self.after)
            case ChangeKind.OUTSIDE:
                return _weakening_outside(self.what, self.before, self.after)
            case _:
                return Weakening.NO

    @property
    def weakens(self) -> bool:
        """Whether less is certainly stopped than before."""
        return self.weakening is Weakening.YES

    def __str__(self) -> str:
        place = f"{self.stage.value}: " if self.stage else ""
        match self.kind:
            case ChangeKind.ADDED:
                return f"{place}{self.what} is added ({shortened(self.after)})"
            case ChangeKind.REMOVED:
                return f"{place}{self.what} is removed"
            case ChangeKind.ORDER:
                return f"{place}the order becomes {', '.join(self.after)}"
            case _:
                name = f"{self.what}.{self.parameter}" if self.parameter else self.what
                return f"{place}{differences_in_words(name, self.before, self.after)}"


def changes_between(live: PolicyDocument | None, new: PolicyDocument) -> tuple[Change, ...]:
    """Returns every difference in what takes effect, stage by stage; defaults count as if they were written."""
    return (*(change for stage in Stage for change in _stage(stage, live, new)), *_outside(live, new))


def _stage(stage: Stage, live: PolicyDocument | None, new: PolicyDocument) -> Iterator[Change]:
    before, after = ({} if live is None else _rails(live, stage)), _rails(new, stage)
    for name in before:
        if name not in after:
            yield Change(ChangeKind.REMOVED, stage, name, None, before[name], None)
    for name, params in after.items():
        if name not in before:
            yield Change(ChangeKind.ADDED, stage, name, None, None, params)
            continue
        for key in params:
            if before[name].get(key) != params[key]:
                kind = ChangeKind.MODE if key in _MODES else ChangeKind.PARAMETER
                yield Change(kind, stage, name, key, before[name].get(key), params[key])
    kept_before = [name for name in before if name in after]
    if kept_before != [name for name in after if name in before]:
        yield Change(ChangeKind.ORDER, stage, "rails", None, list(before), list(after))


def _outside(live: PolicyDocument | None, new: PolicyDocument) -> Iterator[Change]:
    before = {} if live is None else _parts(live)
    for name, value in _parts(new).items():
        if live is not None and before.get(name) != value:
            yield Change(ChangeKind.OUTSIDE, None, name, None, before.get(name), value)


def _rails(document: PolicyDocument, stage: Stage) -> dict[str, dict[str, Any]]:
    rails = document.input if stage is Stage.INPUT else document.output
    return {rail_name(params): _written(params) for params in rails}


def _written(params: RailParams) -> dict[str, Any]:
    """Returns every parameter with its value, in the form of the document."""
    return {name: msgspec.to_builtins(getattr(params, name)) for name in params.__struct_fields__}


def _parts(document: PolicyDocument) -> Mapping[str, Any]:
    names = (name for name in document.__struct_fields__ if name not in ("name", *(stage.value for stage in Stage)))
    return {name: msgspec.to_builtins(getattr(document, name)) for name in names}


def _weakening_outside(what: str, before: Any, after: Any) -> Weakening:
    if what == "tests":
        return Weakening.YES if any(case not in after for case in before) else Weakening.NO
    if what == "streaming":  # what has left before the whole answer was checked cannot be taken back
        return Weakening.YES if after == Streaming.CHECKED_SENTENCES else Weakening.NO
    return Weakening.NO
