"""What the gate finds about a change: regressions, rates, collisions, policies, and tests that say nothing."""

from dataclasses import replace

import pytest

from gateway.changing import suite_runs
from models.errors import ModelUnavailable
from rails.fakes import FakeJudge
from store.calibration import Calibration
from store.changes.evidence import RunState
from store.changes.types import Edit, EditKind, Item
from store.errors import Conflict
from store.learning.metrics import wilson
from store.learning.report import NearerElsewhere, Report, StoreRates
from store.scoring import Limits
from tests.building import POLICY, RESET, SUMMARY
from tests.gateway.changing.gate_world import BOB, SUITE

CASES = SUITE["cases"]
JUDGED = {"rail": "self_check", "model": "judge", "accuracy_measured": 0.95, "message_reaches_model": True}


@pytest.fixture(autouse=True)
def _without_rests(monkeypatch):
    monkeypatch.setattr(suite_runs, "_REST", 0.0)


def suite_edit(gating, *cases, **fields):
    return gating.edit_of(EditKind.SUITE, "small", SUITE | {"cases": [*cases]} | fields)


def policy_edit(gating, **fields):
    return gating.edit_of(EditKind.POLICY, "desk", POLICY | fields)


def failed(run) -> str:
    assert run.state is RunState.FAILED, (run.state, run.result)
    return "\n".join(run.result.problems)


def test_a_case_that_was_right_and_is_not_any_more_blocks(gating):
    change = gating.submitted(gating.edit(phrasings=["Send me a new secret word", "Where is my secret word"]))
    run = gating.run(change)
    assert "suite small: case reset: it was right, and is not any more: answer it.reset is wanted" in failed(run)
    (suite,) = run.result.suites
    (case,) = suite.differing
    assert (case.case, case.was_right, case.is_right, case.is_regression) == ("reset", True, False, True)
    with pytest.raises(Conflict, match="failed"):
        gating.reviews.approve(BOB, change.id, rev=change.rev)


def test_a_case_that_was_wrong_before_is_told_and_does_not_block(gating):
    wrong = {"id": "odd", "kind": "own", "message": "quite something else", "expect": "answer", "prompt": "it.reset"}
    gating.publish(suites={"small": SUITE | {"cases": [*CASES, wrong]}})
    run = gating.tried()
    assert run.state is RunState.PASSED
    assert "suite small: 1 case is not right, as before." in run.result.notices


def test_a_new_case_must_be_right(gating):
    wrong = {"id": "odd", "kind": "own", "message": "quite something else", "expect": "answer", "prompt": "it.reset"}
    assert "case odd: it is new, and not right" in failed(gating.tried(suite_edit(gating, *CASES, wrong)))


def test_tests_that_are_taken_out_are_told_with_what_they_would_have_said(gating):
    edits = (gating.edit(phrasings=["Send me a new secret word"]), suite_edit(gating, *CASES[1:]))
    run = gating.tried(*edits)
    told = "\n".join(run.result.notices)
    assert "suite small: 1 case is taken out or altered: reset." in told
    assert "suite small: of these, reset would not be right any more in the live form." in told


def test_a_test_set_that_goes_is_told(gating):
    live = gating.live.current.catalog.suites["small"]
    assert live == SUITE
    gone = Edit(EditKind.SUITE, "small", None, gating.edit_of(EditKind.SUITE, "small", None).base)
    run = gating.tried(gone, gating.edit(title="Other"))
    assert "suite small: it is taken away." in run.result.notices
    assert any("no test set asks it" in notice for notice in run.result.notices)


def test_a_test_set_that_cannot_be_read_or_asks_nobody_is_a_problem(gating):
    assert "cases" in failed(gating.tried(suite_edit(gating, {"id": "x"})))
    nobody = suite_edit(gating, *CASES, assistant="nobody")
    assert "there is no assistant nobody" in failed(gating.tried(nobody))


