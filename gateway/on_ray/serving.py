"""Starts Ray, or joins it, and has gateway, embedder and model run as deployments until a signal comes."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.config import HTTPOptions, ProxyLocation, RequestRouterConfig
from ray.serve.schema import LoggingConfig

from gateway.errors import NotServing, SettingsInvalid
from gateway.model_making import has_own_model
from gateway.on_ray.folders import make_keys
from gateway.on_ray.names import APPLICATION, EMBEDDER, GATEWAY, MODEL
from gateway.on_ray.replicas import EmbedderDeployment, GatewayDeployment, ModelDeployment
from gateway.settings import DataSettings, Settings
from models.device import usable_cores
from store.dumps import SQLITE, kind_of

AFFINITY = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
"""Keeps requests with one session id at one replica; what that one has no room for goes to the next on the ring."""
OBJECTS_BYTES = 128 * 2**20
"""Of shared memory; messages are small and do not even go through it. Ray's own choice is a third of the machine."""
NO_BOUND = 100_000
"""Requests at a gateway. Its own limits turn them away, with a reason."""
WAVES = 4
"""Runs of the embedder that may stand in line at a replica."""
LOOK_S = 2.0
HEALTH_TIMEOUT_S = 30.0
"""A machine that is busy for a moment is not ill. A process that died is noticed at once."""
ENDING_S = 5.0
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


def application_of(settings: Settings) -> serve.Application:
    """Returns the deployments, bound to each other; each gets of the settings what it needs."""
    chosen, places = settings.ray, settings.ray.places_of(settings.model)
    # Processes of Ray need not have this one's working folder.
    data = msgspec.structs.replace(settings.data, directory=str(settings.data_directory))
    absolute = msgspec.structs.replace(settings, data=data)
    narrowed = msgspec.json.encode(
        Settings(
            data=DataSettings(directory=data.directory),
            embedder=settings.embedder,
            model=msgspec.structs.replace(settings.model, parallel=places),
            log=settings.log,
            ray=chosen,
        )
    )
    embedder = serve.deployment(
        EmbedderDeployment,
        name=EMBEDDER,
        max_ongoing_requests=chosen.batch * WAVES,
        ray_actor_options={"num_cpus": chosen.embedder_cpus},
        **_replicas(chosen.least_embedders, chosen.most_embedders, chosen.busy * chosen.batch),
    ).bind(narrowed)
    model = serve.deployment(
        ModelDeployment,
        name=MODEL,
        max_ongoing_requests=places,
        max_queued_requests=settings.model.queue,
        request_router_config=RequestRouterConfig(
            request_router_class=AFFINITY, request_router_kwargs={"fallback_replicas": chosen.most_models}
        ),
        ray_actor_options={"num_cpus": chosen.model_cpus, "num_gpus": chosen.model_gpus},
        **_replicas(chosen.least_models, chosen.most_models, chosen.busy * places),
    ).bind(narrowed)
    drain_s = settings.server.drain_s + ENDING_S
    return serve.deployment(
        serve.ingress()(GatewayDeployment),
        name=GATEWAY,
        max_ongoing_requests=NO_BOUND,
        graceful_shutdown_timeout_s=drain_s,
        ray_actor_options={"num_cpus": chosen.gateway_cpus},
        **_replicas(chosen.least_gateways, chosen.most_gateways, chosen.busy * settings.limits.concurrent),
    ).bind(msgspec.json.encode(absolute), model if has_own_model(settings) else None, embedder)


def _replicas(least: int, most: int, target: float) -> dict[str, Any]:
    """Returns how many replicas there are, and at how many requests for each of them there will be more."""
    options: dict[str, Any] = {"health_check_period_s": LOOK_S, "health_check_timeout_s": HEALTH_TIMEOUT_S}
    if least == most:
        return options | {"num_replicas": least}
    scaling = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": max(1.0, target)}
    return options | {"autoscaling_config": scaling}


@contextmanager
def _ray(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Joins the Ray that the settings name, or starts one that only this user reaches, and ends that."""
    if settings.ray.address:
        say(f"joining Ray at {settings.ray.address}")
        ray.init(settings.ray.address, configure_logging=False)
    else:
        say("starting Ray")
        ray.init("local", include_dashboard=False, object_store_memory=OBJECTS_BYTES, configure_logging=False)
    try:
        yield
    finally:
        if not settings.ray.address:
            serve.shutdown()
        ray.shutdown()


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
