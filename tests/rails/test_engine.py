"""Tests of the envelope, the runner and the compiled policy."""

import asyncio
import logging
import threading
import time
from dataclasses import replace

import pytest

from rails.checks.length import RAIL as LENGTH
from rails.definition import Probe, Probes
from rails.engine import RailsPolicy, compile_policy
from rails.errors import PolicyInvalid, ProbeFailed
from rails.fakes import FAKE_RAILS, RELEASE, FakeAct, FakeParams, FakeRewriteParams
from rails.policy import PolicyDocument
from rails.runner import RailLimits, RailRunner
from rails.types import RailContext, RailStatus, Stage

REFUSALS = {"en": {"default": "No.", "fake": "Not that."}, "pt": {"default": "Não."}}
TEXT = "a very private sentence"


def _anywhere(definition):
    return replace(definition, stages=frozenset(Stage))


TWO = {**FAKE_RAILS, "length": _anywhere(LENGTH)}


@pytest.fixture
def runner():
    made = RailRunner(RailLimits(rail_s=0.1, stage_s=0.4, max_abandoned=3))
    yield made
    RELEASE.set()
    made.close()
    RELEASE.clear()


def build(runner, *rails, definitions=TWO, revision=7):
    document = PolicyDocument(name="test", input=rails, output=rails, refusals=REFUSALS)
    return compile_policy(document, revision, definitions=definitions, runner=runner)


def run(policy, stage=Stage.INPUT, text=TEXT, context=None):
    return asyncio.run(policy.check(stage, text, context or RailContext()))


def statuses(report):
    return [record.status for record in report.records]


def length():
    return TWO["length"].params()


BROKEN = [act for act in FakeAct if act.name.startswith(("RAISE", "HANG", "RETURN"))] + [FakeAct.REWRITE]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("act", BROKEN)
def test_a_broken_rail_is_a_failure_and_stops_the_stage(runner, stage, act):
    policy = build(runner, FakeParams(does=act), length())
    report = run(policy, stage)
    assert statuses(report) == [RailStatus.ERROR, RailStatus.NOT_RUN]
    assert report.is_blocked
    assert report.has_failed
    assert report.stopped_by.name == "fake"
    assert TEXT not in repr(report.records)


@pytest.mark.parametrize("act", [FakeAct.HANG_SLEEPING, FakeAct.HANG_COMPUTING, FakeAct.RAISE_EXIT])
def test_the_next_check_works_after_a_thread_was_lost(runner, act):
    broken, sound = build(runner, FakeParams(does=act)), build(runner, FakeParams())
    assert run(broken).has_failed
    assert statuses(run(sound)) == [RailStatus.PASSED]


def test_a_computing_rail_is_told_to_end(runner):
    assert run(build(runner, FakeParams(does=FakeAct.HANG_COMPUTING))).has_failed
    deadline = time.monotonic() + 5
    while runner.abandoned and time.monotonic() < deadline:
        time.sleep(0.02)
    assert runner.abandoned == 0


def test_too_many_lost_threads_fail_every_check_until_one_ends(runner):
    hanging = build(runner, FakeParams(does=FakeAct.HANG_SLEEPING, sleep_s=60.0))
    sound = build(runner, FakeParams(), length())
    for _ in range(3):
        assert run(hanging).has_failed
    report = run(sound)
    assert statuses(report) == [RailStatus.ERROR, RailStatus.NOT_RUN]
    assert report.stopped_by.reason == "rail.no_thread"
    RELEASE.set()
    deadline = time.monotonic() + 10
    while runner.abandoned == 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not run(sound).is_blocked


def test_a_check_that_waits_behind_a_lost_thread_moves_to_the_next_one():
    runner = RailRunner(RailLimits(rail_s=0.1, stage_s=20.0, max_abandoned=3))
    hanging, sound = build(runner, FakeParams(does=FakeAct.HANG_SLEEPING)), build(runner, FakeParams())

    async def both():
        first = asyncio.create_task(hanging.check(Stage.INPUT, TEXT, RailContext()))
        await asyncio.sleep(0.02)
        return await asyncio.gather(first, sound.check(Stage.INPUT, TEXT, RailContext()))

    broken, fine = asyncio.run(both())
    runner.close()
    assert broken.has_failed
    assert not fine.is_blocked


def test_a_block_stops_the_stage_and_the_rest_is_not_run(runner):
    report = run(build(runner, FakeParams(does=FakeAct.BLOCK), length()))
    assert statuses(report) == [RailStatus.BLOCKED, RailStatus.NOT_RUN]
    assert report.stopped_by.reason == "fake.block"
    assert report.is_blocked
    assert not report.has_failed


def test_a_reason_that_quotes_the_text_is_replaced(runner):
    report = run(build(runner, FakeParams(does=FakeAct.LEAK)))
    assert report.stopped_by.reason == "fake.blocked"


@pytest.mark.parametrize("stage", list(Stage))
def test_a_rewrite_is_what_the_next_rail_sees(runner, stage):
    short = TWO["length"].params(max_chars=len(TEXT))
    for order, want in (
        ((FakeRewriteParams(), short), [RailStatus.MODIFIED, RailStatus.BLOCKED]),
        ((short, FakeRewriteParams()), [RailStatus.PASSED, RailStatus.MODIFIED]),
    ):
        report = run(build(runner, *order), stage)
        assert statuses(report) == want
        assert report.text == TEXT + "!"


def test_a_rewrite_to_nothing_is_a_failure(runner):
    policy = build(runner, FakeRewriteParams(suffix="@facts"), definitions=_probed_with_facts())
    assert run(policy, context=RailContext(facts="?")).text == TEXT + "?"
    assert run(policy).has_failed


