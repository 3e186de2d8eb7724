"""Each phrasing of a draft is held against its own prompt and the live ones of others."""

import dataclasses

import msgspec
import pytest

from gateway.changing.phrasing_checks import MOST_CHECKED, PhrasingChecks
from gateway.errors import NotServing
from models.errors import ModelUnavailable
from store.people import Actor, Role
from tests.administration import person
from tests.world import World, catalog

EDITOR = person("ada", Role.EDITOR)
TAKEN = "How do I report a phishing mail?"
DRAFT = {
    "key": "it.vpn",
    "title": "VPN",
    "area": "it",
    "owner": "Desk",
    "language": "en",
    "review_by": "2027-06-30",
    "reply": {"mode": "verbatim", "answer": "It works."},
}


def checks_of(world: World, *phrasings: str, actor: Actor = EDITOR, **more):
    return PhrasingChecks(world.live).of(actor, DRAFT | {"phrasings": list(phrasings)} | more)


def test_a_phrasing_that_another_prompt_has_is_told_with_that_prompt(world: World) -> None:
    (first, second) = checks_of(world, TAKEN, "set up the tunnel client")
    assert (first.is_taken, first.collides, first.rival_key) == (True, True, "security.phishing-report")
    assert first.rival == pytest.approx(1.0, abs=0.01)
    assert not second.is_taken


def test_a_phrasing_beside_its_own_kind_does_not_collide(world: World) -> None:
    first, second = checks_of(world, "set up the tunnel client", "set up the tunnel client please")
    assert first.own == pytest.approx(second.own)
    assert first.own > first.rival
    assert not first.collides


def test_the_only_phrasing_has_nothing_of_its_own_to_be_near(world: World) -> None:
    (only,) = checks_of(world, "set up the tunnel client")
    assert only.own is None
    assert not only.collides


def test_a_counterexample_that_is_a_phrasing_too_is_told(world: World) -> None:
    (only,) = checks_of(world, "Set up the tunnel!", counterexamples=["set up the tunnel"])
    assert only.is_countered
    assert only.collides


def test_a_prompt_is_never_its_own_rival(world: World) -> None:
    key = "security.phishing-report"
    (only,) = checks_of(world, TAKEN, key=key, area="security")
    assert only.rival_key != key
    assert not only.is_taken


def test_of_a_draft_that_is_not_complete_nothing_is_said(world: World) -> None:
    assert PhrasingChecks(world.live).of(EDITOR, {"key": "it.vpn", "phrasings": [TAKEN]}) is None


def test_phrasings_are_looked_at_while_the_rest_is_still_to_be_written(world: World) -> None:
    begun = {"key": "it.vpn", "area": "it", "phrasings": [TAKEN, "set up {what}"], "slots": [{"type": "short_text"}]}
    assert PhrasingChecks(world.live).of(EDITOR, begun) is None, "a blank that is none yet cannot be filled"
    readable = {"key": "it.vpn", "area": "it", "phrasings": [TAKEN, "set up the tunnel"]}
    first, second = PhrasingChecks(world.live).of(EDITOR, readable) or ()
    assert (first.is_taken, second.is_taken) == (True, False)


def test_no_more_than_so_many_are_compared(world: World) -> None:
    assert len(checks_of(world, *(f"sentence number {number}" for number in range(MOST_CHECKED + 5)))) == MOST_CHECKED


def test_an_embedder_that_fails_is_told_and_nothing_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_):
        raise ModelUnavailable("secret words")

    monkeypatch.setattr(type(world.live.current.matcher), "vectors_of", away)
    with pytest.raises(NotServing, match="cannot be compared"):
        checks_of(world, TAKEN)


@pytest.mark.parametrize(("area", "near"), [("security", {None}), ("hr", {"hr.grievance", "it.password-reset"})])
def test_an_editor_of_a_tenant_is_told_of_its_own_assistants_prompts_alone(
    make_world, area: str, near: set[str | None]
) -> None:
    whole = catalog(("helpdesk", "people"))
    areas = {"helpdesk": ("it", "hr"), "people": ("hr", "security")}
    parted = {name: msgspec.structs.replace(one, areas=areas[name]) for name, one in whole.assistants.items()}
    world = make_world(content=dataclasses.replace(whole, assistants=parted))
    drafted = {"key": f"{area}.new", "area": area}
    (told,) = checks_of(world, TAKEN, actor=person("hugo", Role.EDITOR, assistants=("helpdesk",)), **drafted)
    assert not told.is_taken
    assert told.rival_key in near
    (told,) = checks_of(world, TAKEN, **drafted)
    assert (told.is_taken, told.rival_key) == (True, "security.phishing-report")
