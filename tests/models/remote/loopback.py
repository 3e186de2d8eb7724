"""Carries requests to replicas in the same process, in place of Ray."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from models.ports import LanguageModel
from models.remote.embedder_replica import EmbedderReplica
from models.remote.model import RemoteModel, RemoteWeights
from models.remote.model_replica import ModelReplica


class LoopbackModelCalls:
    """`ModelCalls` that notes whose requests belong together."""

    def __init__(self, replica: ModelReplica) -> None:
        self.replica = replica
        self.words: str | None = None
        self.affinities: list[str] = []

    async def ask(self, message: bytes, *, affinity: str) -> AsyncGenerator[bytes, None]:
        self.affinities.append(affinity)
        async with aclosing(self.replica.answers(message)) as answers:
            async for answer in answers:
                yield answer

    async def fault(self) -> str | None:
        return self.words


class SayingModelCalls:
    """`ModelCalls` whose replica says what it is told to."""

    def __init__(self, *answers: object, error: Exception | None = None) -> None:
        self.answers, self.error = answers, error

    async def ask(self, message: bytes, *, affinity: str) -> AsyncGenerator[object, None]:
        for answer in self.answers:
            yield answer
        if self.error is not None:
            raise self.error

    async def fault(self) -> str | None:
        return None


class LoopbackEmbedderCalls:
    """`EmbedderCalls`, each request in a run of its own unless the test changes `carry`."""

    def __init__(self, replica: EmbedderReplica) -> None:
        self.carry: Callable[[bytes], object] = lambda message: replica.embed([message])[0]

    def embed(self, message: bytes) -> object:
        return self.carry(message)


def remote(
    model: LanguageModel, *, parallel: int = 1, waiting: int = 1, adapters=None, fault: str | None = None
) -> RemoteModel:
    """A started remote model before one of this process."""
    calls = LoopbackModelCalls(ModelReplica(model, places=parallel + waiting))
    calls.words = fault
    made = RemoteModel(
        RemoteWeights(model.name, model.sha256, adapters or {}), calls, parallel=parallel, waiting=waiting
    )
    made.start(10.0)
    return made
