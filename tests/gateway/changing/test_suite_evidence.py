"""What blocks a change, from what its test sets come to on both sides."""

from dataclasses import replace

import msgspec
import pytest

from gateway.changing.suite_evidence import Asked, SuiteJudge
from gateway.changing.suite_runs import CaseVerdict
from tests.gateway.changing.gate_world import SUITE


class Told:
    """Answers a test set as it is told; every other case is right."""

    def __init__(self, **verdicts: dict) -> None:
        self._verdicts = verdicts
        self.asked: list[tuple[str, list[str]]] = []

    def ask(self, suite, assistant, asked):
        self.asked.append((assistant, [one.id for one in suite.cases]))
        right = {"is_right": True, "got": "as wanted"}
        return {one.id: CaseVerdict(one, **(self._verdicts.get(one.id) or right)) for one in suite.cases}


WRONG = {"is_right": False, "got": "answered it.hours", "is_wrong_prompt": True}
OFFERED = {"is_right": False, "got": "clarify: it.reset, it.hours", "is_offered": True}
LOST = {"is_right": False, "got": "no_match"}


def judged(gating, *, ahead: Told, live: Told) -> Asked:
    catalog = gating.live.current.catalog
    assert catalog.suites["small"] == SUITE
    return SuiteJudge(ahead=ahead, live=live).evidence(catalog, catalog, frozenset({"desk"}), lambda *_: None)


def test_a_prompt_that_is_offered_in_place_of_answered_is_told_and_does_not_block(gating):
    found = judged(gating, ahead=Told(reset=OFFERED), live=Told())
    assert found.problems == []
    assert found.notices == ["suite small: reset: the right prompt was the answer, and is offered among others now."]


def test_a_prompt_that_is_neither_answered_nor_offered_any_more_blocks(gating):
    (problem,) = judged(gating, ahead=Told(reset=LOST), live=Told()).problems
    assert "case reset: it was right, and is not any more" in problem


def test_a_miss_that_becomes_the_answer_of_another_prompt_blocks(gating):
    (problem, *_) = judged(gating, ahead=Told(reset=WRONG), live=Told(reset=LOST)).problems
    assert "case reset: it gets the answer of another prompt, and did not before: answer it.reset is wanted" in problem


def test_only_what_comes_to_the_same_is_not_right_as_before(gating):
    still = "suite small: 1 case is not right, as before."
    assert still in judged(gating, ahead=Told(reset=LOST), live=Told(reset=LOST)).notices
    assert still not in judged(gating, ahead=Told(reset=OFFERED), live=Told(reset=LOST)).notices


def test_a_test_set_that_comes_over_the_rate_blocks(gating):
    wrong = dict.fromkeys(("reset", "hours", "peru"), WRONG)
    problems = judged(gating, ahead=Told(**wrong), live=Told(reset=WRONG)).problems
    assert "suite small: 3 of 4 messages (75.0%) get the answer of another prompt, and desk tolerates 1.0%." in problems


def test_a_test_set_that_was_over_the_rate_blocks_only_when_it_gets_worse(gating):
    wrong = dict.fromkeys(("reset", "hours", "peru"), WRONG)
    better = dict.fromkeys(("reset", "hours"), WRONG)
    mended = judged(gating, ahead=Told(**better), live=Told(**wrong))
    assert mended.problems == []
    assert any(
        "2 of 4 messages (50.0%)" in one and one.endswith("it no worse, so it may go live.") for one in mended.notices
    )
    worse = judged(gating, ahead=Told(**wrong), live=Told(**better))
    assert any("3 of 4 messages" in one for one in worse.problems)


IDS = [one["id"] for one in SUITE["cases"]]
NAMELESS = {name: value for name, value in SUITE.items() if name != "assistant"}


@pytest.mark.parametrize("is_named", [True, False])
def test_a_test_set_that_is_turned_over_to_another_assistant_is_new_for_it_and_taken_out_of_the_first(gating, is_named):
    """Named, or left to the only assistant that there is, which is another one afterwards."""
    whole = gating.live.current.catalog
    other = msgspec.structs.replace(whole.assistants["desk"], name="other")
    named = {"small": SUITE | {"assistant": "other"}}
    if is_named:
        live = replace(whole, assistants={"desk": whole.assistants["desk"], "other": other})
        ahead = replace(live, suites=named)
    else:
        live = replace(whole, suites={"small": NAMELESS})
        ahead = replace(live, assistants={"other": other})
    asks, asks_live = Told(reset=LOST), Told()
    found = SuiteJudge(ahead=asks, live=asks_live).evidence(live, ahead, frozenset({"other"}), lambda *_: None)
    (problem,) = found.problems
    assert problem.startswith("suite small: case reset: it")
    assert f"suite small: 4 cases are taken out or altered: {', '.join(IDS)}." in found.notices
    assert ("desk", IDS) in asks_live.asked
    assert (("desk", IDS) in asks.asked) == is_named  # who is gone cannot be asked


def test_a_case_that_another_assistant_gets_wrong_blocks_also_where_it_was_wrong_before(gating):
    whole = gating.live.current.catalog
    other = msgspec.structs.replace(whole.assistants["desk"], name="other")
    live = replace(whole, assistants={"desk": whole.assistants["desk"], "other": other})
    ahead = replace(live, suites={"small": SUITE | {"assistant": "other"}})
    asks = SuiteJudge(ahead=Told(reset=LOST), live=Told(reset=LOST))
    found = asks.evidence(live, ahead, frozenset(), lambda *_: None)
    assert [one.partition(": answer")[0] for one in found.problems] == [
        "suite small: case reset: it is new, and not right"
    ]
    assert not any("as before" in one for one in found.notices)
