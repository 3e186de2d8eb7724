"""A gateway in a process of Ray's, whose model and embedder are in others."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from ray import serve
from ray.serve.handle import DeploymentHandle

from gateway.app import create_app
from gateway.bootstrap import Elsewhere, open_components
from gateway.components import Components
from gateway.http.edge import Edge
from gateway.http.hosts import Hosts
from gateway.http.one_request_id import OneRequestId
from gateway.model_making import remote_weights
from gateway.on_ray.beginning import begin
from gateway.on_ray.calls import HandleEmbedderCalls, HandleModelCalls
from gateway.on_ray.folders import folder_of_gateway
from gateway.settings import Settings
from models.remote.embedder import RemoteEmbedder
from models.remote.model import RemoteModel
from store.pauses import settle


class GatewayDeployment:
    """A gateway whose model and embedder are other deployments."""

    def __init__(self, settings: bytes, model: DeploymentHandle | None, embedder: DeploymentHandle) -> None:
        read = folder_of_gateway(begin(settings), serve.get_replica_context().rank.rank)
        self._stack = ExitStack()
        with ThreadPoolExecutor(1) as beside:  # what is opened blocks, and asks the embedder
            components = beside.submit(self._opened, read, model, embedder).result()
        edge = Edge(create_app(components), Hosts(read.server.host_names), components.telemetry)
        self._app = OneRequestId(edge)
        settle()

    def __serve_build_asgi_app__(self) -> OneRequestId:
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
