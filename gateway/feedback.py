"""Feedback on answers: given by the key that asked, counted for each prompt version, exported as preferences."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, to_thread

from gateway.credentials import Principal
from gateway.feedback_rows import PairingReport, message_rows, paired
from gateway.privacy import Privacy
from store.audit import AuditTrail
from store.content import KeepsText
from store.database import Database
from store.errors import Conflict, NotFound
from store.feedback import Feedback, FeedbackReason, FeedbackTexts, HelpfulRate, Verdict, Verdicts
from store.formats.registry import FORMATS
from store.formats.writing import Written, encoded
from store.people import Actor
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackFilter, FeedbackStore, JudgedAnswer, Place
from store.repositories.prompts import Prompts
from store.sorting import Order
from store.types import Decision, Words

PAIR_FORMATS, MESSAGE_FORMATS = ("hh-rlhf", "dpo"), ("oasst", "oasst-messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFeedback:
    """What a caller says of an answer."""

    decision: str
    verdict: Verdict
    reasons: tuple[FeedbackReason, ...] = ()
    comment: str = ""
    better: str = ""
    """The answer as it should have been."""


class DislikeListener(Protocol):
    """Is told of answers that did not help; the review queue is one."""

    def disliked(self, decision: Decision, message: str, *, at: dt.datetime) -> None:
        """`message` is empty where its text was not kept. Must return at once and never raise."""


class NobodyMinds:
    """Keeps nothing: for a gateway without a review queue."""

    def disliked(self, decision: Decision, message: str, *, at: dt.datetime) -> None:
        pass


@dataclass(frozen=True, slots=True)
class FeedbackExport:
    """A file that is about to be written; `report` is filled while it is."""

    pieces: Iterator[bytes]
    report: PairingReport
    told: Written


class FeedbackDesk:
    """Takes feedback and shows it. `keeps` says what an assistant keeps of words. All methods but `give` block."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        privacy: Privacy,
        keeps: Callable[[str], KeepsText],
        listener: DislikeListener,
    ) -> None:
        self._database = database
        self._audit = audit
        self._privacy = privacy
        self._keeps = keeps
        self._listener = listener
        self._decisions = Decisions(database)
        self._store = FeedbackStore(database)
        self._threads = CapacityLimiter(4)

    async def give(self, principal: Principal, given: GivenFeedback) -> Feedback:
        """Stores feedback, in place of what the same key said of that decision before; the same again is no change.

        Raises `NotFound` for a decision that is not there or was another key's, `StoreUnavailable`.
        """
        decision = await to_thread.run_sync(self._decision, principal, given.decision, limiter=self._threads)
        texts = await self._texts(decision, given)
        put = partial(self._put, principal, decision, given, texts)
        try:
            stored, message = await to_thread.run_sync(put, limiter=self._threads)
        except Conflict:  # the same was sent twice at once: the second finds what the first stored
            stored, message = await to_thread.run_sync(put, limiter=self._threads)
        if message is not None:
            self._listener.disliked(decision, message, at=stored.changed_at)
        return stored

    def page(
        self, actor: Actor, wanted: FeedbackFilter, *, limit: int, before: Place | None = None
    ) -> tuple[JudgedAnswer, ...]:
        """Returns feedback on the actor's assistants, the last changed first; texts that are kept full are hidden."""
        found = self._store.page(_within(actor, wanted), limit=limit, before=before)
        return tuple(map(_shown, found))

    def sorted_page(
        self, actor: Actor, wanted: FeedbackFilter, order: Order, *, limit: int
    ) -> tuple[JudgedAnswer, ...]:
        """Returns the same feedback in an order of `store.repositories.feedback.SORTS`."""
        return tuple(map(_shown, self._store.sorted_page(_within(actor, wanted), order, limit=limit)))

    def count(self, actor: Actor, wanted: FeedbackFilter, *, most: int) -> int:
        """Returns how much such feedback there is on the actor's assistants, counted up to `most`."""
        return self._store.count(_within(actor, wanted), most=most)

    def rates(self, actor: Actor, wanted: FeedbackFilter) -> tuple[HelpfulRate, ...]:
        """Returns the helpful rate of each prompt version, of the actor's assistants."""
        return self._store.rates(_within(actor, wanted))

    def live_verdicts(self, actor: Actor, keys: Collection[str] | None = None) -> dict[str, Verdicts]:
        """Returns what was said of live versions, of these prompts or of all, to the actor's assistants."""
        return self._store.live_verdicts(keys, among=actor.assistants)

    def export(self, actor: Actor, wanted: FeedbackFilter, format_name: str) -> FeedbackExport:
        """Writes feedback as preference pairs or as messages, and says so in the audit trail: full texts are in it.

        Raises `NotFound` for a format that cannot say feedback.
        """
        if format_name not in (*PAIR_FORMATS, *MESSAGE_FORMATS):
            names = ", ".join((*PAIR_FORMATS, *MESSAGE_FORMATS))
            raise NotFound(f"feedback is not written in this format. Formats: {names}")
        within = _within(actor, wanted)
        details = {"format": format_name, "assistant": within.assistant, "prompt": within.prompt}
        with self._database.writing() as session:
            told = {name: value for name, value in details.items() if value is not None}
            self._audit.append(actor, "feedback.exported", "feedback", told, session=session)
        report, written = PairingReport(), Written()
        judged = self._store.all(within)
        rows = (
            paired(judged, report) if format_name in PAIR_FORMATS else message_rows(judged, report, self._language_of())
        )
        return FeedbackExport(encoded(FORMATS[format_name], rows, written), report, written)

    def unpaired(self, actor: Actor, wanted: FeedbackFilter) -> PairingReport:
        """Returns what an export of pairs would hold, and why the rest cannot be paired."""
        report = PairingReport()
        for _ in paired(self._store.all(_within(actor, wanted)), report):
            pass
        return report

    def _language_of(self) -> Callable[[Feedback], str]:
        """Returns what says the language of the prompt version that answered, looked up once for each."""
        prompts, known = Prompts(self._database), dict[tuple[str, int], str]()

        def language_of(feedback: Feedback) -> str:
            if feedback.prompt_key is None or feedback.prompt_version is None:
                return ""
            place = (feedback.prompt_key, feedback.prompt_version)
            if place not in known:
                try:
                    known[place] = prompts.version(*place).content.language
                except NotFound:
                    known[place] = ""
            return known[place]

        return language_of

    def _decision(self, principal: Principal, decision_id: str) -> Decision:
        decision = self._decisions.get(decision_id)
        if decision.principal != principal.id or not principal.may_use(decision.assistant):
            raise NotFound("there is no such decision of this key")
        return decision

    async def _texts(self, decision: Decision, given: GivenFeedback) -> FeedbackTexts | None:
        kept = self._keeps(decision.assistant)
        if kept is KeepsText.OFF or not (given.comment.strip() or given.better.strip()):
            return None
        comment, better = [await self._kept(kept, text) for text in (given.comment, given.better)]
        if not comment and not better:
            return None
        return FeedbackTexts(kept=kept, comment=comment, better=better)

    async def _kept(self, kept: KeepsText, text: str) -> str:
        """Returns what is kept of a text; nothing where it cannot be masked for sure."""
        words = await self._privacy.words(kept, text, "") if text.strip() else None
        return words.message if words else ""

    def _put(
        self, principal: Principal, decision: Decision, given: GivenFeedback, texts: FeedbackTexts | None
    ) -> tuple[Feedback, str | None]:
        """Returns what is stored now, and for a new thumbs down the message as far as it was kept."""
        with self._database.writing() as session:
            self._decisions.hold(decision.id, session=session)
            words = self._decisions.words(decision.id, session)
            before = self._store.get(decision.id, session)
            now = dt.datetime.now(dt.UTC)
            feedback = Feedback(
                decision=decision.id,
                given_at=before.given_at if before else now,
                changed_at=now,
                principal=principal.id,
                assistant=decision.assistant,
                prompt_key=decision.prompt_key,
                prompt_version=decision.prompt_version,
                verdict=given.verdict,
                reasons=tuple(sorted(set(given.reasons))),
                # Where nothing is kept of what was said, as after a purge, nothing is of what is said about it: nobody
                # would find it again.
                texts=texts if words is not None else None,
            )
            if before is not None and replace(feedback, changed_at=before.changed_at) == before:
                return before, None
            self._store.put(feedback, session=session)
            details = {"verdict": given.verdict.value, "reasons": [one.value for one in feedback.reasons]}
            action = "feedback.changed" if before else "feedback.given"
            self._audit.append(_actor(principal), action, f"decision {decision.id}", details, session=session)
            is_new = given.verdict is Verdict.DOWN and (before is None or before.verdict is Verdict.UP)
        return feedback, (words.message if words else "") if is_new else None


def _actor(principal: Principal) -> Actor:
    name = principal.trail_name or f"key:{principal.id}"
    return Actor(name, principal.name, person=name, grants=frozenset(), assistants=principal.assistants)


def _within(actor: Actor, wanted: FeedbackFilter) -> FeedbackFilter:
    return replace(wanted, among=actor.assistants)


def _shown(judged: JudgedAnswer) -> JudgedAnswer:
    """Hides what only a reveal of the decision, or an audited export, may show."""
    feedback, words = judged.feedback, judged.words
    if feedback.texts is not None and feedback.texts.kept is KeepsText.FULL:
        feedback = replace(feedback, texts=FeedbackTexts(kept=KeepsText.FULL))
    shown: Words | None = words if words is not None and words.kept is KeepsText.REDACTED else None
    return JudgedAnswer(feedback, judged.decision, shown)
