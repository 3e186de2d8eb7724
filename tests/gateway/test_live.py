"""The live state: what belongs together is swapped together, and nobody learns which assistants there are."""

from dataclasses import replace

import pytest

from gateway.errors import InvalidRequest, NotServing
from gateway.live import Live, LiveState
from rails.languages import unread_by
from store.matcher import Matcher
from tests.building import CALLER, build_state


@pytest.fixture(scope="module")
def state() -> LiveState:
    return build_state()


def test_an_assistant_without_a_compiled_policy_cannot_be_live(state):
    with pytest.raises(ValueError, match="This is a bug"):
        LiveState(state.catalog, state.matcher, {})


def test_an_assistant_without_limits_cannot_be_live(state):
    bare = Matcher(state.matcher._index, state.matcher._embed, {}, is_unread=unread_by(None))
    with pytest.raises(ValueError, match="no limits to match with"):
        LiveState(state.catalog, bare, state.policies)


def test_an_unknown_assistant_and_one_of_another_key_are_refused_in_the_same_words(state):
    assert state.assistant("desk", CALLER).name == "desk"
    elsewhere = replace(CALLER, assistants=frozenset({"another"}))
    refusals = set()
    for name, principal in (("nobody", CALLER), ("desk", elsewhere), ("another", elsewhere), ("", CALLER)):
        with pytest.raises(InvalidRequest) as stopped:
            state.assistant(name, principal)
        refusals.add((stopped.value.code, stopped.value.message, stopped.value.param))
    assert len(refusals) == 1
    assert refusals.pop()[0] == "model_not_found"


def test_a_swap_leaves_alone_whoever_has_the_state_already(state):
    live = Live(state)
    taken = live.current
    other = LiveState(replace(state.catalog, revision=2), state.matcher, state.policies)
    live.swap(other)
    assert (taken.catalog.revision, live.current.catalog.revision) == (1, 2)


def test_an_older_state_never_takes_the_place_of_a_newer_one(state):
    newer = LiveState(replace(state.catalog, revision=2), state.matcher, state.policies)
    live = Live(newer)
    with pytest.raises(NotServing, match="revision 1 is older than revision 2"):
        live.swap(LiveState(replace(state.catalog, revision=1), state.matcher, state.policies))
    assert live.current is newer
    again = LiveState(newer.catalog, state.matcher, state.policies)
    live.swap(again)
    assert live.current is again, "a better matcher for the same revision"