def test_contexts_of_concurrent_checks_do_not_mix(runner):
    policy = build(runner, FakeRewriteParams(suffix="@facts"), definitions=_probed_with_facts())

    async def eight():
        return await asyncio.gather(
            *(policy.check(Stage.OUTPUT, TEXT, RailContext(facts=str(number))) for number in range(8))
        )

    assert [report.text for report in asyncio.run(eight())] == [f"{TEXT}{number}" for number in range(8)]


def test_a_computing_rail_does_not_stall_the_loop(runner):
    policy = build(runner, FakeParams(does=FakeAct.HANG_COMPUTING))

    async def watch():
        task = asyncio.create_task(policy.check(Stage.INPUT, TEXT, RailContext()))
        longest, before = 0.0, time.monotonic()
        while not task.done():
            await asyncio.sleep(0.005)
            now = time.monotonic()
            longest, before = max(longest, now - before), now
        return longest, await task

    longest, report = asyncio.run(watch())
    assert report.has_failed
    assert longest < 0.3


def test_a_cancelled_caller_leaves_nothing_behind(runner):
    policy, sound = build(runner, FakeParams(does=FakeAct.HANG_AWAITING)), build(runner, FakeParams())

    async def leave():
        task = asyncio.create_task(policy.check(Stage.INPUT, TEXT, RailContext()))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await sound.check(Stage.INPUT, TEXT, RailContext())

    assert not asyncio.run(leave()).is_blocked
    assert runner.abandoned == 0


def test_a_policy_whose_rail_fails_its_probes_is_refused(runner):
    with pytest.raises(
        ProbeFailed, match="'fake', with the parameters that it has here, let pass an example that it must stop"
    ):
        build(runner, FakeParams(does=FakeAct.FAIL_PROBES))


def test_a_rail_that_is_not_installed_is_refused(runner):
    with pytest.raises(PolicyInvalid, match="no rail 'length'"):
        build(runner, length(), definitions=FAKE_RAILS)


def test_a_check_that_is_gone_is_refused(runner):
    async def local_check(**_):
        return None

    gone = {**TWO, "fake": replace(TWO["fake"], check=local_check)}
    with pytest.raises(PolicyInvalid, match="cannot be compiled"):
        build(runner, FakeParams(), definitions=gone)


def test_a_rail_that_disappears_from_a_running_policy_is_a_failure(runner):
    policy = build(runner, FakeParams(), length())
    object.__setattr__(policy._checks[Stage.INPUT][0], "_rail", None)
    assert statuses(run(policy)) == [RailStatus.ERROR, RailStatus.NOT_RUN]


def test_a_policy_without_rails_cannot_exist(runner):
    with pytest.raises(ValueError, match="This is a bug"):
        RailsPolicy("test", 1, {Stage.INPUT: (), Stage.OUTPUT: ()}, REFUSALS, runner)
    document = PolicyDocument(name="test", input=(), output=(FakeParams(),), refusals=REFUSALS)
    with pytest.raises(PolicyInvalid, match="at least one rail"):
        compile_policy(document, 1, definitions=TWO, runner=runner)


def test_what_a_rail_raises_reaches_no_log(runner, caplog):
    caplog.set_level(logging.DEBUG)
    assert run(build(runner, FakeParams(does=FakeAct.RAISE))).has_failed
    assert TEXT not in caplog.text
    assert all(TEXT not in str(vars(record)) for record in caplog.records)
    assert not logging.getLogger("nemoguardrails").propagate
    (notice,) = [record for record in caplog.records if record.name == "canongate.rails.nemo"]
    assert notice.rail == "input.fake"


@pytest.mark.parametrize("limits", [{"rail_s": 0.0}, {"rail_s": 3.0}, {"max_abandoned": 0}])
def test_limits_out_of_range_are_refused(limits):
    with pytest.raises(ValueError, match="must be"):
        RailLimits(**limits)


def test_a_closed_runner_starts_again(runner):
    policy = build(runner, FakeParams())
    runner.close()
    assert not run(policy).is_blocked


def test_checks_from_several_loops_and_threads_work_at_once(runner):
    policy, reports = build(runner, FakeParams()), []
    threads = [threading.Thread(target=lambda: reports.append(run(policy))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [report.is_blocked for report in reports] == [False] * 8


def _probed_with_facts():
    context = RailContext(facts="x")
    probes = Probes((Probe("probe: block", context),), (Probe("probe: pass", context),))
    return {"fake_rewrite": replace(FAKE_RAILS["fake_rewrite"], probes=lambda _: probes)}


def _with_time(deadline_s):
    slow = replace(FAKE_RAILS["fake"], deadline_s=deadline_s, check=check_slowly)
    return {**TWO, "fake": slow}


async def check_slowly(text, params):
    if not text.startswith("probe: "):
        await asyncio.sleep(0.6)
    return await FAKE_RAILS["fake"].check(text, params)


def test_a_rail_with_a_deadline_of_its_own_may_wait_longer_than_others():
    runner = RailRunner(RailLimits(rail_s=0.1, stage_s=2.0, max_abandoned=3))
    assert run(build(runner, FakeParams(), definitions=_with_time(None))).stopped_by.reason == "rail.timeout"
    assert statuses(run(build(runner, FakeParams(), definitions=_with_time(1.5)))) == [RailStatus.PASSED]
    assert runner.abandoned == 0
    runner.close()


def test_a_deadline_of_its_own_ends_with_the_stage(runner):
    report = run(build(runner, FakeParams(), definitions=_with_time(30.0)))
    assert report.stopped_by.reason == "rail.timeout"
    assert 400 <= report.stopped_by.duration_ms < 600


def test_a_rail_with_no_time_to_run_cannot_exist():
    with pytest.raises(ValueError, match="no time to run"):
        _with_time(0.0)