def test_a_part_that_does_not_work_is_a_problem_and_no_pass(gating, monkeypatch):
    def gone(_texts):
        raise ModelUnavailable("told to be gone")

    real = gating.trials.matcher

    def broken(catalog):
        made = real(catalog)
        made._embed = gone
        return made

    monkeypatch.setattr(gating.trials, "matcher", broken)
    assert "case hours: nothing is known of it" in failed(gating.tried())


def calibration(false: float, *nearer: NearerElsewhere, stated: float = 0.01) -> Calibration:
    share = wilson(false * 1000, 1000)
    right, none = wilson(800, 1000), wilson(0, 1000)
    rates = StoreRates(right, none, none, share, none, None, None, None)
    limits = Limits(answer=0.7, suggest=0.4, margin=0.0, floor=-1.0, follow_up=0.7)
    report = Report(stated, 0.5, limits, 0, rates, (), (), nearer, (), ())
    return Calibration(limits, report, None)


def test_an_assistant_over_its_rate_blocks(gating):
    gating.trials.calibrations = {1: {"desk": calibration(0.005)}, 2: {"desk": calibration(0.05)}}
    run = gating.tried()
    assert "assistant desk: 5.0% of the messages would be answered wrongly, and it tolerates 1.0%" in failed(run)
    (found,) = run.result.calibrations
    assert (found.false_match, found.false_match_before, found.is_over_rate) == (0.05, 0.005, True)


def test_a_tuned_draft_is_not_compared_with_what_is_live_untuned(gating, monkeypatch):
    gating.trials.calibrations = {1: {"desk": calibration(0.005)}, 2: {"desk": calibration(0.006)}}
    real, tried = gating.trials.try_out, []

    def try_out(catalog, like=None, progress=None):
        made = real(catalog, like, progress)
        is_tuned = catalog.revision == 2 and (like is None or like.fit.is_tuned)
        tried.append((catalog.revision, is_tuned))
        calibrations = {"desk": calibration(0.001)} if is_tuned else made.calibrations
        return replace(made, fit=replace(made.fit, is_tuned=is_tuned), calibrations=calibrations)

    monkeypatch.setattr(gating.trials, "try_out", try_out)
    (found,) = gating.tried().result.calibrations
    assert tried == [(2, True), (1, False), (2, False)]
    assert (found.false_match, found.false_match_before) == (0.006, 0.005)


def test_an_assistant_that_was_over_its_rate_blocks_only_when_it_gets_worse(gating):
    gating.trials.calibrations = {1: {"desk": calibration(0.05)}, 2: {"desk": calibration(0.04)}}
    run = gating.tried()
    assert run.state is RunState.PASSED
    assert any("4.0% of the messages would be answered wrongly" in notice for notice in run.result.notices)
    gating.trials.calibrations = {1: {"desk": calibration(0.04)}, 2: {"desk": calibration(0.05)}}
    assert "5.0% of the messages would be answered wrongly" in failed(gating.tried())


def test_an_assistant_that_the_change_does_not_touch_is_not_measured(gating):
    gating.trials.calibrations = {2: {"desk": calibration(0.05)}}
    run = gating.tried(gating.edit_of(EditKind.POLICY, "spare", POLICY | {"name": "spare"}))
    assert (run.state, run.result.calibrations, run.result.suites) == (RunState.PASSED, (), ())


def test_phrasings_that_come_nearer_to_another_prompt_are_told(gating):
    known = NearerElsewhere("old words", "it.reset", 0.4, "other words", "it.hours", 0.6)
    new = NearerElsewhere("new words", "it.reset", 0.4, "other words", "it.hours", 0.6)
    gating.trials.calibrations = {1: {"desk": calibration(0.0, known)}, 2: {"desk": calibration(0.0, known, new)}}
    run = gating.tried()
    assert run.state is RunState.PASSED
    (found,) = run.result.calibrations
    (line,) = found.collisions
    assert "'new words' of it.reset is nearer to 'other words' of it.hours" in line
    assert f"assistant desk: {line}" in run.result.notices


def test_too_few_phrasings_to_measure_are_told(gating):
    assert any("too few to measure" in notice for notice in gating.tried().result.notices)


