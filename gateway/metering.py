"""Which numbers the gateway's parts keep themselves, and under which names they are told."""

from collections.abc import Callable
from importlib.metadata import version

from gateway.answer_cache import AnswerCache
from gateway.limits import Admission
from gateway.lines import Line
from gateway.live import Live
from gateway.rates import MemoryRates
from gateway.readiness import PartState, ReadinessReport
from gateway.shared_rates import SharedRates
from gateway.telemetry import Reading
from models.ports import LanguageModel
from models.remote.model import RemoteModel
from models.upstream.model import UpstreamModel
from models.worker.engine import LlamaModel
from models.worker.limits import ModelState


def readings_of(
    live: Live, admission: Admission, answers: AnswerCache, model: LanguageModel, decisions_waiting: Callable[[], int]
) -> tuple[Reading, ...]:
    """Returns what is read when metrics are asked for; nothing of it blocks."""
    return (
        Reading("canongate_build", "The version that runs.", lambda: {version("canongate"): 1}, label="version"),
        Reading("canongate_store_revision", "Revision of prompts that serves.", lambda: live.current.catalog.revision),
        Reading(
            "canongate_policy_revision",
            "Revision of each policy that serves.",
            lambda: {name: policy.revision for name, policy in live.current.policies.items()},
            label="policy",
        ),
        Reading("canongate_prompts", "Approved prompts that serve.", lambda: len(live.current.catalog.prompts)),
        *_admission_readings(admission),
        Reading(
            "canongate_decisions_waiting",
            "Decisions that the database did not take yet; at 1,000 nothing is answered.",
            decisions_waiting,
        ),
        Reading("canongate_kept_answers", "Checked answers that are kept.", lambda: answers.figures.entries),
        Reading("canongate_kept_answers_bytes", "Memory that they take.", lambda: answers.figures.size_bytes),
        Reading(
            "canongate_kept_answers_asked",
            "Questions to prompts whose answers may be kept: `hit`, `miss`.",
            lambda: {"hit": answers.figures.hits, "miss": answers.figures.misses},
            label="found",
            is_counter=True,
        ),
        *(_state_readings(model) if isinstance(model, LlamaModel | UpstreamModel | RemoteModel) else ()),
        *(_worker_readings(model) if isinstance(model, LlamaModel) else ()),
    )


def readiness_readings(last: Callable[[], ReadinessReport | None]) -> tuple[Reading, ...]:
    """Returns what is read of the parts as they were found last; nothing before anybody asked."""

    def of_parts(is_so: Callable[[PartState], bool]) -> Callable[[], dict[str, float] | None]:
        def read() -> dict[str, float] | None:
            report = last()
            return None if report is None else {name: float(is_so(part.state)) for name, part in report.parts.items()}

        return read

    def whole() -> float | None:
        report = last()
        return None if report is None else float(report.is_ready)

    return (
        Reading("canongate_ready", "1 when requests should be sent here, as /readyz says.", whole),
        Reading(
            "canongate_part_ready",
            "1 for a part that lets requests be sent here.",
            of_parts(lambda state: state is not PartState.NOT_READY),
            label="part",
        ),
        Reading(
            "canongate_part_degraded",
            "1 for a part that does something in a lesser way for the time being.",
            of_parts(lambda state: state is PartState.DEGRADED),
            label="part",
        ),
    )


def audit_readings(is_damaged: Callable[[], bool]) -> tuple[Reading, ...]:
    """Returns what is read of the audit trail."""
    return (
        Reading(
            "canongate_audit_damaged",
            "1 when the audit trail, or its checkpoints, were found damaged.",
            lambda: float(is_damaged()),
        ),
    )


def _admission_readings(admission: Admission) -> tuple[Reading, ...]:
    lines = admission.lines.named()

    def of_lines(name: str, said: str, value: Callable[[Line], float], *, is_counter: bool = False) -> Reading:
        return Reading(
            name, said, lambda: {key: value(line) for key, line in lines.items()}, label="line", is_counter=is_counter
        )

    return (
        of_lines(
            "canongate_requests_in_work",
            "Requests that hold a place in `chat`, `admin`, `model` or `embeddings`.",
            lambda line: line.in_work,
        ),
        of_lines("canongate_requests_in_line", "Requests that wait for a place.", lambda line: line.in_line),
        of_lines("canongate_requests_shed", "Requests turned away.", lambda line: line.refused, is_counter=True),
        of_lines(
            "canongate_pressure_stage",
            "What is done about a standing line: 0 nothing, 1 the model is skipped, 2 nobody waits.",
            lambda line: line.pressure.stage,
        ),
        Reading(
            "canongate_model_skipped",
            "Approved fallbacks given under pressure in place of the model's words.",
            lambda: admission.skipped.count,
            is_counter=True,
        ),
        Reading(
            "canongate_budgets_used",
            "Requests refused because a day's tokens were used up.",
            lambda: admission.budgets.refused,
            is_counter=True,
        ),
        *rate_readings(admission.rates),
    )


def rate_readings(rates: MemoryRates | SharedRates) -> tuple[Reading, ...]:
    """Returns what is read of the rates, wherever they are counted."""
    shared = rates if isinstance(rates, SharedRates) else None
    return (
        Reading(
            "canongate_rate_limited",
            "Requests refused because a rate was used up, of `key`, `session`, `origin`, `address` or `assistant`.",
            lambda: rates.refused,
            label="kind",
            is_counter=True,
        ),
        Reading("canongate_rate_names", "Names under which requests are counted here.", lambda: rates.names),
        Reading(
            "canongate_rates_alone",
            "1 while the shared store does not answer and this gateway lets in its share.",
            lambda: float(shared is not None and shared.is_alone),
        ),
        Reading(
            "canongate_rate_store_failures",
            "Times that the shared store did not answer in time.",
            lambda: shared.failures if shared is not None else 0,
            is_counter=True,
        ),
    )


def _state_readings(model: LlamaModel | UpstreamModel | RemoteModel) -> tuple[Reading, ...]:
    return (
        Reading(
            "canongate_model_state",
            "State of the model: 1 for the one it is in.",
            lambda: {state.value: float(state is model.state) for state in ModelState},
            label="state",
        ),
    )


def _worker_readings(model: LlamaModel) -> tuple[Reading, ...]:
    return (
        Reading("canongate_model_waiting", "Requests in line for the model.", lambda: model.waiting),
        Reading("canongate_model_starts", "Starts of the worker.", lambda: model.starts, is_counter=True),
        Reading("canongate_model_prefixes", "Beginnings of prompts kept ready.", lambda: model.kept_prefixes),
        Reading(
            "canongate_model_prefix_asked",
            "Answers by whether the beginning of their prompt was ready: `hit`, `miss`.",
            lambda: {"hit": model.reused.hits, "miss": model.reused.misses},
            label="found",
            is_counter=True,
        ),
        Reading(
            "canongate_model_prefix_tokens",
            "Tokens of prompts that were `ready`, or had to be `read`.",
            lambda: {"ready": model.reused.ready_tokens, "read": model.reused.read_tokens},
            label="kind",
            is_counter=True,
        ),
    )
