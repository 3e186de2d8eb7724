"""Rails that only watch, and what a rail may do with a text that it does not let pass."""

import asyncio
import copy
from dataclasses import replace
from types import MappingProxyType

import pytest

from rails.definition import OnFail
from rails.engine import compile_policy
from rails.errors import PolicyInvalid, ProbeFailed
from rails.fakes import FAKE_RAILS, RELEASE, FakeAct, FakeParams, FakeRewriteParams
from rails.policy import PolicyDocument, load_policy, policy_schema
from rails.registry import SHIPPED_RAILS
from rails.runner import RailLimits, RailRunner
from rails.types import RailContext, RailStatus, Stage

REFUSALS = {"en": {"default": "No."}}
GOOD = {
    "name": "small",
    "input": [{"rail": "length", "max_chars": 100}, {"rail": "injection", "monitor": True}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No."}},
}


@pytest.fixture
def runner():
    made = RailRunner(RailLimits(rail_s=0.1, stage_s=0.4))
    yield made
    made.close()


def policy_of(runner, *rails, definitions=MappingProxyType({**FAKE_RAILS, "length": SHIPPED_RAILS["length"]})):
    sound = FakeParams()
    names = {type(one).__struct_config__.tag for one in rails}
    last = () if "fake" in names else (sound,)
    document = PolicyDocument(name="test", input=(*rails, *last), output=(sound,), refusals=REFUSALS)
    return compile_policy(document, 1, definitions=definitions, runner=runner)


def report_of(runner, *rails, text="some text"):
    return asyncio.run(policy_of(runner, *rails).check(Stage.INPUT, text, RailContext()))


@pytest.mark.parametrize("act", [FakeAct.BLOCK, FakeAct.RAISE, FakeAct.HANG_AWAITING, FakeAct.RETURN_STR])
def test_a_rail_that_only_watches_is_recorded_and_stops_nothing(runner, act):
    report = report_of(runner, FakeParams(does=act, monitor=True), FakeRewriteParams(suffix="!"))
    watched, acting = report.records
    assert watched.status is (RailStatus.BLOCKED if act is FakeAct.BLOCK else RailStatus.ERROR)
    assert (watched.is_monitored, acting.is_monitored) == (True, False)
    assert (report.is_blocked, report.has_failed, report.stopped_by) == (False, False, None)
    assert report.text == "some text!"


TAKES_THE_THREAD = [FakeAct.HANG_SLEEPING, FakeAct.HANG_COMPUTING, FakeAct.RAISE_EXIT]


@pytest.fixture
def release():
    yield
    RELEASE.set()
    RELEASE.clear()


@pytest.mark.parametrize("act", TAKES_THE_THREAD)
@pytest.mark.usefixtures("release")
def test_a_watching_rail_that_takes_its_thread_away_fails_alone(runner, act):
    report = report_of(runner, FakeParams(does=act, monitor=True), FakeRewriteParams(suffix="!"))
    assert [record.status for record in report.records] == [RailStatus.ERROR, RailStatus.MODIFIED]
    assert (report.is_blocked, report.has_failed, report.text) == (False, False, "some text!")
    assert runner.abandoned == 0


@pytest.mark.parametrize("act", [FakeAct.HANG_SLEEPING, FakeAct.HANG_COMPUTING])
@pytest.mark.usefixtures("release")
def test_nobody_fails_while_watching_rails_hang(runner, act):
    policy = policy_of(runner, FakeParams(does=act, monitor=True), FakeRewriteParams(suffix="!"))

    async def ask_at_once():
        return await asyncio.gather(*(policy.check(Stage.INPUT, "some text", RailContext()) for _ in range(12)))

    reports = asyncio.run(ask_at_once())
    assert {report.text for report in reports} == {"some text!"}
    assert not any(report.has_failed or report.is_blocked for report in reports)
    assert {report.records[0].status for report in reports} == {RailStatus.ERROR}
    # Nor may it take longer than the stage may, counted from outside.
    assert all(report.records[0].duration_ms < 2000 * runner.limits.stage_s for report in reports)


SEEN = []


async def note_and_check(text, params):
    SEEN.append(text)
    return await FAKE_RAILS["fake"].check(text, params)


def test_a_watching_rail_is_given_what_the_acting_ones_before_it_left(runner):
    watching = FakeParams(does=FakeAct.BLOCK, monitor=True)
    definitions = {**FAKE_RAILS, "fake": replace(FAKE_RAILS["fake"], check=note_and_check)}
    for rails, given in (
        ((watching, FakeRewriteParams(suffix="!")), "some text"),
        ((FakeRewriteParams(suffix="!"), watching), "some text!"),
    ):
        policy = policy_of(runner, *rails, definitions=definitions)
        SEEN.clear()
        report = policy.check_blocking(Stage.INPUT, "some text", RailContext())
        assert [given] == SEEN
        assert report.text == "some text!"
        assert [record.name for record in report.records] == [type(one).__struct_config__.tag for one in rails]


def test_a_watching_rail_behind_a_stop_is_not_run(runner):
    length = SHIPPED_RAILS["length"].params(max_chars=3)
    report = report_of(runner, length, FakeParams(does=FakeAct.BLOCK, monitor=True))
    assert [record.status for record in report.records] == [RailStatus.BLOCKED, RailStatus.NOT_RUN]
    assert report.stopped_by.name == "length"


def test_a_rail_that_only_watches_changes_no_text(runner):
    report = report_of(runner, FakeRewriteParams(suffix="!", monitor=True))
    assert report.records[0].status is RailStatus.MODIFIED
    assert report.text == "some text"


def test_a_rail_that_only_watches_must_still_see_what_it_is_there_for(runner):
    with pytest.raises(ProbeFailed):
        report_of(runner, FakeParams(does=FakeAct.FAIL_PROBES, monitor=True))


def test_a_rail_changes_a_text_only_where_its_policy_lets_it(runner):
    with pytest.raises(ProbeFailed):
        report_of(runner, FakeRewriteParams(on_fail=OnFail.BLOCK))


def test_a_check_without_its_means_is_refused(runner):
    def needs_embedder(_params, services):
        if services.embed is None:
            raise PolicyInvalid("no embedder")
        return services.embed

    definition = replace(FAKE_RAILS["fake"], prepare=needs_embedder)
    document = PolicyDocument(name="t", input=(FakeParams(),), output=(FakeParams(),), refusals=REFUSALS)
    with pytest.raises(PolicyInvalid, match="no embedder"):
        compile_policy(document, 1, definitions={"fake": definition}, runner=runner)


def changed(stage, position, **fields):
    document = copy.deepcopy(GOOD)
    document[stage][position].update(fields)
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (changed("input", 0, on_fail="transform"), r"input\[0\], rail 'length': it can only let pass or block"),
        (changed("output", 0, on_fail="clarify"), r"output\[0\], rail 'secrets': nobody can be asked"),
        (changed("output", 0, monitor=True), "output: every rail only watches"),
        (changed("input", 0, on_fail="warn"), r"Invalid enum value 'warn' - at `\$.input\[0\].on_fail`"),
        (changed("input", 0, monitor="yes"), "Expected `bool`, got `str`"),
        ({**GOOD, "streaming": "live"}, "Invalid enum value 'live'"),
    ],
)
def test_what_a_rail_cannot_do_is_refused_with_the_remedy(document, words):
    with pytest.raises(PolicyInvalid, match=words):
        load_policy(document)


def test_a_policy_says_which_rails_ask_again():
    document = load_policy(changed("input", 0, on_fail="clarify"))
    policy = compile_policy(document, 1)
    assert policy.asks_again(Stage.INPUT, "length")
    assert not policy.asks_again(Stage.INPUT, "injection")
    assert not policy.asks_again(Stage.OUTPUT, "length")


def test_the_schema_has_each_rail_at_its_stages_with_what_every_rail_has():
    schema = policy_schema()
    rails = {
        stage: {one["$ref"] for one in schema["properties"][stage]["items"]["anyOf"]} for stage in ("input", "output")
    }
    assert "#/$defs/GroundingParams" in rails["output"] - rails["input"]
    assert "#/$defs/LengthParams" in rails["input"]
    for reference in rails["input"] | rails["output"]:
        assert {"rail", "on_fail", "monitor"} <= schema["$defs"][reference.rpartition("/")[2]]["properties"].keys()
