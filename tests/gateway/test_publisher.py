"""The publisher: a newer revision becomes live beside serving; one that cannot be built is told and changes nothing."""

import logging
from dataclasses import replace
from functools import partial

import anyio
import msgspec
import pytest

from gateway import publisher as module
from gateway.errors import NotServing, SettingsInvalid
from gateway.live import Live
from gateway.publisher import Publisher
from gateway.settings import Settings
from rails.definition import NO_SERVICES
from rails.errors import PolicyInvalid
from rails.types import Stage
from store.catalog import load_catalog
from store.errors import StoreUnavailable
from store.matches import Match
from tests.building import POLICY, NearestMatchers
from tests.gateway.following import CountingEmbedder, Place, follow, improve


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL_S", 0.01)
    made = Place(tmp_path)
    made.publish()
    yield made
    made.database.close()


def finds(live: Live, text: str) -> bool:
    state = live.current
    return isinstance(state.matcher.match(text, "desk"), Match)


def messages(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gateway.publisher"]


def errors(caplog) -> list[str]:
    return [record.error for record in caplog.records if hasattr(record, "error")]


def test_what_is_published_can_be_loaded(place):
    state = place.publisher.load()
    assert state.catalog.revision == 1
    assert state.policies["desk"].revision == 1
    assert state.policies["desk"].rails(Stage.INPUT) == ("length", "hidden", "injection", "secrets")


def test_the_time_limits_of_the_rails_are_those_of_the_settings():
    settings = msgspec.structs.replace(Settings(), rails=msgspec.structs.replace(Settings().rails, rail_s=0.1))
    publisher = Publisher(settings, None, CountingEmbedder(), NO_SERVICES)
    assert publisher._runner.limits.rail_s == 0.1


def test_a_newer_revision_becomes_live_and_embeds_only_what_is_new(place, caplog):
    caplog.set_level(logging.INFO, "gateway.publisher")
    live = Live(place.publisher.load())
    place.embedder.texts.clear()
    follow(
        place,
        live,
        (partial(place.publish, "My login is lost for good"), lambda: "revision_live" in messages(caplog)),
    )
    assert finds(live, "My login is lost for good")
    assert live.current.catalog.revision == 2
    assert place.embedder.texts == ["My login is lost for good"]


def test_while_nothing_is_published_nothing_is_swapped(place):
    live = Live(state := place.publisher.load())

    async def run():
        with anyio.move_on_after(0.2):
            await place.publisher.follow(live)

    anyio.run(run)
    assert live.current is state


BAD = {**POLICY, "input": [{"rail": "no-such-rail"}]}


def test_a_revision_that_cannot_be_built_is_told_and_the_old_one_keeps_serving(place, caplog):
    live = Live(state := place.publisher.load())
    follow(
        place,
        live,
        (
            partial(place.publish, "Something else", policy=BAD),
            lambda: any("no-such-rail" in words for words in errors(caplog)),
        ),
        (lambda: None, lambda: live.current is state),
        (partial(place.publish, "Something else"), lambda: live.current.catalog.revision == 3),
    )
    assert messages(caplog)[0] == "revision_not_live"
    assert finds(live, "Something else")


def test_an_embedder_that_fails_is_tried_again(place, caplog):
    live = Live(place.publisher.load())

    def publish_without_an_embedder():
        place.embedder.is_gone = True
        place.publish("Something else")

    def bring_it_back():
        assert live.current.catalog.revision == 1
        place.embedder.is_gone = False

    follow(
        place,
        live,
        (publish_without_an_embedder, lambda: any("told to be gone" in words for words in errors(caplog))),
        (bring_it_back, lambda: live.current.catalog.revision == 2),
    )


def test_a_database_that_is_away_is_told_and_asked_again(place, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "gateway.publisher")
    live = Live(place.publisher.load())
    real, asked, told = module.live_revision, [], []

    def away(_):
        asked.append(1)
        raise StoreUnavailable("told to be down at 10.0.0.7")

    monkeypatch.setattr(module, "live_revision", away)
    follow(
        place,
        live,
        (partial(place.publish, "Something else"), lambda: len(asked) > 2),
        (lambda: told.append(place.publisher.progress_of(2)), lambda: True),
        (lambda: monkeypatch.setattr(module, "live_revision", real), lambda: live.current.catalog.revision == 2),
    )
    assert messages(caplog) == ["revision_not_live", "revision_live", "revision_followed_again"]
    assert errors(caplog) == ["told to be down at 10.0.0.7"]
    assert not [words for words in told if "10.0.0.7" in words]


def test_a_better_matcher_is_swapped_in_when_it_is_there(place, caplog):
    caplog.set_level(logging.INFO, "gateway.publisher")
    live = Live(first := place.publisher.load())
    place.matchers.is_better = True
    improve(place, live, lambda: live.current is not first, lambda: "matcher_improved" in messages(caplog))
    assert (first.matcher.fingerprint, live.current.matcher.fingerprint) == ("0", "1")
    assert place.matchers.improved == [1], "once a revision"


def test_without_a_better_matcher_nothing_is_swapped(place):
    live = Live(state := place.publisher.load())
    improve(place, live, lambda: place.matchers.improved == [1])
    assert live.current is state


def test_a_fit_that_fails_is_told_and_what_serves_goes_on(place, caplog, monkeypatch):
    live = Live(state := place.publisher.load())

    def fail(_self, _catalog, _serving):
        raise NotServing("matcher_not_fitted", "told to fail")

    monkeypatch.setattr(NearestMatchers, "improve", fail)
    improve(place, live, lambda: "matcher_not_improved" in messages(caplog))
    (failed,) = [record for record in caplog.records if record.getMessage() == "matcher_not_improved"]
    assert (failed.error, failed.revision, failed.again_s) == ("told to fail", 1, 60.0)
    assert live.current is state


def test_an_assistant_with_an_unknown_policy_is_refused(place):
    catalog = load_catalog(place.database)
    assistant = msgspec.structs.replace(catalog.assistants["desk"], policy="strict")
    with pytest.raises(SettingsInvalid, match="assistant desk names policy strict, which is not live"):
        place.publisher.state_of(replace(catalog, assistants={"desk": assistant}))


def test_a_policy_that_is_not_one_is_refused(place):
    place.publish(policy=BAD)
    with pytest.raises(PolicyInvalid):
        place.publisher.load()
