"""Gateway, embedder and model as deployments: how many replicas each has, how large, and when there are more."""

from typing import Any

import msgspec
from ray import serve
from ray.serve.config import RequestRouterConfig

from gateway.model_making import has_own_model
from gateway.on_ray.embedder_replica import EmbedderDeployment
from gateway.on_ray.folders import absolute
from gateway.on_ray.gateway_replica import GatewayDeployment
from gateway.on_ray.model_replica import ModelDeployment
from gateway.on_ray.names import EMBEDDER, GATEWAY, MODEL
from gateway.ray_settings import RaySettings
from gateway.settings import DataSettings, Settings
from models.device import usable_cores

AFFINITY = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
"""Keeps requests with one session id at one replica; what that one has no room for goes to the next on the ring."""
NO_BOUND = 100_000
"""Requests at a gateway. Its own limits turn them away, with a reason."""
WAVES = 4
"""Runs of the embedder that may stand in line at a replica."""
HEALTH_S = 2.0
HEALTH_TIMEOUT_S = 30.0
"""A machine that is busy for a moment is not ill. A process that died is noticed at once."""
ENDING_S = 5.0


def application_of(settings: Settings) -> serve.Application:
    """Returns the deployments, bound to each other; each gets of the settings what it needs."""
    chosen = settings.ray
    drain_s = settings.server.drain_s + ENDING_S
    has_model = has_own_model(settings)
    at_once = settings.limits.concurrent or usable_cores()
    at_the_model = chosen.places_of(settings.model) * chosen.most_models if has_model else 0
    gateway = serve.deployment(
        serve.ingress()(GatewayDeployment),
        name=GATEWAY,
        max_ongoing_requests=NO_BOUND,
        graceful_shutdown_timeout_s=drain_s,
        ray_actor_options={"num_cpus": chosen.gateway_cpus},
        **_replicas(chosen, chosen.least_gateways, chosen.most_gateways, places=at_once + at_the_model),
    )
    model = model_of(settings) if has_model else None
    return gateway.bind(msgspec.json.encode(absolute(settings)), model, embedder_of(settings))


def embedder_of(settings: Settings) -> serve.Application:
    """Returns the embedder's deployment."""
    chosen = settings.ray
    return serve.deployment(
        EmbedderDeployment,
        name=EMBEDDER,
        max_ongoing_requests=chosen.batch * WAVES,
        ray_actor_options={"num_cpus": chosen.embedder_cpus},
        **_replicas(chosen, chosen.least_embedders, chosen.most_embedders, places=chosen.batch),
    ).bind(_narrowed(settings))


def model_of(settings: Settings) -> serve.Application:
    """Returns the model's deployment, whose requests go by the beginning of their prompts."""
    chosen, places = settings.ray, settings.ray.places_of(settings.model)
    return serve.deployment(
        ModelDeployment,
        name=MODEL,
        max_ongoing_requests=places,
        # Ray counts those as waiting that it is about to hand to a free replica: each gateway's own bound comes first.
        max_queued_requests=places * chosen.most_models + settings.model.queue,
        request_router_config=RequestRouterConfig(
            request_router_class=AFFINITY, request_router_kwargs={"num_fallback_replicas": chosen.most_models}
        ),
        ray_actor_options={"num_cpus": chosen.model_cpus, "num_gpus": chosen.model_gpus},
        **_replicas(chosen, chosen.least_models, chosen.most_models, places=places),
    ).bind(_narrowed(settings))


def _replicas(chosen: RaySettings, least: int, most: int, *, places: int) -> dict[str, Any]:
    """Returns how many replicas there are, and how many of their places are taken when there will be more."""
    options: dict[str, Any] = {"health_check_period_s": HEALTH_S, "health_check_timeout_s": HEALTH_TIMEOUT_S}
    if least == most:
        return options | {"num_replicas": least}
    return options | {
        "autoscaling_config": {
            "min_replicas": least,
            "max_replicas": most,
            "target_ongoing_requests": max(1.0, chosen.busy * places),
            "upscale_delay_s": chosen.more_after_s,
            "look_back_period_s": max(1.0, chosen.more_after_s),
            "downscale_delay_s": chosen.fewer_after_s,
        }
    }


def _narrowed(settings: Settings) -> bytes:
    """Returns what embedders and models are made of, without what is none of theirs."""
    places = settings.ray.places_of(settings.model)
    return msgspec.json.encode(
        Settings(
            data=DataSettings(directory=str(settings.data_directory)),
            embedder=settings.embedder,
            model=msgspec.structs.replace(settings.model, parallel=places),
            log=settings.log,
            ray=settings.ray,
        )
    )
