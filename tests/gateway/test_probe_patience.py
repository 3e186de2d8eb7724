"""Probes have time: a machine that is busy while a gateway starts is no fault of its policies."""

from contextlib import closing

import pytest

from gateway.activation import PATIENCE
from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder, FakeModel
from rails.engine import compile_policy
from rails.errors import ProbeFailed
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner

POLICY = {
    "name": "talks",
    "input": [{"rail": "length"}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No."}},
    "dialog": {
        "limit": 0.7,
        "topics": [{"name": "greeting", "examples": ["hello", "good morning"], "replies": {"en": ["Hello."]}}],
    },
}
SERVICES = rail_services(FakeEmbedder, FakeModel)


def test_probes_take_the_time_of_their_own_runner() -> None:
    with closing(RailRunner(RailLimits(rail_s=0.0001, stage_s=0.0001))) as hurried:
        with pytest.raises(ProbeFailed, match=r"could not finish|NeMo failed"):
            compile_policy(load_policy(POLICY), 1, runner=hurried, services=SERVICES)
        with closing(RailRunner(PATIENCE)) as tries:
            policy = compile_policy(load_policy(POLICY), 1, runner=hurried, services=SERVICES, tries=tries)
    assert policy.dialog is not None
