"""What of the application on Ray needs Ray itself; imported when it is there."""

from collections.abc import Iterator
from contextlib import contextmanager

from ray import serve

from gateway.on_ray.calls import HandleEmbedderCalls, HandleModelCalls, running_replicas
from gateway.on_ray.deployments import model_of
from gateway.on_ray.names import APPLICATION, EMBEDDER, MODEL
from gateway.on_ray.serving import deployed
from gateway.settings import Settings

__all__ = ["deployed", "embedder_calls", "model_calls", "running_models", "running_replicas", "scaling_model"]


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


def running_models(application: str) -> int:
    """How many replicas such a model has by now."""
    return int(serve.status().applications[application].deployments[MODEL].replica_states.get("RUNNING", 0))
