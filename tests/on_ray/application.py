"""The example help desk on a Ray of its own, with two replicas of the model, and the ways to each of its parts."""

import importlib
import importlib.util
import os
import shutil
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import msgspec
import pytest

from benchmarks.gateway_process import ROOT, children_of
from gateway.content import import_folder
from gateway.limit_settings import LimitSettings
from gateway.model_making import remote_weights
from gateway.model_settings import AnswerSettings
from gateway.on_ray.environment import prepare
from gateway.on_ray.names import MODEL
from gateway.opening import first_key, open_store
from gateway.rail_services import rail_services
from gateway.ray_settings import RaySettings
from gateway.server_settings import ServerSettings
from gateway.settings import DataSettings, MatchingSettings, PageSettings, RailSettings, Settings
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.remote.embedder import RemoteEmbedder
from models.remote.model import RemoteModel

ON_RAY = [
    pytest.mark.ray,
    pytest.mark.weights,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed; run: make test-ray"),
]
REPLICAS = 2
AGAIN_S = 300.0
"""For a process that starts, on a machine that has more to do."""


@dataclass(frozen=True)
class OnRay:
    """The running application."""

    settings: Settings
    key: str

    def with_settings(self, **changes: Any) -> Settings:
        """The same data folder, with other settings."""
        return msgspec.structs.replace(Settings(data=self.settings.data), **changes)

    @property
    def url(self) -> str:
        """Where Ray's proxy listens."""
        return f"http://127.0.0.1:{self.settings.server.port}"

    def client(self, key: str | None = None) -> httpx.Client:
        """Someone who asks over HTTP: with the first key, another one, or none where that is empty."""
        token = self.key if key is None else key
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120.0)

    def is_ready(self) -> bool:
        """Whether the gateway says that all of its parts are."""
        with self.client() as client:
            return client.get("/readyz").status_code == 200

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
            pid for pid in below(os.getpid()) if _title(pid).startswith(f"ray::ServeReplica:canongate:{deployment}")
        ]

    def at_work(self, replica: int) -> int:
        """How many requests a replica of the model works on, by the number of its process."""
        return _handles().at_work(replica)

    @contextmanager
    def hanging_models(self) -> Iterator[None]:
        """Until it is left, every worker under a replica of the model stands still and dies of nothing."""
        below = [child for replica in self.processes(MODEL) for child in children_of(replica)]
        workers = [child for child in below if "models.worker" in _title(child)]
        assert len(workers) == REPLICAS
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGCONT)

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
        page=PageSettings(try_it="helpdesk"),
        rails=RailSettings(rail_s=10.0, stage_s=30.0),
        limits=LimitSettings(
            requests_per_minute=100_000, visitor_requests_per_minute=100_000, deadline_s=60.0, match_s=10.0
        ),
        ray=RaySettings(
            least_models=REPLICAS, most_models=REPLICAS, gateway_cpus=0.1, embedder_cpus=0.1, model_cpus=0.1
        ),
    )
    onnx = load_embedder(packaged_minilm(), embedder_cache, PACKAGED_MINILM_SHA256, print)
    with open_store(settings) as store:
        import_folder(store.database, ROOT / "examples" / "helpdesk", services=rail_services(lambda: onnx))
        made = first_key(settings, store)
    assert made is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Ray says of its own parts
        with _handles().deployed(settings, print):
            served = OnRay(settings, made.token)
            until(served.is_ready)
            yield served


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


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that nobody tells."""
    ends_s = time.monotonic() + AGAIN_S
    while not condition():
        assert time.monotonic() < ends_s
        time.sleep(0.2)


def needs_ray(name: str) -> ModuleType:
    """Imports a module that imports ray, which need not be there when tests are collected.

    It reads the environment as it is imported.
    """
    if "ray" not in sys.modules:
        prepare(RaySettings())
    return importlib.import_module(name)


def _handles() -> ModuleType:
    return needs_ray("tests.on_ray.handles")


def below(pid: int) -> Iterator[int]:
    """Gives the processes that a process started, and those that these started."""
    for child in children_of(pid):
        yield child
        yield from below(child)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
