"""Compares what test sets come to before and after a change, and judges what may not be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.changing.suite_runs import CaseVerdict, SuiteAsker
from gateway.fitting.process import Progress
from store.catalog import Catalog
from store.changes.evidence import CaseEvidence, SuiteEvidence
from store.errors import InvalidContent
from store.formats.bundle import convert_document
from store.formats.suite import Suite, SuiteCase
from store.learning.metrics import wilson

_MOST_TOLD = 200
"""Cases of a test set that are told one by one."""
_MOST_NAMED = 10
"""Problems of one test set that are told one by one."""


@dataclass(slots=True)
class Asked:
    """What was found, as it is gathered."""

    suites: tuple[SuiteEvidence, ...] = ()
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A test set, as it would be and as it is live."""

    name: str
    assistant: str
    after: Suite
    before: Suite | None
    asked_before: str
    """The assistant that the live one asks."""

    def is_new(self, case: SuiteCase) -> bool:
        """Whether the assistant is not asked the case live in this form."""
        return self.before is None or self.asked_before != self.assistant or case not in self.before.cases

    @property
    def taken_out(self) -> tuple[SuiteCase, ...]:
        """Live cases that their assistant is no longer asked in their form."""
        is_turned_over = self.asked_before != self.assistant
        cases = () if self.before is None else self.before.cases
        return tuple(case for case in cases if is_turned_over or case not in self.after.cases)


class SuiteJudge:
    """Asks both states."""

    def __init__(self, *, ahead: SuiteAsker, live: SuiteAsker | None) -> None:
        self._ahead = ahead
        self._live = live

    def evidence(self, live: Catalog | None, ahead: Catalog, touched: frozenset[str], step: Progress) -> Asked:
        """Returns what the test sets of the touched assistants, and those that change, come to."""
        found = Asked()
        pairs = [pair for name in sorted(ahead.suites) if (pair := _pair(name, live, ahead, found)) is not None]
        wanted = [pair for pair in pairs if pair.assistant in touched or pair.after != pair.before]
        found.notices += (
            f"assistant {name}: no test set asks it. What a change does to its answers is measured on phrasings alone."
            for name in sorted(touched - {pair.assistant for pair in pairs})
        )
        if live is not None:
            found.notices += (f"suite {name}: it is taken away." for name in sorted(live.suites.keys() - ahead.suites))
        total = sum(len(pair.after.cases) + len(pair.taken_out) for pair in wanted) * (1 if self._live is None else 2)
        done = 0

        def asked() -> None:
            nonlocal done
            done += 1
            step("asking the test sets", done, total)

        for pair in wanted:
            rate = ahead.assistants[pair.assistant].match.false_match_rate
            after, before = self._both(pair.after, pair.assistant, live, ahead, asked)
            found.suites += (_judged(pair, after, before, rate, found),)
            if pair.taken_out:
                out = Suite(name=pair.name, title=pair.after.title, cases=pair.taken_out)
                _look_at_taken_out(pair, *self._both(out, pair.asked_before, live, ahead, asked), found)
        return found

    def _both(
        self, suite: Suite, assistant: str, live: Catalog | None, ahead: Catalog, asked: Callable[[], None]
    ) -> tuple[Mapping[str, CaseVerdict], Mapping[str, CaseVerdict]]:
        """Returns what a test set comes to ahead and live, where the assistant is."""
        sides = ((self._ahead, ahead), (self._live, live))
        after, before = (
            asker.ask(suite, assistant, asked) if asker and catalog and assistant in catalog.assistants else {}
            for asker, catalog in sides
        )
        return after, before


def _pair(name: str, live: Catalog | None, ahead: Catalog, found: Asked) -> _Pair | None:
    try:
        suite = convert_document(ahead.suites[name], Suite)
    except InvalidContent as error:
        found.problems.append(f"suite {name}: it cannot be read: {error}")
        return None
    assistant = _asked_by(suite, ahead)
    if assistant is None or assistant not in ahead.assistants:
        wanted = f"there is no assistant {assistant}" if assistant else "it does not say which assistant it asks"
        found.problems.append(f"suite {name}: assistant: {wanted}. Name one that there is.")
        return None
    before, asked_before = None, assistant
    if live is not None and name in live.suites:
        try:
            before = convert_document(live.suites[name], Suite)
            asked_before = _asked_by(before, live) or assistant
        except InvalidContent:
            found.notices.append(f"suite {name}: what is live of it cannot be read, so it counts as new.")
    return _Pair(name, assistant, suite, before, asked_before)


def _asked_by(suite: Suite, catalog: Catalog) -> str | None:
    """Returns the assistant that the test set names, or the only one."""
    return suite.assistant or (next(iter(catalog.assistants)) if len(catalog.assistants) == 1 else None)


