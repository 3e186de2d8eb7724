"""What all tests share: the exported embedder and a running model, each made once."""

import gc
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.catalog import known_model
from models.device import plan_device
from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from models.embedding.export import export_onnx
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from tests.on_ray.application import on_ray, ray_embedder, ray_model
from tests.postgres import postgres_server, running_postgres
from tests.redis_server import redis_server
from tests.world import anyio_backend, make_world, policy, world

__all__ = [
    "anyio_backend",
    "embedder_cache",
    "make_world",
    "on_ray",
    "policy",
    "postgres_server",
    "ray_embedder",
    "ray_model",
    "redis_server",
    "running_postgres",
    "smollm",
    "world",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the described API is tried; `make api` asks for more."""
    parser.addoption("--examples", type=int, default=20, help="generated requests for each operation and mode")
    parser.addoption("--start", type=int, default=1, help="number from which requests are generated")


LEAST_FREE_GIB = 1.5
"""What the tests need for what they write: a full disk shows as hundreds of failures that do not name it."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuses to begin what a full disk would break in the middle."""
    if not hasattr(session.config, "workerinput") and _free_gib() < LEAST_FREE_GIB:
        told = f"{_free_gib():.1f} GiB are free in {tempfile.gettempdir()}, and the tests need {LEAST_FREE_GIB}"
        pytest.exit(f"{told}: make room, or name another folder in TMPDIR", returncode=2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how much was left, where a failure may come from a full disk."""
    terminalreporter.write_line(f"{_free_gib():.1f} GiB are free in {tempfile.gettempdir()}")


def _free_gib() -> float:
    return shutil.disk_usage(tempfile.gettempdir()).free / 2**30


LONG = ("test_acknowledged_writes_survive.py", "test_served_process.py", "test_described_api_holds.py")
"""Files that take longer than most, beside those with the real model and those with a browser."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts what takes long first, so that of several processes none waits in the end for one that has just begun.

    They share tests by file: xdist 3.8.0 finds no groups under pytest 9.2, and took each test for a group of its own.
    """
    if hasattr(config, "workerinput"):
        browsers = {item.path for item in items if item.get_closest_marker("browser")}
        items.sort(key=lambda item: _turn(item, browsers))


def _turn(item: pytest.Item, browsers: set[Path]) -> int:
    if item.get_closest_marker("weights"):
        return 0
    return 1 if item.path in browsers else 2 if item.path.name in LONG else 3


def pytest_collection_finish() -> None:
    """Takes the modules and what was collected out of what the garbage collector looks through at every turn."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def embedder_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports the packaged embedder, which takes about 20 seconds, and gives the folder; do not change it."""
    folder = tmp_path_factory.mktemp("embedder")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch and transformers say about themselves
        export_onnx(packaged_minilm(), folder, PACKAGED_MINILM_SHA256, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def smollm() -> Iterator[LlamaModel]:
    """The packaged model in its worker."""
    model = LlamaModel(known_model("smollm2-135m-instruct"), plan_device(gpu_layers=0), EngineLimits(), WorkerProgram())
    model.start(120.0)
    yield model
    model.close()
