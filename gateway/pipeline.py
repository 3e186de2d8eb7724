"""The way of a message: eight numbered steps from a question to a checked answer, or to a no."""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.decisions import DecisionLog
from gateway.errors import InvalidRequest, NotServing
from gateway.limits import Admission, RateState
from gateway.live import Live
from gateway.render import fill_text, render_prompt, tidy_answer
from gateway.turn import Question, Reply, Source, Step, Turn
from models.errors import ModelBusy, ModelError, ModelRefused, ModelTimeout, ModelUnavailable
from models.ports import ApprovedPrompt, Cancellation, Completion, LanguageModel, Sampling
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage
from store.content import Generate, PromptVersion, QuotedTextSlot
from store.errors import InvalidContent, StoreError
from store.matches import Ambiguous, AnyMatch, Evidence, Gate, Match, MatchMethod, NoMatch, SlotNeeded
from store.slots import fill_slots, pending_slot_reply
from store.types import Decision, Outcome

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
    (5) generate     the model's words, or the approved answer as it stands, or the approved fallback
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
        match_s: float,
        output_rails_s: float,
        model_places: int,
    ) -> None:
        self._live = live
        self._model = model
        self._decisions = decisions
        self._admission = admission
        self._match_s = match_s
        self._output_rails_s = output_rails_s
        self._match_threads = CapacityLimiter(4)
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
                await self._record(turn.decide(stopped, Source.NONE, failed=True), error=error.code)
                raise
            # (7) record
            await self._record(reply.decision, error=turn.model_error)
            return reply

    async def _decide(self, turn: Turn, rate: RateState, watcher: Watcher) -> Reply:  # noqa: PLR0911 - each step may end it
        # (1) canonicalize
        message = canonicalize(turn.question.text)
        if isinstance(message, RefusedMessage):
            record = RailRecord("canonicalize", Stage.INPUT, RailStatus.BLOCKED, message.reason, 0.0)
            turn.records.append(record)
            return self._refused(turn, rate, record)
        turn.message = message.text

        # (2) input rails
        await watcher(Step.CHECKING)
        report = await self._check(turn, Stage.INPUT, turn.message, self._context(turn))
        if report.stopped_by:
            return self._refused(turn, rate, report.stopped_by)
        turn.message = report.text

        # (3) match
        await watcher(Step.MATCHING)
        match await self._match(turn):
            case NoMatch():
                return self._reply(turn, rate, Outcome.NO_MATCH, Source.NONE, turn.assistant.texts.no_match)
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
        approved = ApprovedPrompt(render_prompt(turn.assistant.instructions, content, turn.values))
        turn.sent = approved

        # (5) generate
        await watcher(Step.GENERATING)
        completion = await self._generate(turn, approved, content)
        if completion is None:
            return await self._approved(turn, rate, content.fallback, Outcome.DEGRADED, Source.FALLBACK)
        turn.completion = completion

        # (6) output rails
        await watcher(Step.VERIFYING)
        facts = "".join(part.text for part in approved.question)
        checked = await self._check(turn, Stage.OUTPUT, tidy_answer(completion), self._context(turn, facts))
        if checked.is_blocked:
            withheld = f"{turn.assistant.texts.withheld}\n\n{content.fallback}"
            return await self._approved(turn, rate, withheld, Outcome.BLOCKED_OUTPUT, Source.FALLBACK)
        return self._reply(turn, rate, Outcome.ANSWERED, Source.GENERATE, checked.text)

    async def _check(self, turn: Turn, stage: Stage, text: str, context: RailContext) -> RailsReport:
        """Runs the rails of a stage; a rail that broke is a failure and not a verdict."""
        policy = turn.state.policies[turn.assistant.policy]
        with turn.timed(f"{stage.value}_rails"):
            report = await policy.check(stage, text, context)
        turn.records.extend(report.records)
        if report.has_failed:
            raise NotServing("rails_unavailable", "A check could not be completed, so nothing was answered.")
        return report

    async def _match(self, turn: Turn) -> AnyMatch | SlotNeeded:
        """Finds the prompt and fills its slots; keeps both, and the evidence, with the turn."""
        with turn.timed("match"):
            found = await self._guarded(partial(self._match_in_thread, turn))
        match found:
            case Match(prompt=prompt, method=method, evidence=evidence):
                turn.prompt, turn.method, turn.evidence = prompt, method, evidence
            case Ambiguous(evidence=evidence) | NoMatch(evidence=evidence):
                turn.evidence = evidence
                return found
        try:
            filled = fill_slots(
                found.prompt.content,
                turn.message,
                captured=found.captured,
                given=turn.question.slots,
                today=turn.at.date(),
            )
        except InvalidContent as error:
            raise InvalidRequest("invalid_slot", str(error), param="slots") from error
        if isinstance(filled, SlotNeeded):
            turn.values = filled.known
            return filled
        turn.values = filled.values
        return found

    def _match_in_thread(self, turn: Turn) -> AnyMatch:
        previous = self._previous(turn)
        found = turn.state.matcher.match(
            turn.message,
            areas=turn.assistant.areas,
            limits=turn.assistant.match,
            after=previous.prompt_key if previous else None,
        )
        is_exact = isinstance(found, Match) and found.method is MatchMethod.EXACT
        answer = None if is_exact or previous is None else _slot_reply(turn, previous)
        return answer or found

    def _previous(self, turn: Turn) -> Decision | None:
        if turn.question.conversation is None:
            return None
        return self._decisions.previous(turn.question.conversation, turn.question.principal.id, turn.assistant.name)

    async def _guarded(self, work: Callable[[], AnyMatch]) -> AnyMatch:
        """Runs the matcher in a thread within its time; anything but a result means no answer."""
        try:
            with anyio.fail_after(self._match_s):
                return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._match_threads)
        except (StoreError, ModelError, TimeoutError) as error:
            if isinstance(error, ModelRefused):
                raise InvalidRequest("message_too_long", f"{error}. Shorten it.", param="message") from error
            raise NotServing("matcher_unavailable", "The message could not be matched. Try again shortly.") from error

    async def _generate(self, turn: Turn, prompt: ApprovedPrompt, content: Generate) -> Completion | None:
        """Returns the model's words, or None when the approved fallback has to do."""
        cancellation = Cancellation()
        most = turn.question.max_tokens or content.sampling.max_tokens
        sampling = Sampling(
            max_tokens=min(most, content.sampling.max_tokens),
            temperature=content.sampling.temperature,
            top_p=content.sampling.top_p,
            seed=content.sampling.seed,
        )
        work = partial(
            self._model.complete,
            prompt,
            sampling,
            deadline_s=turn.question.deadline.at - self._output_rails_s,
            cancellation=cancellation,
        )
        try:
            with turn.timed("generate"):
                return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._model_threads)
        except (ModelBusy, ModelUnavailable, ModelTimeout, ModelRefused) as error:
            turn.model_error = type(error).__name__
            return None
        finally:
            cancellation.cancel()  # a caller that left frees the worker; after an answer it changes nothing

    async def _approved(self, turn: Turn, rate: RateState, text: str, outcome: Outcome, source: Source) -> Reply:
        """Shows an approved text; it passes the output rails like any other."""
        shown = fill_text(text, turn.values)
        report = await self._check(turn, Stage.OUTPUT, shown, self._context(turn, shown))
        if stopped := report.stopped_by:
            return self._reply(turn, rate, Outcome.BLOCKED_OUTPUT, Source.NONE, self._refusal(turn, stopped))
        return self._reply(turn, rate, outcome, source, report.text)

    def _refused(self, turn: Turn, rate: RateState, record: RailRecord) -> Reply:
        return self._reply(turn, rate, Outcome.BLOCKED_INPUT, Source.NONE, self._refusal(turn, record))

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
    def _refusal(turn: Turn, record: RailRecord) -> str:
        policy = turn.state.policies[turn.assistant.policy]
        return policy.refusal(turn.assistant.languages[0], record)

    @staticmethod
    def _context(turn: Turn, facts: str = "") -> RailContext:
        return RailContext(
            language=turn.assistant.languages[0],
            languages=turn.assistant.languages,
            facts=facts,
            slots={value.slot.name: value.text for value in turn.values},
        )

    async def _record(self, decision: Decision, *, error: str | None) -> None:
        await self._decisions.record(decision, error=error)


def _slot_reply(turn: Turn, previous: Decision) -> Match | None:
    """Reads the message as the value that the previous reply asked for, if it is one."""
    prompt = turn.state.catalog.prompts.get(previous.prompt_key or "")
    if prompt is None or previous.needs_slot is None:
        return None
    slot = next((slot for slot in prompt.content.slots if slot.name == previous.needs_slot), None)
    value = pending_slot_reply(slot, turn.message, today=turn.at.date()) if slot else None
    if slot is None or value is None:
        return None
    evidence = Evidence((), Gate.SLOT_REPLY)
    # Of a quoted text only its length is kept; it is asked for again.
    quoted = {slot.name for slot in prompt.content.slots if isinstance(slot, QuotedTextSlot)}
    known = {name: text for name, text in previous.slots.items() if name not in quoted}
    return Match(prompt, MatchMethod.SLOT_REPLY, evidence, captured={**known, slot.name: value.text})
