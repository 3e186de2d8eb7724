"""Tests of the policy document: what it takes, and what its errors say."""

import copy
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml

from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.engine import compile_policy
from rails.errors import PolicyInvalid
from rails.fakes import FakeJudge
from rails.policy import load_policy, policy_schema
from rails.registry import SHIPPED_RAILS
from rails.types import Stage

_SERVICES = rail_services(FakeEmbedder)
_EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk" / "policies" / "helpdesk.yaml"
_GOOD = {
    "name": "small",
    "input": [{"rail": "length", "max_chars": 100}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No.", "injection": "Not that."}},
}


def _changed(path, value):
    document = copy.deepcopy(_GOOD)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def test_a_good_policy_loads_and_keeps_its_order_and_parameters():
    document = load_policy(_GOOD)
    assert [type(params).__name__ for params in document.input] == ["LengthParams", "InjectionParams"]
    assert document.input[0].max_chars == 100


def test_the_example_policy_compiles_and_fits_the_schema():
    mapping = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(policy_schema()).validate(mapping)
    policy = compile_policy(load_policy(mapping), 1, services=_SERVICES)
    assert policy.rails(Stage.INPUT)[0] == "length"
    assert "grounding" in policy.rails(Stage.OUTPUT)


@pytest.mark.parametrize("name", sorted(SHIPPED_RAILS))
def test_every_shipped_rail_passes_its_own_probes_at_each_of_its_stages(name):
    extra = {
        "urls": {"hosts": ["help.example"]},
        "protected": {"texts": ["amber lantern", "XK-4471"]},
        "pattern": {"deny": [{"name": "x", "pattern": "codename", "example": "the codename"}], "passes": "hello"},
        "topic": {
            "topics": [
                {
                    "name": "stars",
                    "examples": ["Read my horoscope", "What do the stars say?", "Is Leo a good match for me?"],
                    "counterexamples": ["How far is the nearest star?"],
                    "limit": 0.5,
                }
            ]
        },
        "self_check": {"model": "judge", "accuracy_measured": 0.95, "message_reaches_model": True},
    }
    entry = {"rail": name, **extra.get(name, {})}
    for stage in SHIPPED_RAILS[name].stages:
        document = copy.deepcopy(_GOOD)
        document[stage.value] = [entry]
        document["refusals"] = {"en": {"default": "No."}}
        services = replace(_SERVICES, ask=FakeJudge())
        assert name in compile_policy(load_policy(document), 1, services=services).rails(stage)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("input",), [], "input: a policy needs at least one rail here. Add one, such as"),
        (("output",), None, "output: a policy needs at least one rail here"),
        (("input", 1), {"rail": "injektion"}, r"input\[1\]: there is no rail 'injektion'. Did you mean 'injection'\?"),
        (("input", 1), {"rail": "zzz"}, "Known are: length, hidden"),
        (("input", 0), {"rail": "length", "max_char": 5}, "'max_char' is not known here. Did you mean 'max_chars'"),
        (("input", 0), {"rail": "length", "max_chars": 0}, r"Expected `int` >= 1 - at `\$.input\[0\].max_chars`"),
        (("input", 0), {"rail": "length", "max_chars": "5"}, "Expected `int`, got `str`"),
        (("input", 0), {"rail": "grounding"}, "cannot run on input. Move it to output"),
        (("output", 0), {"rail": "injection"}, "cannot run on output. Move it to input"),
        (("input", 1), {"rail": "length"}, r"input\[1\]: the rail 'length' is here already"),
        (("input", 1), "injection", r"input\[1\]: an entry is a mapping"),
        (("refusals",), {}, "Expected `object` of length >= 1"),
        (("refusals",), {"en": {"injection": "No."}}, "refusals.en: the text for every other case is missing"),
        (("refusals", "en", "injektion"), "No.", "runs no rail 'injektion'. Did you mean 'injection'"),
        (("refusals", "en", "default"), " ", "refusals.en.default: the text is blank"),
        (("refusals", "english language"), {"default": "No."}, "Expected `str` matching regex"),
        (("inputs",), [], "the policy: 'inputs' is not known here. Did you mean 'input'"),
        (("name",), "Not A Name", "Expected `str` matching regex"),
        (("output", 0), {"rail": "urls", "hosts": ["https://a.example/"]}, r"at `\$.output\[0\].hosts\[0\]`"),
        (
            ("output", 0),
            {"rail": "pattern", "deny": [{"name": "x", "pattern": "(", "example": "("}], "passes": "a"},
            "is not an RE2 pattern",
        ),
        (
            ("output", 0),
            {"rail": "pattern", "deny": [{"name": "x", "pattern": "a*", "example": "a"}], "passes": "b"},
            "occurs in every text",
        ),
        (
            ("output", 0),
            {"rail": "pattern", "deny": [{"name": "x", "pattern": "abc", "example": "d"}], "passes": "b"},
            "does not occur in its own example",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_the_place_and_the_remedy(path, value, message):
    with pytest.raises(PolicyInvalid, match=message):
        load_policy(_changed(path, value))


@pytest.mark.parametrize("mapping", [None, [], "name: x", {}])
def test_something_that_is_no_policy_is_refused(mapping):
    with pytest.raises(PolicyInvalid):
        load_policy(mapping)
