"""What of the application on Ray needs Ray itself; imported when it is there."""

from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray import serve
from ray.serve._private.constants import SERVE_NAMESPACE
from ray.serve.context import _get_global_client

from gateway.on_ray.calls import HandleEmbedderCalls, HandleModelCalls, running_replicas
from gateway.on_ray.deployments import model_of
from gateway.on_ray.names import APPLICATION, EMBEDDER, MODEL
from gateway.on_ray.serving import deployed
from gateway.settings import Settings

__all__ = [
    "at_work",
    "deployed",
    "embedder_calls",
    "model_calls",
    "running_models",
    "running_replicas",
    "scaling_model",
]


def model_calls() -> HandleModelCalls:
    """The way to the model's replicas."""
    return HandleModelCalls(serve.get_deployment_handle(MODEL, APPLICATION))


def embedder_calls() -> HandleEmbedderCalls:
    """The way to the embedder's replicas."""
    return HandleEmbedderCalls(serve.get_deployment_handle(EMBEDDER, APPLICATION))


@contextmanager
def scaling_model(settings: Settings, application: str) -> Iterator[HandleModelCalls]:
    """Runs a model by itself, as another application on the Ray that is up."""
    handle = serve.run(model_of(settings), name=application, route_prefix=None)
    try:
        yield HandleModelCalls(handle)
    finally:
        serve.delete(application)


def at_work(pid: int) -> int:
    """How many requests a replica of the model has begun and not ended, by the number of its process."""
    told = ray.get(_get_global_client()._controller.get_serve_instance_details.remote())
    replicas = told["applications"][APPLICATION]["deployments"][MODEL]["replicas"]
    name = next(one["actor_name"] for one in replicas if one["pid"] == pid)
    return int(ray.get(ray.get_actor(name, namespace=SERVE_NAMESPACE).get_num_ongoing_requests.remote()))


def running_models(application: str) -> int:
    """How many replicas such a model has by now."""
    return int(serve.status().applications[application].deployments[MODEL].replica_states.get("RUNNING", 0))
