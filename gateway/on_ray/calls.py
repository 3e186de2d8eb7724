"""Carries requests to the replicas of model and embedder over the handles of their deployments."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponse, DeploymentResponseGenerator

from gateway.on_ray.names import APPLICATION, EMBEDDER, MODEL
from models.errors import ModelBusy, ModelUnavailable
from models.remote.messages import EmbedderFacts, read_facts

EMBED_S = 10.0
"""For one request to the embedder. A message has less, by `limits.match_s`; this ends what nobody waits for."""
BUSY_S = 1.0
"""When to come back, as a caller is told whose request has no place in line."""
START_S = 600.0
"""For the first replica of the embedder; it may have to export its model first."""

_FAILURES = (RayError, RayServeException, TimeoutError, ConnectionError)


class HandleModelCalls:
    """`ModelCalls` over a handle. Ray's consistent hashing keeps requests of one affinity at one replica."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle.options(method_name="answers", stream=True)

    async def ask(self, message: bytes, *, affinity: str) -> AsyncGenerator[bytes, None]:
        answers = self._handle.options(session_id=affinity).remote(message)
        try:
            async for answer in answers:
                yield answer
        except BackPressureError as error:
            raise ModelBusy(BUSY_S) from error
        except _FAILURES as error:
            raise ModelUnavailable(f"a replica of the model failed: {type(error).__name__}") from error
        finally:
            _leave(answers)

    async def fault(self) -> str | None:
        try:
            running = await asyncio.to_thread(_running, MODEL)
        except _FAILURES as error:
            return f"Ray does not say how the model's replicas are: {type(error).__name__}"
        return None if running else "no replica of the model is running"


class HandleEmbedderCalls:
    """`EmbedderCalls` over a handle."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    def facts(self) -> EmbedderFacts:
        """Returns what the embedder is, once a replica of it is there. Raises `ModelUnavailable`."""
        try:
            return read_facts(self._handle.facts.remote().result(timeout_s=START_S))
        except _FAILURES as error:
            raise ModelUnavailable(f"the embedder's replica is not there: {error}") from error

    def embed(self, message: bytes) -> bytes:
        response = self._handle.embed.remote(message)
        try:
            answer: bytes = response.result(timeout_s=EMBED_S)
        except BackPressureError as error:
            raise ModelBusy(BUSY_S) from error
        except _FAILURES as error:
            _leave(response)
            raise ModelUnavailable(f"a replica of the embedder failed: {type(error).__name__}") from error
        return answer


def _leave(left: DeploymentResponse | DeploymentResponseGenerator) -> None:
    """Stops the work on a request; one that has ended is not disturbed, and one that never began says once more why."""
    with suppress(*_FAILURES):
        left.cancel()


def running_replicas() -> dict[str, int]:
    """Returns how many replicas of each deployment are ready to work."""
    return {name: _running(name) for name in (MODEL, EMBEDDER)}


def _running(deployment: str) -> int:
    application = serve.status().applications.get(APPLICATION)
    found = application.deployments.get(deployment) if application is not None else None
    return int(found.replica_states.get("RUNNING", 0)) if found is not None else 0
