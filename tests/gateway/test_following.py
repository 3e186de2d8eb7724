"""Following what is published: no failure ends it, nothing older comes back, and readiness tells how far it is."""

import logging
import threading
from dataclasses import replace
from functools import partial

import pytest

from gateway import publisher as module
from gateway.live import Live
from gateway.probes import content_report
from gateway.publisher import Failure
from gateway.readiness import PartState
from store.catalog import Catalog
from tests.building import NearestMatchers
from tests.gateway.following import Place, beside, follow, improve

WAIT_S = 10.0


class Told(NearestMatchers):
    """Matchers that wait, or fail, where they are told to."""

    def __init__(self, matchers):
        super().__init__(matchers.embedder, matchers.folder)
        self.failure: Exception | None = None
        self.failing_to_improve: Exception | None = None
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gate.set()
        self.revisions: list[int] = []

    def make(self, catalog: Catalog):
        self.revisions.append(catalog.revision)
        self.begun.set()
        assert self.gate.wait(WAIT_S)
        if self.failure is not None:
            raise self.failure
        return super().make(catalog)

    def improve(self, catalog: Catalog, serving):
        super().improve(catalog, serving)
        if self.failing_to_improve is not None:
            raise self.failing_to_improve
        return self.is_better


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL_S", 0.01)
    made = Place(tmp_path)
    made.publish()
    made.matchers = made.publisher._matchers = Told(made.matchers)
    yield made
    made.database.close()


def content(place: Place, live: Live) -> tuple[PartState, str]:
    report = content_report(live, place.database, place.publisher)
    return report.state, report.reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(30, "Read-only file system", "/data/log"), "[Errno 30] Read-only file system: '/data/log'"),
        (ValueError("could not convert 'seven'"), "unexpected ValueError, the log has the traceback"),
        (MemoryError(), "unexpected MemoryError, the log has the traceback"),
    ],
)
def test_no_failure_of_one_publish_ends_following(place, caplog, error, words):
    live = Live(place.publisher.load())
    place.matchers.failure = error

    def mend():
        place.matchers.failure = None
        place.publish("Yet another")

    follow(
        place,
        live,
        (
            partial(place.publish, "Something else"),
            lambda: words in [getattr(one, "error", "") for one in caplog.records],
        ),
        (mend, lambda: live.current.catalog.revision == 3),
    )
    failed = next(record for record in caplog.records if record.getMessage() == "revision_not_live")
    assert (failed.levelno, failed.exc_info is not None, failed.revision) == (logging.ERROR, True, 2)


def test_while_a_newer_revision_is_made_the_old_one_is_ready_and_says_how_far_it_is(place):
    live = Live(place.publisher.load())
    assert content(place, live) == (PartState.READY, "revision 1, 1 prompts")
    place.publish("Something else")
    assert content(place, live)[1].endswith("; revision 2 is about to be made")
    place.matchers.gate.clear()
    place.matchers.begun.clear()
    place.matchers.doing = "embedding the phrasings, 40%"

    def look():
        expected = "revision 1, 1 prompts; revision 2 is being made (embedding the phrasings, 40%)"
        assert content(place, live) == (PartState.READY, expected)
        place.matchers.gate.set()

    follow(
        place,
        live,
        (lambda: None, place.matchers.begun.is_set),
        (look, lambda: live.current.catalog.revision == 2),
    )
    assert content(place, live) == (PartState.READY, "revision 2, 1 prompts")


def test_a_revision_that_cannot_be_made_leaves_the_old_one_ready_and_says_why(place):
    live = Live(place.publisher.load())
    place.matchers.failure = module.StoreError("no room in /data/matcher")
    follow(
        place,
        live,
        (partial(place.publish, "Something else"), lambda: "cannot be made" in content(place, live)[1]),
    )
    state, reason = content(place, live)
    assert state is PartState.READY
    assert "revision 1, 1 prompts; revision 2 cannot be made: no room in a file that the log names" in reason
    assert "tried again in" in reason


def test_nothing_live_or_a_database_that_went_back_is_not_ready(place):
    live = Live(place.publisher.load())
    live.current = replace(live.current, catalog=replace(live.current.catalog, revision=7))
    assert content(place, live) == (
        PartState.NOT_READY,
        "revision 7, 1 prompts; the database has only revision 1: restart",
    )
    live.current = replace(live.current, catalog=replace(live.current.catalog, revision=0, prompts={}))
    assert content(place, live) == (PartState.NOT_READY, "revision 1 is about to be made")


def test_a_revision_that_fails_is_tried_again_ever_later_and_another_one_at_once():
    failure = None
    for expected in (1.0, 2.0, 4.0, 5.0, 5.0):
        failure = Failure.after(failure, 2, "broken", 1.0, 5.0)
        assert failure.pause_s == expected
    assert failure.delays(2)
    assert not failure.delays(3)
    assert Failure.after(failure, 3, "broken", 1.0, 5.0).pause_s == 1.0


def test_what_was_read_first_is_never_swapped_in_last(place):
    live = Live(place.publisher.load())
    place.matchers.gate.clear()
    place.matchers.begun.clear()
    first = threading.Thread(target=place.publisher.advance, args=(live,))
    first.start()
    assert place.matchers.begun.wait(WAIT_S)
    place.publish("Something else")
    second = threading.Thread(target=place.publisher.advance, args=(live,))
    second.start()
    second.join(0.2)
    assert place.matchers.revisions == [1, 1], "the second waits for its turn"
    place.matchers.gate.set()
    first.join(WAIT_S)
    second.join(WAIT_S)
    assert place.matchers.revisions == [1, 1, 2]
    assert live.current.catalog.revision == 2


def test_an_older_revision_in_the_database_is_not_made_live(place):
    live = Live(place.publisher.load())
    live.current = state = replace(live.current, catalog=replace(live.current.catalog, revision=7))
    place.matchers.is_better = True
    improve(place, live, lambda: "older than revision 7" in place.publisher.matching)
    assert live.current is state


def test_a_failed_fit_stands_in_readiness_and_a_new_revision_does_not_wait_for_the_next_try(place):
    live = Live(place.publisher.load())
    place.matchers.failing_to_improve = module.StoreError("told to fail in /data")

    def advance():
        assert place.publisher._not_improved.pause_s == module.IMPROVE_RETRY_S
        place.publish("Something else")
        place.publisher.advance(live)

    beside(
        place.publisher.improve,
        live,
        (lambda: None, lambda: "no better fit" in place.publisher.matching),
        (advance, lambda: place.matchers.improved == [1, 2]),
        (lambda: None, lambda: place.publisher._not_improved.revision == 2),
    )
    told = place.publisher.matching
    assert told.startswith("by the nearest phrasing; no better fit: told to fail in a file that the log names; tried")
    place.matchers.failing_to_improve = None
    place.publish("Yet another")
    place.publisher.advance(live)
    improve(place, live, lambda: place.publisher.matching == "by the nearest phrasing")
    assert place.matchers.improved == [1, 2, 3]
