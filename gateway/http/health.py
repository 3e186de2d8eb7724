"""Whether the process lives, and whether requests should be sent to it."""

from typing import Literal

import anyio
import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.readiness import PartReport, PartState, Readiness, ReadinessReport

PROBE_S = 2.0
_UNFINISHED = ReadinessReport({"probes": PartReport(PartState.NOT_READY, f"no result within {PROBE_S:g} s")})
_THREADS = CapacityLimiter(2)


class AliveReply(msgspec.Struct, frozen=True):
    """The event loop runs."""

    status: Literal["alive"]


class PartReply(msgspec.Struct, frozen=True):
    """One part's state, and what to do about it."""

    state: PartState
    reason: str


class ReadyReply(msgspec.Struct, frozen=True):
    """The state of every part. Degraded: fallback answers instead of generated words, or a share of each rate."""

    status: Literal["ready", "not_ready"]
    degraded: bool
    parts: dict[str, PartReply]


async def found_in_time(readiness: Readiness) -> ReadinessReport:
    """Asks every part; parts that take too long are not ready."""
    with anyio.move_on_after(PROBE_S):
        return await to_thread.run_sync(readiness.report, abandon_on_cancel=True, limiter=_THREADS)
    return readiness.note(_UNFINISHED)


@get("/livez", operation_id="livez")
async def livez() -> Response[AliveReply]:
    """Answers as long as the event loop runs; restart the process when it does not."""
    return Response(AliveReply("alive"), media_type="application/json")


@get("/readyz", operation_id="readyz")
async def readyz(components: NamedDependency[SkipValidation[Components]]) -> Response[ReadyReply]:
    """Answers 200 when requests should be sent here, else 503; the body says why."""
    report = await found_in_time(components.readiness)
    body = ReadyReply(
        status="ready" if report.is_ready else "not_ready",
        degraded=report.is_degraded,
        parts={name: PartReply(part.state, part.reason) for name, part in report.parts.items()},
    )
    return Response(body, status_code=200 if report.is_ready else 503, media_type="application/json")
