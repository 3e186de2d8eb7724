import numpy as np
import pytest

from models.embedding.tuning_plan import FINAL, FOLD, TuningPlan, draw
from models.errors import ModelRefused

PLAN = TuningPlan(steps=12, prompts=4, phrasings=2, others=3)
LABELS = np.repeat(np.arange(6), 5)


def same(one, other):
    return all(
        np.array_equal(left.rows, right.rows) and np.array_equal(left.background, right.background)
        for left, right in zip(one, other, strict=True)
    )


def test_the_same_seed_draws_the_same_batches_and_another_seed_others():
    assert same(draw(LABELS, 9, PLAN, seed=1), draw(LABELS, 9, PLAN, seed=1))
    assert not same(draw(LABELS, 9, PLAN, seed=1), draw(LABELS, 9, PLAN, seed=2))


def test_a_batch_holds_different_phrasings_of_different_prompts_and_background():
    for batch in draw(LABELS, 9, PLAN, seed=0):
        labels, counts = np.unique(LABELS[batch.rows], return_counts=True)
        assert (len(labels), set(counts)) == (4, {2})
        assert len(set(batch.rows)) == batch.labelled == 8
        assert len(set(batch.background)) == 3
        assert set(batch.background) <= set(range(9))


def test_no_prompt_waits_while_another_comes_three_times():
    batches = draw(LABELS, 0, PLAN, seed=0)
    seen = np.zeros(6)
    for batch in batches:
        seen[np.unique(LABELS[batch.rows])] += 1
        assert seen.max() - seen.min() <= 2
    assert seen.sum() == 4 * 12


def test_a_small_store_gives_more_phrasings_of_each_prompt():
    batch, *_ = draw([0, 0, 0, 0, 0, 1, 1, 1], 0, PLAN, seed=0)
    assert batch.labelled == len(set(batch.rows)) == 4 + 3


def test_a_phrasing_without_a_second_one_attracts_nothing_but_is_kept_away_from():
    batches = draw([0, 0, 1, 1, 2], 1, PLAN, seed=0)
    for batch in batches:
        assert 4 not in batch.rows[: batch.labelled]
        assert 4 in batch.rows[batch.labelled :]


def test_prompt_numbers_may_have_gaps():
    assert draw([7, 7, 900, 900], 0, PLAN, seed=0)[0].labelled == 4


@pytest.mark.parametrize(("labels", "why"), [([], "two prompts"), ([3, 3], "two prompts"), ([0, 1, 2], "phrasings")])
def test_a_store_that_teaches_nothing_is_refused(labels, why):
    with pytest.raises(ModelRefused, match=why):
        draw(labels, 5, PLAN, seed=0)


@pytest.mark.parametrize(
    "numbers",
    [
        {"steps": 0},
        {"trained_layers": 0},
        {"prompts": 0},
        {"phrasings": 1},
        {"others": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"temperature": -0.1},
        {"warm_up": 1.5},
        {"weight_decay": -1.0},
        {"max_gradient": 0.0},
        {"kept": 0.0},
        {"kept": 1.5},
    ],
)
def test_a_plan_that_makes_no_sense_is_not_a_plan(numbers):
    with pytest.raises(ValueError, match=r"must be|needs"):
        TuningPlan(**numbers)


@pytest.mark.parametrize("plan", [FINAL, FOLD, TuningPlan(steps=1), TuningPlan(warm_up=0.0)])
def test_the_rate_rises_then_falls_and_stays_above_zero(plan):
    rates = [plan.rate(step) for step in range(plan.steps)]
    peak = int(np.argmax(rates))
    assert all(0 < rate <= plan.learning_rate for rate in rates)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert peak <= max(1.0, plan.warm_up * plan.steps)
