"""An embedder in a process of Ray's, made from settings as anywhere else."""

import asyncio

from ray import serve

from gateway.fitting.corpora import load_source, source_of
from gateway.on_ray.beginning import begin
from models.remote.embedder_replica import EmbedderReplica


class EmbedderDeployment:
    """A process with the embedder."""

    def __init__(self, settings: bytes) -> None:
        read = begin(settings)
        embedder = load_source(source_of(read), lambda *_: None)
        embedder.embed(["warm"])
        self._replica = EmbedderReplica(embedder)
        self.embed.set_max_batch_size(read.ray.batch)

    def facts(self) -> bytes:
        """Returns what the embedder is."""
        return self._replica.facts()

    @serve.batch(batch_wait_timeout_s=0.0)  # type: ignore[untyped-decorator] # ray ships no types that we check with
    async def embed(self, messages: list[bytes]) -> list[bytes]:
        """Answers requests that came at once; nobody waits for more to come."""
        return await asyncio.to_thread(self._replica.embed, messages)
