"""What the live matcher says of a question, and what adding it would do, without changing anything."""

import pytest

from gateway.errors import NotServing
from gateway.live import Live, LiveState
from gateway.reviewing.prospects import Prospecting
from models.errors import ModelUnavailable
from store.errors import NotFound
from store.matcher import Matcher
from tests.world import World


def test_a_question_that_matches_nothing_shows_its_candidates_and_the_gate(world: World) -> None:
    found = Prospecting(world.live).of("How do I reset the bicycle lock?", "helpdesk")
    assert found.outcome == "clarify"
    assert found.gate == "below_limit"
    assert found.answer_from == 0.8
    best = found.candidates[0]
    assert best.key == "it.password-reset"
    assert best.phrasing == "How do I reset my password?"
    assert 0.5 < best.score < 0.8


def test_adding_a_phrasing_of_another_prompt_is_told_as_what_it_is(world: World) -> None:
    found = Prospecting(world.live).of("I forgot my password", "helpdesk")
    assert found.outcome == "answered"
    assert found.candidates[0].added.same_as is None
    (text,) = world.live.current.catalog.prompts["security.phishing-report"].content.phrasings
    added = Prospecting(world.live).of(text, "helpdesk").candidates
    assert [one.added.same_as for one in added if one.key != "security.phishing-report"] == [
        "security.phishing-report" for one in added[1:]
    ]


def test_a_phrasing_that_would_be_nearer_to_the_new_one_than_to_its_own_is_a_rival(world: World) -> None:
    found = Prospecting(world.live).of("I forgot my manager password", "helpdesk")
    handoff = [one for one in found.candidates if one.key == "hr.grievance"]
    assert handoff
    rivals = {(rival.key, rival.phrasing) for rival in handoff[0].added.rivals}
    assert ("it.password-reset", "I forgot my password") in rivals


def test_other_questions_of_the_cluster_are_reached_when_they_are_nearer_to_it_than_to_what_is_live(
    world: World,
) -> None:
    others = ["my parrot reset the lock", "When is the Leeds office open?"]
    found = Prospecting(world.live).of("the parrot reset my lock", "helpdesk", others)
    assert {one.added.reaches for one in found.candidates} == {1}


def test_an_opposite_is_told_before_it_is_added(world: World) -> None:
    found = Prospecting(world.live).of("How do I not reset my password?", "helpdesk")
    best = next(one for one in found.candidates if one.key == "it.password-reset")
    assert best.added.difference is not None
    assert best.added.difference.startswith("negation")


def test_a_counterexample_is_told_before_it_is_added(world: World) -> None:
    text = "How do I stop people resetting my password"
    found = Prospecting(world.live).of(text, "helpdesk")
    assert all(one.added.is_counterexample is (one.key == "it.password-reset") for one in found.candidates)


def test_an_assistant_that_is_gone_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        Prospecting(world.live).of("anything", "gone")


def test_an_embedder_that_is_away_is_a_failure_and_no_verdict(world: World) -> None:
    state = world.live.current

    def away(_):
        raise ModelUnavailable("away")

    matcher = Matcher(state.matcher.index, away, state.matcher.scopes, is_unread=lambda _: False)
    broken = Live(LiveState(state.catalog, matcher, state.policies))
    with pytest.raises(NotServing):
        Prospecting(broken).of("What is new today", "helpdesk")
