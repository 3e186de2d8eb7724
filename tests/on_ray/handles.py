"""What of the application on Ray needs Ray itself; imported when it is there."""

from ray import serve

from gateway.on_ray.calls import HandleEmbedderCalls, HandleModelCalls, running_replicas
from gateway.on_ray.names import APPLICATION, EMBEDDER, MODEL
from gateway.on_ray.serving import deployed

__all__ = ["deployed", "embedder_calls", "model_calls", "running_replicas"]


def model_calls() -> HandleModelCalls:
    """The way to the model's replicas."""
    return HandleModelCalls(serve.get_deployment_handle(MODEL, APPLICATION))


def embedder_calls() -> HandleEmbedderCalls:
    """The way to the embedder's replicas."""
    return HandleEmbedderCalls(serve.get_deployment_handle(EMBEDDER, APPLICATION))
