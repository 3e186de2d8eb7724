"""Policies with a dialog, compiled with the fake embedder: what the tests of the dialog lane stand on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.definition import RailServices
from rails.engine import RailsPolicy, compile_policy
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner

GREETING: dict[str, Any] = {
    "name": "greeting",
    "examples": ["hello", "good morning"],
    "replies": {"en": ["Hello. Ask away.", "Hello, how can I help?", "Good day."], "pt-BR": ["Olá.", "Oi, tudo bem?"]},
}
PERSON: dict[str, Any] = {
    "name": "person",
    "examples": ["let me talk to a person"],
    "replies": {"en": ["Of course, please call."], "pt-BR": ["Claro, ligue por favor."]},
    "contact": {"name": "Service Desk", "phone": "4100"},
}
DIALOG: dict[str, Any] = {"limit": 0.8, "topics": [GREETING, PERSON]}
POLICY: dict[str, Any] = {
    "name": "desk",
    "input": [{"rail": "length"}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}, {"rail": "urls", "hosts": ["*.tarnwick.example"]}, {"rail": "grounding"}],
    "refusals": {"en": {"default": "That was stopped by a check."}},
}
SERVICES = rail_services(FakeEmbedder)


def document(dialog: Mapping[str, Any] = DIALOG, **changes: Any) -> dict[str, Any]:
    """Returns a policy with this dialog, some of its fields changed."""
    return {**POLICY, "dialog": {**dialog, **changes}}


def dialog_policy(
    dialog: Mapping[str, Any] = DIALOG,
    *,
    services: RailServices = SERVICES,
    rail_s: float = 2.0,
    **changes: Any,
) -> RailsPolicy:
    """Compiles it; with short deadlines afterwards, and patient ones while it is compiled."""
    runner = RailRunner(RailLimits(rail_s=rail_s, stage_s=2 * rail_s))
    return compile_policy(load_policy(document(dialog, **changes)), 1, services=services, runner=runner)


def hurried(policy: RailsPolicy, rail_s: float = 0.3) -> RailsPolicy:
    """Returns the policy with deadlines that a test can wait for."""
    assert policy.dialog is not None
    runner = RailRunner(RailLimits(rail_s=rail_s, stage_s=4 * rail_s))
    return replace(policy, dialog=replace(policy.dialog, _runner=runner))
