"""Gathers everything that is to be known of a catalog before it may be live, against the one that is."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol

from gateway.activation import PATIENCE
from gateway.approved_texts import withheld_texts
from gateway.changing.calibrating import calibration_evidence
from gateway.changing.servable import Servable, changed_prompts, unbuilt
from gateway.changing.suite_evidence import SuiteJudge
from gateway.changing.suite_runs import SuiteAsker
from gateway.changing.touching import touched_assistants
from gateway.errors import SettingsInvalid
from gateway.fitting.assembling import Assembled
from gateway.fitting.process import Progress
from gateway.live import LiveState
from gateway.publisher import compile_policies
from models.ports import Embedder, LanguageModel
from rails.case_runs import CaseRun
from rails.engine import RailsPolicy
from rails.errors import RailsError
from rails.runner import RailRunner
from store.catalog import Catalog
from store.changes.evidence import NOTHING_ELSE, GateResult
from store.content import PromptVersion
from store.formats.bundle import Bundle


class Trials(Protocol):
    """Makes matchers of catalogs that are not published."""

    def try_out(self, catalog: Catalog, like: Assembled | None = None, progress: Progress | None = None) -> Assembled:
        """Returns what would match; with `like`, tuned only if that one was, and a tuned fit is there. Blocks."""


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both states, made in the same way: what differs between them is the change alone."""

    ahead: LiveState
    live: LiveState | None
    """None where nothing is published, or what is cannot be built here."""
    tried: Assembled
    tried_live: Assembled | None


class Proving:
    """Tries a catalog out. It takes a minute of a thread; nothing is recorded, and nothing that serves is changed."""

    def __init__(self, servable: Servable, trials: Trials, model: LanguageModel, embedder: Embedder) -> None:
        self._servable = servable
        self._trials = trials
        self._model = model
        self._embedder = embedder

    def prove(self, live: Catalog, ahead: Catalog, step: Progress) -> GateResult:
        """Returns the evidence. Raises what keeps it from being gathered, which is no evidence for anything."""
        step("checking the documents", 0, 1)
        problems = list(self._servable.beside_policies(live, ahead))
        notices: list[str] = []
        for name, found in self._servable.examined(live, ahead).items():
            problems += unbuilt(name, found)
            problems += (_wrong_test(name, run) for run in found.cases if not run.is_right)
            notices += (
                f"{_wrong_test(name, run)} The test is live, and taken out." for run in found.lost if not run.is_right
            )
        if problems:
            return GateResult(problems=tuple(problems), notices=(NOTHING_ELSE, *notices))
        with ExitStack() as stack:
            runner = stack.enter_context(closing(RailRunner(PATIENCE)))
            try:
                policies = compile_policies(ahead, runner, self._servable.services)
            except (RailsError, SettingsInvalid) as error:
                return GateResult(problems=(str(error),), notices=(NOTHING_ELSE, *notices))
            sides = self._sides(live, ahead, policies, runner, step)
            return self._compared(sides, problems, notices, step)

    def _sides(
        self, live: Catalog, ahead: Catalog, policies: Mapping[str, RailsPolicy], runner: RailRunner, step: Progress
    ) -> _Sides:
        tried = self._trials.try_out(ahead, progress=step)
        if not live.assistants:
            return _Sides(LiveState(ahead, tried.matcher, policies), None, tried, None)
        tried_live = self._trials.try_out(live, tried, progress=step)
        if tried_live.fit.is_tuned != tried.fit.is_tuned:  # no trial tunes, so only the draft has a tuned fit
            tried = self._trials.try_out(ahead, tried_live, progress=step)
        state = LiveState(ahead, tried.matcher, policies)
        same = {name: one for name, one in policies.items() if _is_same_policy(name, live, ahead)}
        try:
            before = compile_policies(live, runner, self._servable.services, same)
        except (RailsError, SettingsInvalid):
            return _Sides(state, None, tried, tried_live)  # nothing serves it either
        return _Sides(state, LiveState(live, tried_live.matcher, before), tried, tried_live)

    def _compared(self, sides: _Sides, problems: list[str], notices: list[str], step: Progress) -> GateResult:
        live = None if sides.live is None else sides.live.catalog
        ahead = sides.ahead.catalog
        touched = touched_assistants(live, ahead)
        step("checking the approved texts", 0, 1)
        problems += self._withheld(sides, touched)
        before = {} if sides.tried_live is None else sides.tried_live.calibrations
        calibrated = calibration_evidence(ahead, touched, sides.tried.calibrations, before)
        problems += calibrated.problems
        notices += calibrated.notices
        embed = self._embedder.embed
        judge = SuiteJudge(
            ahead=SuiteAsker(sides.ahead, self._model, embed),
            live=None if sides.live is None else SuiteAsker(sides.live, self._model, embed),
        )
        asked = judge.evidence(live, ahead, touched, step)
        return GateResult(
            problems=(*problems, *asked.problems),
            notices=(*notices, *asked.notices),
            suites=asked.suites,
            calibrations=calibrated.calibrations,
        )

    @staticmethod
    def _withheld(sides: _Sides, touched: frozenset[str]) -> Iterator[str]:
        """Gives the approved texts that would be kept from people, and are not live."""
        ahead, live = sides.ahead.catalog, sides.live
        for name in sorted(touched):
            assistant = ahead.assistants[name]
            versions: Iterable[PromptVersion] = ahead.prompts.values()
            if live is not None and _is_same_way(name, live.catalog, ahead):
                versions = changed_prompts(live.catalog, ahead)
            part = Bundle(prompts=tuple(one.content for one in versions), assistants=(assistant,))
            if found := tuple(withheld_texts(part, sides.ahead.policies)):
                known = frozenset() if live is None else _withheld_live(name, part, live)
                # In front of each line stands the assistant: its name is not for everybody who reads the prompt.
                yield from (f"assistant {name}: {line}" for line in found if line not in known)


def _withheld_live(assistant: str, part: Bundle, live: LiveState) -> frozenset[str]:
    """Returns what is withheld already, of the same prompts."""
    before = live.catalog.assistants.get(assistant)
    if before is None:
        return frozenset()
    keys = sorted({one.key for one in part.prompts} & live.catalog.prompts.keys())
    texts = tuple(live.catalog.prompts[key].content for key in keys)
    return frozenset(withheld_texts(Bundle(prompts=texts, assistants=(before,)), live.policies))


def _wrong_test(policy: str, run: CaseRun) -> str:
    return f"policy {policy}: test {run.number} on {run.case.stage.value} should be {run.wanted}, and is {run.got}."


def _is_same_policy(name: str, live: Catalog, ahead: Catalog) -> bool:
    return name in live.policies and live.policies[name].document == ahead.policies[name].document


def _is_same_way(assistant: str, live: Catalog, ahead: Catalog) -> bool:
    """Whether an assistant and its policy are as they are live."""
    before, after = live.assistants.get(assistant), ahead.assistants[assistant]
    return before == after and _is_same_policy(after.policy, live, ahead)
