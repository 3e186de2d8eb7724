"""Starts Ray, or joins it, and has gateway, embedder and model run as deployments until a signal comes."""

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.config import HTTPOptions, ProxyLocation
from ray.serve.schema import LoggingConfig

from gateway.errors import NotServing, SettingsInvalid
from gateway.on_ray.deployments import application_of
from gateway.on_ray.folders import make_keys
from gateway.on_ray.names import APPLICATION
from gateway.settings import Settings
from models.device import usable_cores
from store.dumps import SQLITE, kind_of

OBJECTS_BYTES = 128 * 2**20
"""Of shared memory; messages are small and do not even go through it. Ray's own choice is a third of the machine."""
LOOK_S = 2.0
_QUIET = LoggingConfig(log_level="WARNING", enable_access_log=False)
"""Of Ray's own lines; the gateways write theirs."""


def serve_on_ray(settings: Settings, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT; running requests have `server.drain_s`. Raises `SettingsInvalid`."""
    stopped = threading.Event()
    with deployed(settings, say):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        say(f"canongate is listening on http://{settings.server.host}:{settings.server.port}")
        while not stopped.wait(LOOK_S):
            _require_alive()


@contextmanager
def deployed(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Has everything run, and takes it down at the end.

    `gateway.on_ray.environment` has prepared before. Raises `SettingsInvalid`.
    """
    _require_servable(settings)
    make_keys(settings)
    with _ray(settings, say):
        try:
            _deploy(settings)
            yield
        finally:
            with suppress(RayError):
                serve.delete(APPLICATION)


def _deploy(settings: Settings) -> None:
    server = settings.server
    location = ProxyLocation.EveryNode if settings.ray.address else ProxyLocation.HeadOnly
    try:
        serve.start(
            proxy_location=location,
            http_options=HTTPOptions(host=server.host, port=server.port),
            logging_config=_QUIET,
        )
        serve.run(application_of(settings), name=APPLICATION, route_prefix="/", logging_config=_QUIET)
    except (RayError, RuntimeError) as error:  # the latter is how Serve says that a deployment did not start
        raise SettingsInvalid(f"Ray Serve: {error}. The log files of Ray say more.") from error


@contextmanager
def _ray(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Joins the Ray that the settings name, or starts one that only this user reaches, and ends that."""
    if settings.ray.address:
        say(f"joining Ray at {settings.ray.address}")
        ray.init(settings.ray.address, configure_logging=False)
        try:
            yield
        finally:
            ray.shutdown()
        return
    with _own_folder() as folder:
        say(f"starting Ray, whose log files are in {folder}/session_latest/logs")
        ray.init(
            "local",
            include_dashboard=False,
            object_store_memory=OBJECTS_BYTES,
            configure_logging=False,
            _temp_dir=str(folder),
        )
        try:
            yield
        finally:
            serve.shutdown()
            ray.shutdown()


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Gives a folder for Ray's log files and sockets that nobody else gets into; after an error it is left to look at.

    Ray opens its folder to everybody on the machine, so it is one in ours.
    """
    folder = Path(tempfile.mkdtemp(prefix="canongate-"))
    yield folder / "ray"
    shutil.rmtree(folder, ignore_errors=True)  # a process of Ray that is just ending may still write there


def _require_alive() -> None:
    try:
        serve.status()
    except RayError as error:
        raise NotServing("not_serving", "Ray has ended, and everything in it. Its log files say why.") from error


def _require_servable(settings: Settings) -> None:
    if settings.ray.most_gateways > 1 and kind_of(settings.database_url) == SQLITE:
        raise SettingsInvalid("ray.most_gateways: more than one needs a PostgreSQL in data.database_url")
    if not settings.ray.address and settings.ray.least_cpus > (cores := usable_cores()):
        raise SettingsInvalid(
            f"ray: the least replicas set aside {settings.ray.least_cpus:g} processors, and this machine has {cores}. "
            "Lower their number, or ray.gateway_cpus, ray.embedder_cpus and ray.model_cpus."
        )
    if not settings.server.port:
        raise SettingsInvalid("server.port: Ray takes no free port by itself; name one")
    if settings.server.admin_listen:
        raise SettingsInvalid("server.admin_listen: Ray Serve has one listener; run another gateway for administration")
