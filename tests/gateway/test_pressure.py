"""Pressure: what stands in a line is told from a burst, and stages end slower than they begin."""

from gateway.pressure import INTERVAL_S, Pressure, Stage

TARGET_S = 0.02


class Time:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Watched:
    def __init__(self) -> None:
        self.clock = Time()
        self.pressure = Pressure(target_s=TARGET_S, clock=self.clock)

    def interval(self, *waits: float, refused: int = 0) -> Stage:
        """Lets an interval pass in which these waits ended and so many were refused."""
        for wait in waits:
            self.pressure.waited(wait)
        for _ in range(refused):
            self.pressure.refused()
        self.clock.at += INTERVAL_S
        return self.pressure.stage


def test_a_burst_whose_line_is_gone_within_an_interval_is_none_of_our_business() -> None:
    here = Watched()
    assert [here.interval(0.0, 0.5, 0.9) for _ in range(20)] == [Stage.CALM] * 20


def test_a_line_that_stands_has_the_model_skipped_and_then_nobody_wait() -> None:
    here = Watched()
    stages = [here.interval(0.03, 0.2) for _ in range(8)]
    assert stages == [Stage.SKIP_MODEL] * 5 + [Stage.SHED] * 3


def test_a_long_line_is_shed_at_once() -> None:
    assert Watched().interval(0.1) is Stage.SHED


def test_a_stage_ends_after_a_second_without_a_sign_and_the_other_after_another() -> None:
    here = Watched()
    here.interval(0.1)
    stages = [here.interval(0.0) for _ in range(20)]
    assert stages == [Stage.SHED] * 9 + [Stage.SKIP_MODEL] * 10 + [Stage.CALM]


def test_waits_between_half_the_target_and_all_of_it_change_nothing() -> None:
    here = Watched()
    here.interval(0.03)
    assert [here.interval(0.015) for _ in range(50)] == [Stage.SKIP_MODEL] * 50


def test_shedding_goes_on_while_a_third_find_no_place_though_nobody_waits() -> None:
    here = Watched()
    here.interval(0.1)
    assert [here.interval(0.0, 0.0, refused=1) for _ in range(50)] == [Stage.SHED] * 50
    assert here.interval(0.0, 0.0, 0.0, refused=1) is Stage.SHED
    assert [here.interval(0.0, 0.0, 0.0, refused=1) for _ in range(9)][-1] is Stage.SKIP_MODEL


def test_a_stage_that_is_needed_again_and_again_is_held_longer_each_time() -> None:
    here, held = Watched(), []
    for _ in range(8):
        here.interval(0.03)
        held.append(1)
        while here.interval(0.0) is Stage.SKIP_MODEL:
            held[-1] += 1
    assert held == [10, 20, 40, 80, 160, 320, 320, 320]
    here.clock.at += 100.0
    assert here.interval(0.03) is Stage.SKIP_MODEL
    assert [here.interval(0.0) for _ in range(10)][-1] is Stage.CALM


def test_the_first_stage_goes_on_while_its_short_line_is_full() -> None:
    here = Watched()
    here.interval(0.03)
    assert [here.interval(*[0.005] * 18, refused=2) for _ in range(30)] == [Stage.SKIP_MODEL] * 30


def test_time_in_which_nobody_comes_is_calm() -> None:
    here = Watched()
    here.interval(0.1)
    here.clock.at += 3.0
    assert here.pressure.stage is Stage.CALM
