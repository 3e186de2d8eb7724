"""A gateway that cannot know whether what it serves is published stops answering."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import publisher as module
from gateway.confirming import Confirmation
from gateway.errors import NotServing
from gateway.live import Live
from gateway.probes import content_report
from gateway.readiness import PartState
from gateway.replica_settings import ReplicaSettings
from tests.gateway.following import Place, follow


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL_S", 0.01)
    made = Place(tmp_path)
    made.publish()
    yield made
    made.database.close()


def confirmation_of(clock, *, unconfirmed_s=30.0, superseded_s=0.0):
    return Confirmation(ReplicaSettings(unconfirmed_s=unconfirmed_s, superseded_s=superseded_s), clock)


@given(
    waits=st.lists(st.floats(0, 10), max_size=20),
    newest=st.lists(st.booleans(), min_size=20, max_size=20),
    bound=st.floats(2, 20),
)
def test_there_is_no_doubt_exactly_while_the_last_confirmation_is_young_enough(waits, newest, bound):
    clock = Clock()
    confirmation = confirmation_of(clock, unconfirmed_s=1000.0, superseded_s=bound)
    confirmed = clock.now
    for wait, is_newest in zip(waits, newest, strict=False):
        clock.now += wait
        confirmation.note(clock.now, is_newest=is_newest)
        confirmed = clock.now if is_newest else confirmed
        assert bool(confirmation.doubt) == (clock.now - confirmed > bound)


def test_an_answer_of_the_database_counts_from_the_moment_of_the_question():
    clock = Clock()
    confirmation = confirmation_of(clock, unconfirmed_s=2.0)
    asked_at = confirmation.now
    clock.now += 3.0  # the database was slow
    confirmation.note(asked_at, is_newest=True)
    with pytest.raises(NotServing) as refused:
        confirmation.require()
    assert refused.value.code == "revision_not_confirmed"
    assert refused.value.retry_after_s
    confirmation.note(clock.now, is_newest=True)
    confirmation.require()
    confirmation.note(asked_at, is_newest=True)  # an answer that comes late takes nothing back
    confirmation.require()


def test_without_a_bound_an_old_revision_serves_for_as_long_as_the_next_one_is_made():
    clock = Clock()
    confirmation = confirmation_of(clock)
    clock.now += 10_000
    confirmation.note(clock.now, is_newest=False)
    confirmation.require()


def test_a_gateway_whose_next_revision_cannot_be_made_stops_answering_when_its_time_is_over(place):
    clock = Clock()
    live = Live(place.publisher.load(), confirmation_of(clock, superseded_s=2.0))
    place.embedder.is_gone = True

    def pass_by():
        clock.now += 3.0

    follow(
        place,
        live,
        (partial(place.publish, "Something else"), lambda: "cannot be made" in reason_of(place, live)),
        (pass_by, lambda: True),
    )
    with pytest.raises(NotServing):
        _ = live.serving
    report = content_report(live, place.database, place.publisher)
    assert report.state is PartState.NOT_READY
    assert "newer revision has been published" in report.reason
    assert "cannot be made" in report.reason


def test_a_gateway_that_follows_is_never_in_doubt(place):
    clock = Clock()
    live = Live(place.publisher.load(), confirmation_of(clock, unconfirmed_s=2.0, superseded_s=2.0))

    def publish_later():
        clock.now += 3.0
        place.publish("Something else")

    follow(place, live, (publish_later, lambda: live.current.catalog.revision == 2 and not live.confirmation.doubt))
    assert live.serving is live.current


def test_a_gateway_without_its_database_stops_answering_when_its_time_is_over(place):
    clock = Clock()
    live = Live(place.publisher.load(), confirmation_of(clock))
    assert live.serving is live.current
    clock.now += 31.0
    with pytest.raises(NotServing, match="still approved"):
        _ = live.serving


def reason_of(place, live):
    return content_report(live, place.database, place.publisher).reason
