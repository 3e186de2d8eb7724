"""The collector rests while much is made, and never for longer."""

import gc
import threading

import pytest

from store import pauses
from store.pauses import uncollected


def test_the_collector_rests_until_the_last_builder_is_done():
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_builder_that_fails_lets_it_go_on():
    with pytest.raises(ValueError, match="told"), uncollected():
        raise ValueError("told to fail")
    assert gc.isenabled()


@pytest.mark.parametrize(("is_settled", "rests"), [(True, 3), (False, 0)])
def test_loops_over_everything_rest_in_a_process_that_serves(monkeypatch, is_settled, rests):
    now, slept = [0.0], []
    monkeypatch.setattr(pauses, "_is_settled", is_settled)
    monkeypatch.setattr(pauses, "_last", threading.local())
    monkeypatch.setattr(pauses.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(pauses.time, "sleep", slept.append)
    for _ in range(7):
        now[0] += 0.001
        pauses.give_way()
    assert len(slept) == rests
