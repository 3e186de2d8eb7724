"""The way of a message: eight numbered steps from a question to a checked answer, or to a no."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio import CapacityLimiter

from gateway.answer_cache import AnswerCache
from gateway.answer_keys import answer_key
from gateway.canonicalize import RefusedMessage, canonicalize_all
from gateway.checking import check, check_words, context_of, converse, run_rails, take_in
from gateway.decisions import DecisionLog, Said
from gateway.errors import DeadlinePassed, InvalidRequest, NotServing
from gateway.faults import Faults
from gateway.limits import Admission, Charged
from gateway.live import Live
from gateway.matching import Matching
from gateway.model_use import WeightsUsed
from gateway.prompt_sampling import sampling_of
from gateway.releasing import SentenceBuffer, release_sentences
from gateway.render import fill_text, render_prompt
from gateway.reviewing.recorder import NOBODY, DecisionListener
from gateway.tracing import UNTRACED, Tracing
from gateway.turn import (
    Admitted,
    KeptAnswer,
    News,
    Passed,
    Question,
    Released,
    Reply,
    Source,
    Step,
    Turn,
    Withheld,
)
from gateway.wording import Asked, Generating, Wanted, word
from models.ports import ApprovedPrompt, LanguageModel
from rails.languages import spoken
from rails.policy import Streaming
from rails.types import RailRecord, RailsReport, RailStatus, Stage
from store.answer_form import has_form
from store.content import Generate, PromptVersion
from store.matches import Ambiguous, Match, NoMatch, SlotNeeded
from store.types import Decision, Outcome

HIDDEN_RAIL = "hidden"
"""The rail whose refusal text a person gets for characters that step (1) refuses."""
KEPT_BACK = 0.2
"""Share of the time left that generating leaves to the output rails, when their own limit is longer."""

Watcher = Callable[[News | Admitted], Awaitable[None]]
"""Is told each step as it begins and, where the policy lets sentences out as they pass, each sentence."""


async def unwatched(_: News | Admitted) -> None:
    """Watches nothing."""


class ChatPipeline:
    """Takes a message the whole way. The order of the steps is the product: read `answer` and `_decide`.

    (0) admit        rates, budget, assistant, one absolute deadline
    (1) canonicalize one string for everything that follows, or a refusal
    (2) input rails  on the whole message, before matching
    (3) match        one approved prompt and its slots, or a question back, or no match; without a match the policy's
                     dialog may have an approved reply: to a greeting, say, or to the wish for a person
    (4) render       the approved prompt; the only text a model ever gets
    (5) generate     the model's words, or those that the very same prompt got before, or the approved answer or
                     fallback as it stands
    (6) output rails on the whole answer, or on each sentence with all before it while the model goes on
    (7) record       one decision, one log line, the reply
    """

    def __init__(
        self,
        *,
        live: Live,
        model: LanguageModel,
        decisions: DecisionLog,
        admission: Admission,
        answers: AnswerCache,
        match_s: float,
        output_rails_s: float,
        model_places: int,
        listener: DecisionListener = NOBODY,
        tracing: Tracing = UNTRACED,
        faults: Faults | None = None,
    ) -> None:
        self._live = live
        self._model = model
        self._decisions = decisions
        self._admission = admission
        self._answers = answers
        self._matching = Matching(decisions, match_s=match_s, faults=faults)
        self._output_rails_s = output_rails_s
        self._model_threads = CapacityLimiter(model_places)
        self._listener = listener
        self._tracing = tracing

    async def answer(self, question: Question, watcher: Watcher = unwatched) -> Reply:
        """Returns the reply to a question, whatever its outcome; the decision is stored when it returns.

        Raises `InvalidRequest` for what the caller can fix, `RateLimited`, and `NotServing` when a check, the matcher
        or the store is not able to say yes.
        """
        # (0) admit
        state = self._live.serving
        assistant = state.assistant(question.assistant, question.principal)
        rate = await self._admission.charge(question.principal, assistant.name)
        turn = Turn(question, state, assistant)
        try:
            await watcher(Admitted(rate, f"{assistant.policy}@{turn.policy.revision}"))
            reply = await self._decide(turn, rate, watcher)
        except (InvalidRequest, DeadlinePassed) as error:
            self._decisions.note_none(turn.id, assistant.name, question.principal.id, reason=error.code)
            raise
        except Exception as error:
            # (7) record, also when a part failed, in whatever way: stopped, and not by a verdict
            stopped = Outcome.BLOCKED_OUTPUT if turn.prompt else Outcome.BLOCKED_INPUT
            decision = turn.decide(stopped, Source.NONE, failed=True)
            code = error.code if isinstance(error, NotServing) else "internal_error"
            self._tracing.decided(turn, decision, error=code)
            await self._decisions.record(decision, Said.of(turn, turn.shown), error=code)
            raise
        except anyio.get_cancelled_exc_class():
            # (7) record, also what was shown to a caller that left
            if turn.shown:
                with anyio.CancelScope(shield=True):
                    await self._record(turn, turn.decide_left(self._weights(turn)), turn.shown, error="caller_left")
            else:
                self._decisions.note_none(turn.id, assistant.name, question.principal.id, reason="caller_left")
            raise
        # (7) record
        await self._record(turn, reply.decision, reply.text, error=turn.model_error)
        return reply

    async def _record(self, turn: Turn, decision: Decision, answer: str, *, error: str | None) -> None:
        kept = await self._decisions.record(decision, Said.of(turn, answer), error=error)
        self._tracing.decided(turn, kept, error=error)
        self._admission.spent(kept)
        self._listener.decided(kept, turn.sent_message)

    async def _decide(self, turn: Turn, rate: Charged, watcher: Watcher) -> Reply:  # noqa: PLR0911 - each step may end it
        # (1) canonicalize: the message, and every slot value that came beside it
        words = canonicalize_all(turn.question.text, turn.question.given)
        if isinstance(words, RefusedMessage):
            turn.records.append(RailRecord("canonicalize", Stage.INPUT, RailStatus.BLOCKED, words.reason, 0.0))
            return self._refused(turn, rate, HIDDEN_RAIL)
        turn.language = spoken(words[0], turn.assistant.languages)
        turn.sent_message = words[0]

        # (2) input rails
        await watcher(Step.CHECKING)
        if stopped_by := await check_words(turn, words):
            return self._refused(turn, rate, stopped_by)

        # (3) match
        await watcher(Step.MATCHING)
        with turn.timed("match"):
            found = await self._matching.find(turn)
        if isinstance(found, NoMatch | Ambiguous):
            said = await converse(turn)
            reply = None if said and said.is_topic else self._matching.as_reply(turn, found)
            if said and reply is None:
                return await self._approved(turn, rate, said.text, Outcome.ANSWERED, Source.DIALOG)
            found = reply or found
        match found:
            case NoMatch():
                return self._reply(turn, rate, Outcome.NO_MATCH, Source.NONE, turn.no_match_text)
            case Ambiguous(choices=choices):
                text = turn.assistant.texts.clarify
                return self._reply(turn, rate, Outcome.CLARIFY, Source.NONE, text, choices=choices)
            case SlotNeeded() as needed:
                return self._reply(turn, rate, Outcome.CLARIFY, Source.NONE, needed.slot.ask, slot=needed)
            case Match(prompt=prompt):
                content = prompt.content.reply
        if not isinstance(content, Generate):
            # (5) and (6) for an approved answer as it stands
            return await self._approved(turn, rate, content.answer, Outcome.ANSWERED, Source.of(content))

        # (4) render
        turn.sent = approved = ApprovedPrompt(render_prompt(turn.assistant, content, turn.values))

        # (5) and (6) for an answer in the model's words
        return await self._worded(turn, rate, watcher, approved, content)

    async def _worded(
        self, turn: Turn, rate: Charged, watcher: Watcher, approved: ApprovedPrompt, content: Generate
    ) -> Reply:
        # (5) generate, unless the very same prompt has an answer that is kept
        await watcher(Step.GENERATING)
        sampling = sampling_of(content.sampling, turn.question.max_tokens)
        deadline_s = self._model_deadline_s(turn)
        key = answer_key(turn, approved, sampling, self._weights(turn))
        wait_s = deadline_s - time.monotonic()
        async with self._answers.place(key, turn.state, lifetime_s=content.cache_s, wait_s=wait_s) as place:
            turn.kept = place.kept
            if place.waited_s:
                now_s = time.monotonic()
                turn.note(Passed("wait", now_s - place.waited_s, now_s))
            asked = Asked(self._model, self._admission, self._model_threads)
            generate = partial(word, asked, turn, Wanted(approved, sampling, deadline_s))
            facts = "".join(part.text for part in approved.question)
            # (6) output rails, also on an answer that passed them before
            if turn.policy.streaming is Streaming.CHECKED_SENTENCES:
                checked = await self._by_sentence(turn, watcher, generate, facts)
            else:
                checked = await self._at_once(turn, watcher, generate, facts)
            if checked is None or not (checked.is_blocked or self._has_form(turn, checked.text)):
                place.forget()
                return await self._approved(turn, rate, content.fallback, Outcome.DEGRADED, Source.FALLBACK)
            if checked.is_blocked:
                place.forget()
                withheld = f"{turn.assistant.texts.withheld}\n\n{content.fallback}"
                return await self._approved(turn, rate, withheld, Outcome.BLOCKED_OUTPUT, Source.FALLBACK)
            if turn.completion is not None:
                place.keep(KeptAnswer.of(turn.completion, checked.text, decision=turn.id, at=turn.at))
        return self._reply(turn, rate, Outcome.ANSWERED, Source.GENERATE, checked.text)

    async def _at_once(self, turn: Turn, watcher: Watcher, generate: Generating, facts: str) -> RailsReport | None:
        answer = turn.kept.text if turn.kept else await generate(None)
        if answer is None:
            return None
        await watcher(Step.VERIFYING)
        return await check(turn, Stage.OUTPUT, answer, context_of(turn, facts))

    async def _by_sentence(self, turn: Turn, watcher: Watcher, generate: Generating, facts: str) -> RailsReport | None:
        """Tells each sentence as it passes. Nobody need listen: what comes of the answer is the same."""

        async def run(text: str, is_whole: bool) -> RailsReport:  # noqa: FBT001 - the buffer's form of a check
            if is_whole:
                await watcher(Step.VERIFYING)
            return await run_rails(turn, Stage.OUTPUT, text, context_of(turn, facts, is_whole=is_whole))

        async def release(text: str) -> None:
            if turn.question.is_streamed:
                self._decisions.require_room()
                turn.shown += text
            await watcher(Released(text, turn.id))

        buffer = SentenceBuffer(run, release, until_s=turn.question.deadline.latest + self._output_rails_s)
        try:
            checked = await (buffer.finish(turn.kept.text) if turn.kept else release_sentences(generate, buffer))
        finally:
            if buffer.report is not None:
                take_in(turn, buffer.report)
        if checked is not None and checked.is_blocked:
            await watcher(Withheld())
        return checked

    def _has_form(self, turn: Turn, answer: str) -> bool:
        """Whether an answer that passed has the form that its prompt states."""
        if turn.prompt is not None and has_form(turn.prompt.content, answer):
            return True
        turn.model_error = "NotInForm"
        return False

    def _model_deadline_s(self, turn: Turn) -> float:
        """Returns until when the model may take, so that the output rails have their time."""
        kept_back_s = min(self._output_rails_s, KEPT_BACK * turn.question.deadline.remaining_s)
        return turn.question.deadline.at - kept_back_s

    async def _approved(self, turn: Turn, rate: Charged, text: str, outcome: Outcome, source: Source) -> Reply:
        """Shows an approved text; it passes the output rails like any other."""
        shown = fill_text(text, turn.values)
        language = turn.language if source is Source.DIALOG else None
        report = await check(turn, Stage.OUTPUT, shown, context_of(turn, shown, language=language))
        if stopped := report.stopped_by:
            text = self._refusal(turn, stopped.name)
            return self._reply(turn, rate, Outcome.BLOCKED_OUTPUT, Source.NONE, text)
        return self._reply(turn, rate, outcome, source, report.text)

    def _refused(self, turn: Turn, rate: Charged, rail: str) -> Reply:
        asks_again = turn.policy.asks_again(Stage.INPUT, rail)
        outcome = Outcome.CLARIFY if asks_again else Outcome.BLOCKED_INPUT
        return self._reply(turn, rate, outcome, Source.NONE, self._refusal(turn, rail))

    def _reply(
        self,
        turn: Turn,
        rate: Charged,
        outcome: Outcome,
        source: Source,
        text: str,
        *,
        choices: tuple[PromptVersion, ...] = (),
        slot: SlotNeeded | None = None,
    ) -> Reply:
        needs_slot = slot.slot.name if slot else None
        decision = turn.decide(outcome, source, needs_slot=needs_slot, weights=self._weights(turn))
        return Reply(decision=decision, text=text, turn=turn, rate=rate, choices=choices, slot=slot)

    def _weights(self, turn: Turn) -> WeightsUsed:
        return WeightsUsed(self._model.sha256, self._model.adapter(turn.assistant.name))

    def _refusal(self, turn: Turn, rail: str) -> str:
        return turn.policy.refusal(turn.language, rail, default=turn.assistant.languages[0])
