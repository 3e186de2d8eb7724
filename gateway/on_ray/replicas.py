"""What runs in Ray's processes: a gateway, an embedder or a model, each made from settings as anywhere else."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing

import msgspec
from ray import serve
from ray.serve.handle import DeploymentHandle

from gateway.app import create_app
from gateway.bootstrap import Elsewhere, open_components, open_embedder
from gateway.components import Components
from gateway.http.edge import Edge
from gateway.http.hosts import Hosts
from gateway.logs import set_up_logging
from gateway.model_making import make_model, remote_weights
from gateway.on_ray.calls import HandleEmbedderCalls, HandleModelCalls
from gateway.on_ray.folders import folder_of_gateway
from gateway.on_ray.listening import listen_here
from gateway.settings import Settings
from models.errors import ModelUnavailable
from models.remote.embedder import RemoteEmbedder
from models.remote.embedder_replica import EmbedderReplica
from models.remote.model import RemoteModel
from models.remote.model_replica import ModelReplica
from models.worker.engine import LlamaModel
from models.worker.limits import ModelState
from store.pauses import settle

LOAD_S = 600.0
"""For a model's weights."""


class ModelDeployment:
    """A process with the model's worker under it."""

    def __init__(self, settings: bytes) -> None:
        read = _begin(settings)
        made = make_model(read)
        if not isinstance(made, LlamaModel):
            raise TypeError("an upstream is not a deployment. This is a bug.")
        made.start(LOAD_S)
        if made.state is not ModelState.READY:
            made.close()
            raise ModelUnavailable("the model did not get ready; see worker.log in the data folder")
        self._model = made
        self._replica = ModelReplica(made, places=made.places)

    async def answers(self, message: bytes) -> AsyncGenerator[bytes, None]:
        """Answers a request."""
        async with aclosing(self._replica.answers(message)) as answers:
            async for answer in answers:
                yield answer

    def check_health(self) -> None:
        """Has Ray make another replica when this one's worker died too often."""
        if self._model.state is ModelState.OPEN:
            raise ModelUnavailable("the model's worker died too often")

    def __del__(self) -> None:
        """Ends the worker with its replica."""
        if hasattr(self, "_model"):
            self._model.close()


class EmbedderDeployment:
    """A process with the embedder."""

    def __init__(self, settings: bytes) -> None:
        read = _begin(settings)
        self._replica = EmbedderReplica(open_embedder(read, lambda _: None))
        self.embed.set_max_batch_size(read.ray.batch)

    def facts(self) -> bytes:
        """Returns what the embedder is."""
        return self._replica.facts()

    @serve.batch(batch_wait_timeout_s=0.0)  # type: ignore[untyped-decorator] # ray ships no types that we check with
    async def embed(self, messages: list[bytes]) -> list[bytes]:
        """Answers requests that came at once; nobody waits for more to come."""
        return await asyncio.to_thread(self._replica.embed, messages)


class GatewayDeployment:
    """A gateway whose model and embedder are other deployments."""

    def __init__(self, settings: bytes, model: DeploymentHandle | None, embedder: DeploymentHandle) -> None:
        read = folder_of_gateway(_begin(settings), serve.get_replica_context().rank.rank)
        self._stack = ExitStack()
        with ThreadPoolExecutor(1) as beside:  # what is opened blocks, and asks the embedder
            components = beside.submit(self._opened, read, model, embedder).result()
        self._app = Edge(create_app(components), Hosts(read.server.host_names), components.telemetry)
        settle()

    def __serve_build_asgi_app__(self) -> Edge:
        """Returns what answers: Ray's own name for it."""
        return self._app

    def _opened(self, settings: Settings, model: DeploymentHandle | None, embedder: DeploymentHandle) -> Components:
        calls = HandleEmbedderCalls(embedder)
        elsewhere = Elsewhere(RemoteEmbedder(calls.facts(), calls), _remote_model(settings, model))
        return self._stack.enter_context(open_components(settings, is_followed=True, elsewhere=elsewhere))

    def __del__(self) -> None:
        """Closes the database; called when running requests are done."""
        if hasattr(self, "_stack"):
            self._stack.close()


def _remote_model(settings: Settings, handle: DeploymentHandle | None) -> RemoteModel | None:
    if handle is None:
        return None
    parallel = settings.ray.places_of(settings.model) * settings.ray.most_models
    return RemoteModel(
        remote_weights(settings), HandleModelCalls(handle), parallel=parallel, waiting=settings.model.queue
    )


def _begin(settings: bytes) -> Settings:
    """Returns the settings, after what every process of ours does first."""
    read = msgspec.json.decode(settings, type=Settings)
    set_up_logging(read.log)
    listen_here(read.ray)
    return read
