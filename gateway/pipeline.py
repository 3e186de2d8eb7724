"""The way of a message: eight numbered steps from a question to a checked answer, or to a no."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.answer_cache import AnswerCache
from gateway.answer_keys import answer_key
from gateway.canonicalize import RefusedMessage, canonicalize_all
from gateway.decisions import DecisionLog
from gateway.errors import InvalidRequest, NotServing
from gateway.limits import Admission, RateState
from gateway.live import Live
from gateway.matching import Matching
from gateway.render import fill_text, render_prompt, tidy_answer
from gateway.turn import KeptAnswer, Question, Reply, Source, Step, Turn
from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from models.markers import require_unmarked
from models.ports import ApprovedPrompt, Cancellation, LanguageModel, Sampling
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage
from store.content import Generate, PromptVersion
from store.matches import Ambiguous, Match, NoMatch, SlotNeeded
from store.types import Outcome

HIDDEN_RAIL = "hidden"
"""The rail whose refusal text a person gets for characters that step (1) refuses."""
KEPT_BACK = 0.2
"""Share of the time left that generating leaves to the output rails, when their own limit is longer."""

Watcher = Callable[[Step], Awaitable[None]]
"""Is told each step as it begins."""


async def unwatched(_: Step) -> None:
    """Watches nothing."""


class ChatPipeline:
    """Takes a message the whole way. The order of the steps is the product: read `answer` and `_decide`.

    (0) admit        rate, permit, assistant, one absolute deadline
    (1) canonicalize one string for everything that follows, or a refusal
    (2) input rails  on the whole message, before matching
    (3) match        one approved prompt and its slots, or a question back, or no match
    (4) render       the approved prompt; the only text a model ever gets
    (5) generate     the model's words, or those that the very same prompt got before, or the approved answer or
                     fallback as it stands
    (6) output rails on the whole answer
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
    ) -> None:
        self._live = live
        self._model = model
        self._decisions = decisions
        self._admission = admission
        self._answers = answers
        self._matching = Matching(decisions, match_s=match_s)
        self._output_rails_s = output_rails_s
        self._model_threads = CapacityLimiter(model_places)

    async def answer(self, question: Question, watcher: Watcher = unwatched) -> Reply:
        """Returns the reply to a question, whatever its outcome; the decision is stored when it returns.

        Raises `InvalidRequest` for what the caller can fix, `RateLimited`, and `NotServing` when a check, the matcher
        or the store is not able to say yes.
        """
        # (0) admit
        state = self._live.current
        assistant = state.assistant(question.assistant, question.principal)
        rate = self._admission.charge(question.principal)
        with self._admission.permit():
            turn = Turn(question, state, assistant)
            try:
                reply = await self._decide(turn, rate, watcher)
            except NotServing as error:
                # (7) record, also when a part failed: stopped, and not by a verdict
                stopped = Outcome.BLOCKED_OUTPUT if turn.prompt else Outcome.BLOCKED_INPUT
                await self._decisions.record(turn.decide(stopped, Source.NONE, failed=True), error=error.code)
                raise
            except InvalidRequest as error:
                self._decisions.note_none(turn.id, assistant.name, question.principal.id, reason=error.code)
                raise
            except anyio.get_cancelled_exc_class():
                self._decisions.note_none(turn.id, assistant.name, question.principal.id, reason="caller_left")
                raise
            # (7) record
            await self._decisions.record(reply.decision, error=turn.model_error)
            return reply

    async def _decide(self, turn: Turn, rate: RateState, watcher: Watcher) -> Reply:  # noqa: PLR0911 - each step may end it
        # (1) canonicalize: the message, and every slot value that came beside it
        words = canonicalize_all((turn.question.text, *turn.question.given.values()))
        if isinstance(words, RefusedMessage):
            turn.records.append(RailRecord("canonicalize", Stage.INPUT, RailStatus.BLOCKED, words.reason, 0.0))
            return self._refused(turn, rate, HIDDEN_RAIL)

        # (2) input rails
        await watcher(Step.CHECKING)
        if stopped_by := await self._check_words(turn, words):
            return self._refused(turn, rate, stopped_by)

        # (3) match
        await watcher(Step.MATCHING)
        with turn.timed("match"):
            found = await self._matching.find(turn)
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
        approved = ApprovedPrompt(render_prompt(turn.assistant, content, turn.values))
        turn.sent = approved

        # (5) and (6) for an answer in the model's words
        return await self._worded(turn, rate, watcher, approved, content)

    async def _worded(
        self, turn: Turn, rate: RateState, watcher: Watcher, approved: ApprovedPrompt, content: Generate
    ) -> Reply:
        # (5) generate, unless the very same prompt has an answer that is kept
        await watcher(Step.GENERATING)
        sampling, deadline_s = self._sampling(turn, content), self._model_deadline_s(turn)
        key = answer_key(turn, approved, sampling, model_sha256=self._model.sha256)
        wait_s = deadline_s - time.monotonic()
        async with self._answers.place(key, turn.state, lifetime_s=content.cache_s, wait_s=wait_s) as place:
            turn.kept = place.kept
            if place.waited_s:
                turn.timings_ms["wait"] = round(place.waited_s * 1000, 3)
            answer = turn.kept.text if turn.kept else await self._generate(turn, approved, sampling, deadline_s)
            if answer is None:
                return await self._approved(turn, rate, content.fallback, Outcome.DEGRADED, Source.FALLBACK)

            # (6) output rails, also on an answer that passed them before
            await watcher(Step.VERIFYING)
            facts = "".join(part.text for part in approved.question)
            checked = await self._check(turn, Stage.OUTPUT, answer, self._context(turn, facts))
            if checked.is_blocked:
                place.forget()
                withheld = f"{turn.assistant.texts.withheld}\n\n{content.fallback}"
                return await self._approved(turn, rate, withheld, Outcome.BLOCKED_OUTPUT, Source.FALLBACK)
            if turn.completion is not None:
                place.keep(KeptAnswer.of(turn.completion, checked.text, decision=turn.id, at=turn.at))
        return self._reply(turn, rate, Outcome.ANSWERED, Source.GENERATE, checked.text)

    async def _check_words(self, turn: Turn, words: list[str]) -> str | None:
        """Keeps the checked message and slot values with the turn, or returns the name of the rail that said no."""
        checked = []
        for text in words:
            report = await self._check(turn, Stage.INPUT, text, self._context(turn))
            if report.stopped_by:
                return report.stopped_by.name
            checked.append(report.text)
        turn.message, *values = checked
        turn.given = dict(zip(turn.question.given, values, strict=True))
        return None

    async def _check(self, turn: Turn, stage: Stage, text: str, context: RailContext) -> RailsReport:
        """Runs the rails of a stage; a rail that broke is a failure and not a verdict."""
        policy = turn.state.policies[turn.assistant.policy]
        with turn.timed(f"{stage.value}_rails"):
            report = await policy.check(stage, text, context)
        turn.records.extend(report.records)
        if report.has_failed:
            raise NotServing("rails_unavailable", "A check could not be completed, so nothing was answered.")
        return report

    @staticmethod
    def _sampling(turn: Turn, content: Generate) -> Sampling:
        """Returns the approved settings; a caller may shorten the answer."""
        approved = content.sampling
        return Sampling(
            max_tokens=min(turn.question.max_tokens or approved.max_tokens, approved.max_tokens),
            temperature=approved.temperature,
            top_p=approved.top_p,
            seed=approved.seed,
        )

    def _model_deadline_s(self, turn: Turn) -> float:
        """Returns until when the model may take, so that the output rails have their time."""
        kept_back_s = min(self._output_rails_s, KEPT_BACK * turn.question.deadline.remaining_s)
        return turn.question.deadline.at - kept_back_s

    async def _generate(self, turn: Turn, prompt: ApprovedPrompt, sampling: Sampling, deadline_s: float) -> str | None:
        """Returns the model's whole sentences, or None when the approved fallback has to do."""
        cancellation = Cancellation()
        work = partial(self._model.complete, prompt, sampling, deadline_s=deadline_s, cancellation=cancellation)
        try:
            require_unmarked(prompt)
            with turn.timed("generate"):
                completion = await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._model_threads)
        except (ModelBusy, ModelUnavailable, ModelTimeout, ModelRefused) as error:
            turn.model_error = type(error).__name__
            return None
        finally:
            cancellation.cancel()  # a caller that left frees the worker; after an answer it changes nothing
        turn.completion = completion
        if not (answer := tidy_answer(completion)):
            turn.model_error = "NoWholeSentence"
            return None
        return answer

    async def _approved(self, turn: Turn, rate: RateState, text: str, outcome: Outcome, source: Source) -> Reply:
        """Shows an approved text; it passes the output rails like any other."""
        shown = fill_text(text, turn.values)
        report = await self._check(turn, Stage.OUTPUT, shown, self._context(turn, shown))
        if stopped := report.stopped_by:
            text = self._refusal(turn, stopped.name)
            return self._reply(turn, rate, Outcome.BLOCKED_OUTPUT, Source.NONE, text)
        return self._reply(turn, rate, outcome, source, report.text)

    def _refused(self, turn: Turn, rate: RateState, rail: str) -> Reply:
        return self._reply(turn, rate, Outcome.BLOCKED_INPUT, Source.NONE, self._refusal(turn, rail))

    def _reply(
        self,
        turn: Turn,
        rate: RateState,
        outcome: Outcome,
        source: Source,
        text: str,
        *,
        choices: tuple[PromptVersion, ...] = (),
        slot: SlotNeeded | None = None,
    ) -> Reply:
        needs_slot = slot.slot.name if slot else None
        decision = turn.decide(outcome, source, needs_slot=needs_slot, model_sha256=self._model.sha256)
        return Reply(decision=decision, text=text, turn=turn, rate=rate, choices=choices, slot=slot)

    @staticmethod
    def _refusal(turn: Turn, rail: str) -> str:
        policy = turn.state.policies[turn.assistant.policy]
        return policy.refusal(turn.assistant.languages[0], rail)

    @staticmethod
    def _context(turn: Turn, facts: str = "") -> RailContext:
        return RailContext(
            language=turn.assistant.languages[0],
            languages=turn.assistant.languages,
            facts=facts,
            slots={value.slot.name: value.text for value in turn.values},
        )
