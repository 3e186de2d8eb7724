"""Feedback: what people said of answers, how often each version of a prompt helped, and all of it as a file."""

from collections.abc import Iterable
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Stream

from gateway.errors import InvalidRequest
from gateway.feedback import MESSAGE_FORMATS, PAIR_FORMATS
from gateway.http.downloads import download
from gateway.http.pages.choices import EXPECTED, assistants_of, case_path, chosen, suites_of, titles_of, typed
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.times import day_of
from gateway.http.pages.visit import ROWS, Visit
from store.feedback import HelpfulRate, Verdict
from store.formats.suite import Expectation
from store.repositories.feedback import SORTS, FeedbackFilter, JudgedAnswer

_Asked = NamedDependency[SkipValidation[Visit]]
_FEEDBACK = "/admin/feedback"
FILTERS = ("verdict", "assistant", "prompt", "version", "since", "until")
FORMATS = (*PAIR_FORMATS, *MESSAGE_FORMATS)
_FEW = 5
"""Verdicts below which a rate says next to nothing, and stands behind the others."""
_MOST_DIGITS = 9


@get(_FEEDBACK, operation_id="feedback_page")
async def feedback_page(visit: _Asked) -> Response[str]:
    """Lists feedback, the last changed first."""
    desk, sorting = visit.administration.feedback, sorting_of(visit, SORTS, "-at")
    found = await visit.call(desk.sorted_page, visit.actor, _wanted(visit), sorting.order, limit=ROWS + 1)
    shown, further = sorting.cut(found, lambda one: one.feedback.decision)
    return visit.show(
        "feedback.html",
        judged=shown,
        cases=await _cases(visit, shown),
        **_shared(visit),
        verdicts=list(Verdict),
        formats=FORMATS,
        sorting=sorting,
        further=further,
    )


@get(f"{_FEEDBACK}/rates", operation_id="helpful_rates_page")
async def helpful_rates_page(visit: _Asked) -> Response[str]:
    """Lists how often versions of prompts helped, those that surely help least first."""
    found = await visit.call(visit.administration.feedback.rates, visit.actor, _wanted(visit))
    return visit.show("feedback_rates.html", rates=sorted(found, key=_worst_first), few=_FEW, **_shared(visit))


@get(f"{_FEEDBACK}/export", operation_id="export_feedback_page")
async def export_feedback_page(visit: _Asked) -> Stream:
    """Streams what is filtered as preference pairs or messages; the audit trail says who took it."""
    name = typed(visit, "format")
    if name not in FORMATS:
        raise InvalidRequest("invalid_query", f"`format` takes {', '.join(FORMATS)}.", param="format")
    made = await visit.call(visit.administration.feedback.export, visit.actor, _wanted(visit), name)
    headers = {"content-disposition": f'attachment; filename="canongate-feedback-{name}.jsonl"'}
    return await download(made.pieces, media_type="application/jsonl", headers=headers)


def _worst_first(rate: HelpfulRate) -> tuple[bool, float, str]:
    return rate.up + rate.down < _FEW, rate.interval[1], rate.prompt_key


def _shared(visit: Visit) -> dict[str, Any]:
    filters = {name: typed(visit, name) for name in FILTERS}
    return {
        "filters": filters,
        "is_filtered": any(filters.values()),
        "assistants": assistants_of(visit),
        "titles": titles_of(visit),
    }


async def _cases(visit: Visit, shown: Iterable[JudgedAnswer]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns by decision the test sets that its question can be added to, each with the address of its form.

    Of an answer that did not help, the prompt that should have answered is left to be named.
    """
    names: dict[str, tuple[str, ...]] = {}
    found = {}
    for one in shown:
        if one.decision is None or one.words is None:
            continue
        assistant, message, is_good = one.feedback.assistant, one.words.message, one.feedback.verdict is Verdict.UP
        expect = EXPECTED.get(one.decision.outcome, Expectation.ANSWER) if is_good else Expectation.ANSWER
        prompt = one.feedback.prompt_key if is_good and expect is Expectation.ANSWER else None
        names[assistant] = names.get(assistant) or await suites_of(visit, assistant)
        found[one.feedback.decision] = tuple((n, case_path(n, message, expect, prompt)) for n in names[assistant])
    return found


def _wanted(visit: Visit) -> FeedbackFilter:
    version = typed(visit, "version")
    if version and not (version.isascii() and version.isdigit() and len(version) <= _MOST_DIGITS):
        raise InvalidRequest("invalid_query", "`version` takes the number of a version.", param="version")
    return FeedbackFilter(
        verdict=chosen(visit, "verdict", Verdict),
        assistant=typed(visit, "assistant") or None,
        prompt=typed(visit, "prompt") or None,
        version=int(version) if version else None,
        since=day_of(visit, "since"),
        until=day_of(visit, "until", at_end=True),
    )
