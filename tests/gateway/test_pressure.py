"""Pressure: what stands in a line is told from a burst, and stages end slower than they begin."""

from gateway.pressure import INTERVAL_S, PATIENCE, Pressure, Stage

TARGET_S = 0.02


class Time:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Watched:
    def __init__(self, patience: int = 1) -> None:
        self.clock = Time()
        self.in_line = 0
        self.pressure = Pressure(target_s=TARGET_S, patience=patience, in_line=lambda: self.in_line, clock=self.clock)

    def with_line(self, in_line: int, *waits: float, refused: int = 0) -> Stage:
        """Lets an interval pass at whose end so many wait."""
        self.in_line = in_line
        return self.interval(*waits, refused=refused)

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


def test_a_burst_is_worked_off_however_long_that_takes() -> None:
    here = Watched(PATIENCE)
    came = [here.with_line(length, 0.0) for length in (12, 20, 32)]
    worked_off = [here.with_line(32 - number, 0.2 + number / 10) for number in range(1, 33)]
    assert came + worked_off == [Stage.CALM] * 35


def test_a_burst_of_slow_questions_is_worked_off_too() -> None:
    here = Watched(PATIENCE)
    here.with_line(10, 0.0)
    for length in range(9, -1, -1):
        assert [here.with_line(length + 1), here.with_line(length, 0.5)] == [Stage.CALM] * 2


def test_a_line_that_does_not_get_shorter_is_shed_soon() -> None:
    here = Watched(PATIENCE)
    stages = [here.with_line(32, 0.3, refused=30) for _ in range(8)]
    assert stages == [Stage.CALM] * (PATIENCE - 1) + [Stage.SHED] * (9 - PATIENCE)


def test_a_line_that_grows_slowly_of_slow_questions_is_pressure_as_well() -> None:
    here = Watched(PATIENCE)
    stages = []
    for length in range(1, 12):
        stages += [here.with_line(length), here.with_line(length, 0.15)]
    assert stages[-1] is Stage.SHED


def test_nobody_is_patient_when_pressure_comes_back_soon() -> None:
    here = Watched(PATIENCE)
    for _ in range(PATIENCE):
        here.with_line(32, 0.3)
    while here.with_line(0, 0.0) is not Stage.CALM:
        pass
    assert here.with_line(5, 0.3) is Stage.SHED
    while here.with_line(0, 0.0) is not Stage.CALM:
        pass
    here.clock.at += 60.0
    assert here.with_line(5, 0.3) is Stage.CALM
