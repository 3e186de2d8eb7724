"""What may be set without a restart is a part of an assistant, and every such part goes the way of a change."""

from typing import Any

import msgspec
import pytest

from store.changes.documents import hash_of
from store.changes.types import Edit, EditKind, Item
from store.content import Assistant, AssistantTexts, Tolerance
from store.people import Role
from tests.store.changes.change_world import ADA, EDDA, ChangeWorld, person
from tests.store.store_content import prompt

DESK = Item(EditKind.ASSISTANT, "desk")
OTHER: dict[str, Any] = {
    "title": "Service desk",
    "greeting": "Good day",
    "areas": ["it", "hr"],
    "policy": "other",
    "instructions": "Be kind.",
    "languages": ["en", "ar"],
    "suggestions": ["it.vpn"],
    "allowed_origins": ["https://portal.tarnwick.example"],
    "model_licence_acknowledged": "family",
    "keeps_text": "redacted",
    "retention_days": 30,
    "match.false_match_rate": 0.05,
    "match.near_misses": 0.5,
    "texts.no_match": "Not that.",
    "texts.clarify": "Which one?",
    "texts.withheld": "Kept back.",
    "texts.language": "English, please.",
}
"""Another value for every setting of an assistant."""
NESTED: dict[str, type] = {"match": Tolerance, "texts": AssistantTexts}


def settings() -> set[str]:
    """Every setting of an assistant; its name is what it is known by and none."""
    found = {field.name for field in msgspec.structs.fields(Assistant)} - {"name"} - NESTED.keys()
    return found | {f"{part}.{one.name}" for part, kind in NESTED.items() for one in msgspec.structs.fields(kind)}


def with_setting(document: dict[str, Any], setting: str) -> dict[str, Any]:
    part, _, name = setting.partition(".")
    value = {**document.get(part, {}), name: OTHER[setting]} if name else OTHER[setting]
    return {**document, part: value}


def value_of(world: ChangeWorld, setting: str) -> Any:
    found: Any = world.catalog().assistants["desk"]
    for name in setting.split("."):
        found = getattr(found, name)
    return list(found) if isinstance(found, tuple) else msgspec.to_builtins(found)


def test_every_setting_of_an_assistant_is_tried_here():
    assert settings() == OTHER.keys()


@pytest.mark.parametrize("setting", sorted(OTHER))
def test_a_setting_is_drafted_approved_published_and_taken_back(world: ChangeWorld, setting: str):
    policies = {name: {"name": name, "input": []} for name in ("plain", "other")}
    world.publish_first(prompt(), prompt("hr.leave"), policies=policies)
    before, live = value_of(world, setting), world.live(DESK)
    assert before != OTHER[setting], "the example says nothing"
    approver = person("ruth", Role.ADMIN, Role.APPROVER)
    edit = Edit(EditKind.ASSISTANT, "desk", with_setting(dict(live), setting), hash_of(live))
    done = world.approved(ADA, edit, by=approver)
    done = world.publishing.publish(approver, done.id, rev=done.rev)
    assert value_of(world, setting) == OTHER[setting]
    back = world.rebasing.revert(EDDA, done.id)
    back = world.reviews.submit(EDDA, back.id, rev=back.rev)
    world.passed(back)
    back = world.reviews.approve(approver, back.id, rev=back.rev)
    world.publishing.publish(approver, back.id, rev=back.rev)
    assert value_of(world, setting) == before