def test_a_policy_that_cannot_be_built_or_whose_probe_fails_blocks(gating):
    unknown = policy_edit(gating, input=[{"rail": "no-such-rail"}])
    assert "policy desk: " in failed(gating.tried(unknown))
    # A word that is in the rail's own good example: it then stops what it must let pass.
    blind = policy_edit(gating, input=[{"rail": "length", "max_chars": 1}])
    assert "policy desk: " in failed(gating.tried(blind))


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (FakeJudge(answer=lambda _is_bad: "no"), "let pass an example that it must stop"),
        (FakeJudge(answer=lambda _is_bad: "yes"), "stopped an example that it must let pass"),
        (FakeJudge(answer=lambda _is_bad: "perhaps"), "could not finish a probe of its own"),
    ],
    ids=["stops nothing", "stops everything", "cannot tell"],
)
def test_a_rail_that_fails_its_own_probe_in_the_gate_blocks_the_approval(gating, judge, said):
    servable = gating.prover._servable
    object.__setattr__(servable, "services", replace(servable.services, ask=judge))
    change = gating.submitted(policy_edit(gating, input=[*POLICY["input"], JUDGED]))
    run = gating.run(change)
    assert "policy desk: input: the rail 'self_check'" in failed(run)
    assert said in failed(run)
    with pytest.raises(Conflict, match="failed"):
        gating.reviews.approve(BOB, change.id, rev=change.rev)


def test_the_same_rail_that_does_its_work_keeps_nobody_from_approving(gating):
    servable = gating.prover._servable
    object.__setattr__(servable, "services", replace(servable.services, ask=FakeJudge()))
    change = gating.submitted(policy_edit(gating, input=[*POLICY["input"], JUDGED]))
    assert gating.run(change).state is RunState.PASSED


def test_a_policys_own_test_that_fails_blocks(gating):
    test = {"text": "How do I reset my password?", "stage": "input", "expect": "blocked"}
    assert "policy desk: test 1 on input should be blocked" in failed(gating.tried(policy_edit(gating, tests=[test])))


def test_a_policy_that_stops_less_is_seen_by_its_test_set(gating):
    rails = [one for one in POLICY["input"] if one["rail"] != "injection"]
    weaker = policy_edit(gating, input=rails, refusals={"en": {"default": "That was stopped by a check."}})
    assert "case attack: it was right, and is not any more: blocked by injection" in failed(gating.tried(weaker))


def test_an_approved_text_that_the_rails_would_withhold_blocks(gating):
    fallback = RESET["reply"] | {"fallback": "Open https://elsewhere.example/password."}
    assert "prompts/it/reset.yaml: reply.fallback: the rail urls" in failed(gating.tried(gating.edit(reply=fallback)))


def test_sampling_that_no_model_can_use_and_sentences_that_the_embedder_cannot_read_block(gating):
    reply = RESET["reply"] | {"sampling": {"grammar": "root ::= no-such-rule"}}
    assert "could not be answered" in failed(gating.tried(gating.edit(reply=reply)))
    long = gating.edit(phrasings=["word " * 39 + "end"])
    object.__setattr__(gating.embedder, "max_tokens", 10)
    assert "word pieces" in failed(gating.tried(long))


def test_documents_that_contradict_each_other_block(gating):
    twice = gating.edit("it.mail", phrasings=["I forgot my password"])
    assert "is a phrasing of prompt it.reset already" in failed(gating.tried(twice))


def test_a_removed_policy_that_is_in_use_blocks(gating):
    gone = gating.edit_of(EditKind.POLICY, "desk", None)
    assert Item(EditKind.POLICY, "desk") == gone.item
    assert "there is no policy desk" in failed(gating.tried(gone))


def test_nobody_is_quoted_to_the_model_without_the_rails_for_it(gating):
    quoting = gating.edit_of(EditKind.PROMPT, "it.summary", SUMMARY)
    bare = policy_edit(gating, output=[{"rail": "secrets"}])
    told = failed(gating.tried(quoting, bare))
    assert "it.summary quotes people's own texts to the model, and policy desk lacks grounding." in told
