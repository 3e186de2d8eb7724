"""Asks test sets of a state that is not live: the whole way of a message, of which nothing is recorded."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio
from anyio import to_thread

from gateway.answer_cache import AnswerCache
from gateway.credentials import Principal
from gateway.decisions import DecisionLog, Said
from gateway.errors import GatewayError, InvalidRequest
from gateway.limit_settings import LimitSettings
from gateway.limits import make_admission
from gateway.live import Live, LiveState
from gateway.pipeline import ChatPipeline
from gateway.suite import CaseResult, CaseRunner
from models.absent import AbsentModel
from models.ports import LanguageModel
from store.formats.answer_checks import failure_of
from store.formats.suite import Expectation, Suite, SuiteCase
from store.types import Decision, KeyScope, Outcome, Recorded
from store.vectors import Embed

Asked = Callable[[], None]
"""Is told after each message; what it raises ends the run."""

_PRINCIPAL = Principal(
    id="gate",
    name="gate",
    scopes=frozenset({KeyScope.CHAT}),
    assistants=frozenset(),
    requests_per_minute=10**9,
)
_MATCH_S, _OUTPUT_RAILS_S = 30.0, 30.0
"""Nobody waits for a case, and a machine that is busy must not look like a bad prompt."""
_REST = 2.0
"""Pause after a case, as a share of what it took: whoever waits for an answer has the interpreter meanwhile."""
_MOST_REST_S = 0.1
_CONVERSATIONS = 500
"""Whose last decision is kept, for as long as the state is."""


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """What came of a case."""

    case: SuiteCase
    is_right: bool
    got: str
    """In words, without what was said."""
    is_wrong_prompt: bool = False
    """Whether people would get the answer of a prompt that is not theirs."""
    is_offered: bool = False
    """Whether the prompt that is wanted is among those that the person may choose from."""
    is_unasked: bool = False
    """Whether nothing is known of it because a part did not work."""


class Unrecorded(DecisionLog):
    """Keeps no decision but the last one of a conversation, for the follow-up question after it."""

    def __init__(self) -> None:
        super().__init__(_Nothing())
        self._last: OrderedDict[tuple[str | None, str], Decision] = OrderedDict()

    async def record(self, decision: Decision, said: Said | None = None, *, error: str | None = None) -> Decision:
        if decision.conversation is not None:
            self._last[decision.conversation, decision.principal] = decision
            while len(self._last) > _CONVERSATIONS:
                self._last.popitem(last=False)
        return decision

    def note_none(self, turn_id: str, assistant: str, principal: str, *, reason: str) -> None:
        """Notes nothing."""

    def previous(self, conversation: str, principal: str, assistant: str) -> Decision | None:
        found = self._last.get((conversation, principal))
        return found if found and found.assistant == assistant else None


class _Nothing:
    """A decision store that nothing is put into."""

    def add_all(self, rows: Sequence[Recorded]) -> None:
        raise RuntimeError("a decision of the gate was to be recorded. This is a bug.")

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        return None


class SuiteAsker:
    """Asks a state. Only a case about the words of an answer has the language model asked."""

    def __init__(self, state: LiveState, model: LanguageModel, embed: Embed) -> None:
        self._state = state
        self._model = model
        self._embed = embed
        self._has_model = not isinstance(model, AbsentModel)

    def ask(self, suite: Suite, assistant: str, asked: Asked) -> Mapping[str, CaseVerdict]:
        """Returns the verdicts by the ids of the cases. Blocks its thread, which must run no event loop."""
        return anyio.run(self._ask, suite, assistant, asked)

    async def _ask(self, suite: Suite, assistant: str, asked: Asked) -> Mapping[str, CaseVerdict]:
        runners = {
            has_words: CaseRunner(_pipeline(self._state, model), self._state.catalog, assistant, _PRINCIPAL)
            for has_words, model in ((False, AbsentModel()), (True, self._model))
        }
        verdicts = {}
        for case in suite.cases:
            started = time.monotonic()
            verdicts[case.id] = await self._verdict(case, runners[bool(case.answers)])
            asked()
            await anyio.sleep(min(_MOST_REST_S, _REST * (time.monotonic() - started)))
        return verdicts

    async def _verdict(self, case: SuiteCase, runner: CaseRunner) -> CaseVerdict:
        if case.after is not None and case.after not in self._state.catalog.prompts:
            return CaseVerdict(case, is_right=False, got=f"there is no prompt {case.after} to ask first")
        try:
            result = await runner.run(case)
        except GatewayError as error:
            is_refusal = isinstance(error, InvalidRequest)
            got = f"an error: {error.code}"
            return CaseVerdict(case, is_right=False, got=got, is_unasked=not is_refusal)
        if not result.is_right or not case.answers:
            is_offered = case.expect is Expectation.ANSWER and case.prompt in result.offered
            return CaseVerdict(case, result.is_right, _told(result), result.is_wrong_prompt, is_offered)
        if result.outcome is Outcome.DEGRADED and self._has_model:
            got = "the language model did not answer, so nothing is known of its words"
            return CaseVerdict(case, is_right=False, got=got, is_unasked=True)
        failures = [await to_thread.run_sync(failure_of, one, result.text, self._embed) for one in case.answers]
        wrong = "; ".join(filter(None, failures))
        return CaseVerdict(case, is_right=not wrong, got=wrong or _told(result))


def _pipeline(state: LiveState, model: LanguageModel) -> ChatPipeline:
    return ChatPipeline(
        live=Live(state),
        model=model,
        decisions=Unrecorded(),
        admission=make_admission(LimitSettings(), model_places=4, model_waiting=4),
        answers=AnswerCache(entries=0, max_bytes=0, clock=time.monotonic),
        match_s=_MATCH_S,
        output_rails_s=_OUTPUT_RAILS_S,
        model_places=1,
    )


def _told(result: CaseResult) -> str:
    """Returns what came of a message, in the words of a test set."""
    if result.needs_slot:
        return f"asks for {result.needs_slot} of {result.prompt}"
    if result.stopped_by:
        return f"{result.outcome.value} by {result.stopped_by}"
    if result.is_dialog:
        return "a reply of the policy's dialog"
    if result.offered:
        return f"{result.outcome.value}: {', '.join(result.offered)}"
    return f"{result.outcome.value} {result.prompt}" if result.prompt else result.outcome.value
