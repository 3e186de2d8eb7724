import pytest

from models.worker.restarts import RestartLimits, RestartPlan


@pytest.fixture
def plan():
    return RestartPlan(RestartLimits())


def test_a_fresh_plan_starts_at_once(plan):
    assert plan.may_start(0.0)
    assert not plan.is_open(0.0)


def test_pauses_double_up_to_the_longest():
    plan = RestartPlan(RestartLimits(restarts=100))
    pauses = []
    for death in range(8):
        now = death * 10.0
        plan.died(now)
        pauses.append(next(ms for ms in range(6000) if plan.may_start(now + ms / 1000)) / 1000)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], abs=0.002)


def test_an_answered_job_makes_the_next_pause_short_again(plan):
    plan.died(0.0)
    plan.died(1.0)
    plan.worked()
    plan.died(2.0)
    assert plan.may_start(2.11)


def test_five_restarts_are_allowed_and_the_next_death_opens_the_breaker(plan):
    for now in range(5):
        plan.died(float(now))
        assert not plan.is_open(float(now))
    plan.died(5.0)
    assert plan.is_open(5.0)
    assert plan.is_open(64.9)
    assert not plan.may_start(64.9)
    assert plan.may_start(65.1)


def test_a_death_after_the_open_minute_opens_it_again(plan):
    for now in range(6):
        plan.died(float(now))
    plan.died(66.0)
    assert plan.is_open(67.0)


def test_deaths_older_than_the_window_are_forgotten(plan):
    for now in range(5):
        plan.died(float(now))
    plan.died(700.0)
    assert not plan.is_open(700.0)


def test_answers_between_deaths_do_not_hide_a_worker_that_keeps_dying(plan):
    for now in range(6):
        plan.worked()
        plan.died(float(now))
    assert plan.is_open(5.0)
