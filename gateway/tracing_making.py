"""Makes what tells a collector, where the settings name one; else nothing of OpenTelemetry is loaded."""

from contextlib import ExitStack

from gateway.errors import ExtraMissing
from gateway.privacy import Privacy
from gateway.telemetry import Reading
from gateway.telemetry_settings import TelemetrySettings
from gateway.tracing import UNTRACED, Tracing
from models.ports import LanguageModel
from models.remote.model import RemoteModel
from models.worker.engine import LlamaModel

OWN_WORKER, OTHERS = "llama.cpp", "upstream"
"""Who provides the model; the conventions have no name for either."""


def open_tracing(
    settings: TelemetrySettings, stack: ExitStack, model: LanguageModel, privacy: Privacy
) -> tuple[Tracing, tuple[Reading, ...]]:
    """Returns what tells, closed with the stack, and its own numbers. Raises `SettingsInvalid`."""
    if not settings.endpoint:
        return UNTRACED, ()
    try:
        from gateway.otlp import open_collector  # noqa: PLC0415 - an extra, loaded by those who asked for it
    except ImportError as error:
        raise ExtraMissing("telemetry.endpoint needs OpenTelemetry", "otel") from error
    collector = stack.enter_context(open_collector(settings))
    provider = OWN_WORKER if isinstance(model, LlamaModel | RemoteModel) else OTHERS
    tracing = Tracing(collector, settings.sampling, provider=provider, model=model.name, privacy=privacy)
    spans = Reading(
        "canongate_trace_spans",
        "Spans that were `sent`, `dropped` for want of room, or `refused` by the collector.",
        lambda: {
            "sent": collector.counted.sent,
            "dropped": collector.counted.dropped,
            "refused": collector.counted.refused,
        },
        label="state",
        is_counter=True,
    )
    waiting = Reading("canongate_trace_waiting", "Requests whose spans wait.", lambda: collector.waiting)
    return tracing, (spans, waiting)
