"""The curve in the report is the decision at other limits, and so the chosen limit lies on it."""

from dataclasses import replace

import numpy as np
import pytest

from store.calibration import Calibration, apply_limits, calibrate, mix
from store.content import Tolerance
from store.learning.fit import HeldOut
from store.learning.limits import NEVER
from store.learning.report import StoreRates, store_rates
from store.trade_off import trade_off
from tests.store.learning.held_out_rows import corpus, drawn, held_out


@pytest.fixture(scope="module")
def held() -> HeldOut:
    return drawn(prompts=8, sentences=10, others=40)[0]


@pytest.fixture(scope="module")
def calibration(held) -> Calibration:
    contradicted = set(held.texts[::7])
    return calibrate(
        held,
        corpus(8, 10),
        Tolerance(false_match_rate=0.05, near_misses=0.5),
        contradicts=lambda message, *_: message in contradicted,
    )


def rates_at(held: HeldOut, calibration: Calibration, limit: float) -> StoreRates:
    limits = replace(calibration.limits, answer=limit)
    return store_rates(held, *apply_limits(held, calibration.stopped, limits), mix(held, 0.5))


def test_every_point_is_what_the_decision_does_at_its_limit(held, calibration):
    found = trade_off(held, calibration)
    assert len(found.limits) > 50
    for row, limit in enumerate(found.limits.tolist()):
        rates = rates_at(held, calibration, limit)
        assert found.false_match[row] == pytest.approx(rates.false_match.value)
        assert found.coverage[row] == pytest.approx(rates.coverage.value)
        assert found.with_clarify[row] == pytest.approx(rates.coverage.value + rates.clarify.value)


def test_the_chosen_limit_lies_on_the_curve(held, calibration):
    found, own = trade_off(held, calibration), calibration.report.store
    row = int(np.flatnonzero(found.limits >= calibration.limits.answer)[-1])
    assert row > 0
    assert (found.false_match[row], found.coverage[row]) == pytest.approx((own.false_match.value, own.coverage.value))


def test_where_no_limit_is_enough_the_curve_still_shows_what_others_would_do(held):
    strict = calibrate(held, corpus(8, 10), Tolerance(false_match_rate=1e-9), contradicts=lambda *_: False)
    assert strict.limits.answer == NEVER
    found = trade_off(held, strict)
    assert (found.false_match[0], found.coverage[0]) == (0.0, 0.0)
    assert found.coverage[-1] > 0.5


def test_no_sentences_are_one_limit_that_answers_nothing():
    found = trade_off(held_out([]), calibrate(held_out([]), corpus(1, 1), Tolerance(), contradicts=lambda *_: False))
    assert (found.limits.tolist(), found.coverage.tolist()) == ([NEVER], [0.0])
