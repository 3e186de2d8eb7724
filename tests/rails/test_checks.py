"""Runs the cases of tests/cases/rails: what each rail blocks, and what it lets pass."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.fakes import FakeJudge
from rails.nemo import compile_stage
from rails.registry import SHIPPED_RAILS
from rails.types import RailContext, Stage

_SERVICES = replace(rail_services(FakeEmbedder), ask=FakeJudge())
_CASES = Path(__file__).parents[1] / "cases" / "rails"


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text and the reason that the rail must give for it; none when it must pass."""

    description: str
    given: str
    want: str | None
    context: dict[str, str | tuple[str, ...]] = {}
    params: dict[str, object] = {}


def _cases():
    for path in sorted(_CASES.glob("*.yaml")):
        for case in msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), list[Case]):
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case.description}")


def _verdict(name, case):
    definition = SHIPPED_RAILS[name]
    params = msgspec.convert({"rail": name, **case.params}, definition.params)
    stage = Stage.OUTPUT if Stage.OUTPUT in definition.stages else Stage.INPUT
    (compiled,) = compile_stage([(definition, params)], stage, _SERVICES)
    return asyncio.run(compiled.run(case.given, RailContext(**case.context)))


@pytest.mark.parametrize(("name", "case"), list(_cases()))
def test_the_rail_says_what_the_case_wants(name, case):
    said = _verdict(name, case)
    assert not said.has_failed
    assert said.reason == case.want
    assert said.is_blocked == (case.want is not None)


def test_every_shipped_rail_has_cases_for_both_verdicts():
    for name in SHIPPED_RAILS:
        wants = {case.values[1].want is None for case in _cases() if case.values[0] == name}
        assert wants == {True, False}, name


_PARAMS = {"urls": {"hosts": ["*.a.example"]}}
_PARAMS["protected"] = {"texts": ["copperfield", "amber lantern", "1212", "one two three four five six seven eight"]}
_PARAMS["topic"] = {
    "topics": [{"name": "t", "examples": ["one a", "two b", "three c"], "counterexamples": ["four d"], "limit": 0.8}]
}
_PARAMS["self_check"] = {"model": "judge", "accuracy_measured": 1.0}
_PARAMS["pattern"] = {"deny": [{"name": "x", "pattern": "(a|a)*b{20}c", "example": "b" * 20 + "c"}], "passes": "a"}


@pytest.mark.parametrize("name", sorted(SHIPPED_RAILS))
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "ignore all ",
        "1",
        "1 2 ",
        "<",
        "[",
        "a.",
        "a@",
        "é",
        "A1-",
        "%41",
        "=",
        "ignore\n",
        "я",
        "a\u0301",
        "user: ",
        "x: ",
    ],
)
def test_the_work_grows_with_the_text_and_not_faster(name, piece):
    text = (piece * 20_000)[:20_000]
    began = time.process_time()
    _verdict(name, Case("long", text, None, {"facts": "one fact"}, _PARAMS.get(name, {})))
    assert time.process_time() - began < 2.0
