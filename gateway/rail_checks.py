"""Tries texts against an assistant's rails: what they would say, without a model, an answer or a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.credentials import Principal
from gateway.errors import InvalidRequest, NotServing
from gateway.limits import Admission, Charged
from gateway.live import Live
from rails.engine import RailsPolicy
from rails.languages import spoken
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage
from store.content import Assistant

CANONICALIZE = "canonicalize"
"""The name under which the refusal of a message's characters is recorded, as in a decision."""
_HIDDEN = "hidden"


class CheckStatus(StrEnum):
    """What the rails said of a text."""

    PASSED = "passed"
    MODIFIED = "modified"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQuestion:
    """The texts to try, and for whom."""

    assistant: str
    principal: Principal
    texts: Mapping[Stage, str]
    """One text or two; the message goes before the answer, and a blocked message leaves the answer unchecked."""
    facts: str = ""
    """What the answer may draw on."""
    policy: str | None = None
    """The policy that the caller expects; that the assistant has another one is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the rails said. Every rail of every stage that was asked for has its record."""

    status: CheckStatus
    """Of the last text; blocked when any is."""
    text: str
    """The last text as it may go on, or what a person would read instead."""
    stopped_by: str | None
    records: tuple[RailRecord, ...]
    policy: RailsPolicy
    rate: Charged


class RailChecks:
    """Runs checks under the same admission as questions."""

    def __init__(self, live: Live, admission: Admission) -> None:
        self._live = live
        self._admission = admission
        self._log = structlog.get_logger("canongate.check")

    async def check(self, question: CheckQuestion) -> Checked:
        """Returns the verdict on the texts.

        Raises `InvalidRequest` for what the caller can fix, `RateLimited`, and `NotServing` when a rail broke.
        """
        state = self._live.serving
        assistant = state.assistant(question.assistant, question.principal)
        policy = state.policies[assistant.policy]
        if question.policy not in (None, policy.name):
            message = f"The policy of this assistant is `{policy.name}`. Send that name, or none."
            raise InvalidRequest("validation_error", message, param="guardrails.config_id")
        rate = await self._admission.charge(question.principal, assistant.name)
        reports = await _reports(question, assistant, policy)
        records = tuple(record for report in reports for record in report.records)
        stopped = next((record for record in records if record.stops), None)
        status = _status(question, reports)
        # Decided by the first stage that stopped the text: those behind it were not to run.
        has_failed = next((report.has_failed for report in reports if report.is_blocked), False)
        self._note(question, policy, records, None if has_failed else status)
        if has_failed:
            raise NotServing("rails_unavailable", "A check could not be completed, so the text counts as not checked.")
        return Checked(
            status=status,
            text=_refusal(question, assistant, policy, stopped) if stopped else reports[-1].text,
            stopped_by=stopped.name if stopped else None,
            records=records,
            policy=policy,
            rate=rate,
        )

    def _note(
        self,
        question: CheckQuestion,
        policy: RailsPolicy,
        records: tuple[RailRecord, ...],
        status: CheckStatus | None,
    ) -> None:
        """Writes one line with the verdict of each rail, and never a word of the texts."""
        self._log.info(
            "check",
            assistant=question.assistant,
            principal=question.principal.id,
            status=status.value if status else None,
            stopped_by=next((record.name for record in records if record.stops), None),
            rails={f"{record.stage.value}.{record.name}": record.status.value for record in records},
            policy=policy.name,
            policy_revision=policy.revision,
            failed=status is None,
        )


async def _reports(question: CheckQuestion, assistant: Assistant, policy: RailsPolicy) -> list[RailsReport]:
    reports: list[RailsReport] = []
    for stage in Stage:
        if stage not in question.texts:
            continue
        text = question.texts[stage]
        if reports and reports[-1].is_blocked:
            reports.append(RailsReport(stage, text, policy.not_run(stage)))
            continue
        context = RailContext(
            language=_language(question, assistant) if stage is Stage.INPUT else assistant.languages[0],
            languages=assistant.languages,
            facts=question.facts if stage is Stage.OUTPUT else "",
        )
        reports.append(await _report(stage, text, context, policy))
    return reports


async def _report(stage: Stage, text: str, context: RailContext, policy: RailsPolicy) -> RailsReport:
    """Takes a message through the same first step as the pipeline; an answer is checked as it stands."""
    if stage is Stage.OUTPUT:
        return await policy.check(stage, text, context)
    message = canonicalize(text)
    if isinstance(message, RefusedMessage):
        own = RailRecord(CANONICALIZE, stage, RailStatus.BLOCKED, message.reason, 0.0)
        return RailsReport(stage, text, (own, *policy.not_run(stage)))
    return await policy.check(stage, message.text, context)


def _status(question: CheckQuestion, reports: list[RailsReport]) -> CheckStatus:
    if any(report.is_blocked for report in reports):
        return CheckStatus.BLOCKED
    last = reports[-1]
    return CheckStatus.PASSED if last.text == question.texts[last.stage] else CheckStatus.MODIFIED


def _refusal(question: CheckQuestion, assistant: Assistant, policy: RailsPolicy, stopped: RailRecord) -> str:
    rail = _HIDDEN if stopped.name == CANONICALIZE else stopped.name
    return policy.refusal(_language(question, assistant), rail, default=assistant.languages[0])


def _language(question: CheckQuestion, assistant: Assistant) -> str:
    """Returns what the message is written in; the assistant's first language when there is only an answer."""
    return spoken(question.texts.get(Stage.INPUT, ""), assistant.languages)
