"""The example help desk on a Ray of its own, with two replicas of the model, and the ways to each of its parts."""

import importlib
import importlib.util
import os
import shutil
import socket
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from benchmarks.gateway_process import ROOT, children_of
from gateway.content import import_folder
from gateway.limit_settings import LimitSettings
from gateway.model_making import remote_weights
from gateway.model_settings import AnswerSettings
from gateway.on_ray.environment import prepare
from gateway.opening import first_key, open_store
from gateway.rail_services import rail_services
from gateway.ray_settings import RaySettings
from gateway.server_settings import ServerSettings
from gateway.settings import DataSettings, MatchingSettings, Settings
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.remote.embedder import RemoteEmbedder
from models.remote.model import RemoteModel

ON_RAY = [
    pytest.mark.ray,
    pytest.mark.weights,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed; run: make test-ray"),
]
REPLICAS = 2


@dataclass(frozen=True)
class OnRay:
    """The running application."""

    settings: Settings
    key: str

    def client(self, key: str | None = None) -> httpx.Client:
        """Someone who asks over HTTP; without a key of their own, with the first one."""
        headers = {"authorization": f"Bearer {self.key if key is None else key}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.settings.server.port}", headers=headers, timeout=120.0)

    def model(self, *, parallel: int, waiting: int) -> RemoteModel:
        """The model as a gateway sees it; the caller closes it."""
        calls = _handles().model_calls()
        model = RemoteModel(remote_weights(self.settings), calls, parallel=parallel, waiting=waiting)
        model.start(60.0)
        return model

    def embedder(self) -> RemoteEmbedder:
        """The embedder as a gateway sees it."""
        calls = _handles().embedder_calls()
        return RemoteEmbedder(calls.facts(), calls)

    def processes(self, deployment: str) -> list[int]:
        """The numbers of the processes that are replicas of a deployment."""
        return [
            pid for pid in _below(os.getpid()) if _title(pid).startswith(f"ray::ServeReplica:canongate:{deployment}")
        ]

    def running(self, deployment: str) -> int:
        """How many replicas Ray says are ready."""
        return _handles().running_replicas()[deployment]


@pytest.fixture(scope="session")
def on_ray(tmp_path_factory: pytest.TempPathFactory, embedder_cache: Path) -> Iterator[OnRay]:
    """Runs the application; it takes most of a minute to start."""
    data = tmp_path_factory.mktemp("on-ray")
    shutil.copytree(embedder_cache, data / "embedder")
    settings = Settings(
        data=DataSettings(directory=str(data)),
        server=ServerSettings(port=_free_port()),
        matching=MatchingSettings(tune=False),
        answers=AnswerSettings(kept=0),
        limits=LimitSettings(requests_per_minute=100_000, deadline_s=60.0),
        ray=RaySettings(
            least_models=REPLICAS, most_models=REPLICAS, gateway_cpus=0.1, embedder_cpus=0.1, model_cpus=0.1
        ),
    )
    onnx = load_embedder(packaged_minilm(), embedder_cache, PACKAGED_MINILM_SHA256, print)
    with open_store(settings) as store:
        import_folder(store.database, ROOT / "examples" / "helpdesk", services=rail_services(lambda: onnx))
        made = first_key(settings, store)
    assert made is not None
    prepare(settings.ray)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Ray says of its own parts
        with _handles().deployed(settings, print):
            yield OnRay(settings, made.token)


@pytest.fixture(scope="session")
def ray_model(on_ray: OnRay) -> Iterator[RemoteModel]:
    """The model on Ray, for one caller and one more in line."""
    model = on_ray.model(parallel=1, waiting=1)
    yield model
    model.close()


@pytest.fixture(scope="session")
def ray_embedder(on_ray: OnRay) -> RemoteEmbedder:
    """The embedder on Ray."""
    return on_ray.embedder()


def _handles() -> ModuleType:
    return importlib.import_module("tests.on_ray.handles")


def _below(pid: int) -> Iterator[int]:
    for child in children_of(pid):
        yield child
        yield from _below(child)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