def _look_at_taken_out(
    pair: _Pair, after: Mapping[str, CaseVerdict], before: Mapping[str, CaseVerdict], found: Asked
) -> None:
    """Tells which tests the change takes out or alters, and which of them it would not pass."""
    lost = [one for one, verdict in after.items() if not verdict.is_right and _was_right(before.get(one))]
    found.notices.append(
        f"suite {pair.name}: {_count(len(pair.taken_out), 'case')} taken out or altered: "
        f"{_listed([case.id for case in pair.taken_out])}."
    )
    if lost:
        found.notices.append(
            f"suite {pair.name}: of these, {_listed(lost)} would not be right any more in the live form."
        )


def _judged(
    pair: _Pair,
    after: Mapping[str, CaseVerdict],
    before: Mapping[str, CaseVerdict],
    rate: float,
    found: Asked,
) -> SuiteEvidence:
    cases = [_case_evidence(pair.name, one, after[one.id], before.get(one.id)) for one in pair.after.cases]
    by_id = {case.id: case for case in pair.after.cases}
    blocking = {
        one.case: f"suite {pair.name}: case {one.case}: {why}: {one.expected} is wanted, and it comes to {one.got}"
        for one in cases
        if (why := _why_blocking(one, after[one.case], before.get(one.case), is_new=pair.is_new(by_id[one.case])))
    }
    found.problems += list(blocking.values())[:_MOST_NAMED]
    if len(blocking) > _MOST_NAMED:
        found.problems.append(f"suite {pair.name}: {len(blocking) - _MOST_NAMED} more cases like these.")
    _look_at_rate(pair, after, before, rate, found)
    softened = [one.case for one in cases if one.is_regression and after[one.case].is_offered]
    if softened:
        found.notices.append(
            f"suite {pair.name}: {_listed(softened)}: the right prompt was the answer, and is offered among others now."
        )
    still = sum(not one.is_right and one.got == one.before and one.case not in blocking for one in cases)
    if still:
        found.notices.append(f"suite {pair.name}: {_count(still, 'case')} not right, as before.")
    return SuiteEvidence(
        name=pair.name,
        assistant=pair.assistant,
        cases=len(cases),
        right=sum(one.is_right for one in cases),
        right_before=sum(verdict.is_right for verdict in before.values()) if before else None,
        differing=tuple(one for one in cases if not one.is_right or one.was_right is False)[:_MOST_TOLD],
    )


def _look_at_rate(
    pair: _Pair, after: Mapping[str, CaseVerdict], before: Mapping[str, CaseVerdict], rate: float, found: Asked
) -> None:
    """Tells of a test set over the rate that is tolerated. One that was over it, and gets no worse, may be mended."""
    wrong, was_wrong = (sum(one.is_wrong_prompt for one in side.values()) for side in (after, before))
    if wilson(wrong, len(after)).low <= rate:
        return
    told = (
        f"suite {pair.name}: {wrong} of {len(after)} messages ({wrong / len(after):.1%}) get the answer of another "
        f"prompt, and {pair.assistant} tolerates {rate:.1%}."
    )
    was_over = bool(before) and wilson(was_wrong, len(before)).low > rate
    if was_over and wrong <= was_wrong:
        found.notices.append(
            f"{told} Live it is {was_wrong} of {len(before)}: this makes it no worse, so it may go live."
        )
    else:
        found.problems.append(told)


def _why_blocking(  # noqa: PLR0911 -- one for each reason
    one: CaseEvidence, verdict: CaseVerdict, before: CaseVerdict | None, *, is_new: bool
) -> str:
    if one.is_right:
        return ""
    if verdict.is_unasked:
        return "nothing is known of it"
    if one.is_regression:
        return "" if verdict.is_offered else "it was right, and is not any more"
    if is_new:
        return "it is new, and not right"
    if before is None or before.is_unasked:
        return "it is not right, and nothing is known of it live"
    if verdict.is_wrong_prompt and not before.is_wrong_prompt:
        return "it gets the answer of another prompt, and did not before"
    return ""


def _case_evidence(suite: str, case: SuiteCase, after: CaseVerdict, before: CaseVerdict | None) -> CaseEvidence:
    return CaseEvidence(
        suite=suite,
        case=case.id,
        expected=wanted_of(case),
        got=after.got,
        before="" if before is None else before.got,
        was_right=None if before is None or before.is_unasked else before.is_right,
        is_right=after.is_right,
    )


def wanted_of(case: SuiteCase) -> str:
    """Returns what must come of a case, in words."""
    by = f"by {case.by}" if case.by else ""
    asked = f"for {case.ask}" if case.ask else ""
    words = (case.expect.value, case.prompt or "", asked, by)
    return " ".join(filter(None, words))


def _was_right(verdict: CaseVerdict | None) -> bool:
    return verdict is not None and verdict.is_right


def _count(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
