"""What the settings make of the deployments, and that a busy model gets another replica."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from gateway.limit_settings import LimitSettings
from gateway.model_making import remote_weights
from gateway.model_settings import ModelSettings
from gateway.on_ray.names import EMBEDDER, GATEWAY, MODEL
from gateway.ray_settings import RaySettings
from gateway.settings import Settings
from models.errors import RequestCancelled
from models.ports import Cancellation, Sampling
from models.remote.model import RemoteModel
from tests.models.prompts import approved
from tests.on_ray.application import ON_RAY, OnRay, needs_ray, until

pytestmark = ON_RAY

SCALING = "scaling"
PLACES = 2


def deployments(settings):
    """The three deployments by their names."""
    application = needs_ray("gateway.on_ray.deployments").application_of(settings)
    gateway = application._bound_deployment
    below = [one._bound_deployment for one in gateway.init_args if hasattr(one, "_bound_deployment")]
    return {one.name: one for one in (gateway, *below)}


def test_each_deployment_has_its_own_replicas_and_autoscaling():
    ray = RaySettings(
        least_gateways=1,
        most_gateways=2,
        least_embedders=2,
        most_embedders=3,
        least_models=2,
        most_models=5,
        gateway_cpus=1.5,
        embedder_cpus=0.5,
        model_cpus=2.0,
        model_gpus=0.5,
        busy=0.5,
        batch=32,
        more_after_s=7.0,
        fewer_after_s=70.0,
    )
    made = deployments(Settings(ray=ray, limits=LimitSettings(concurrent=6), model=ModelSettings(parallel=4, queue=9)))
    scaling = {name: one._deployment_config.autoscaling_config for name, one in made.items()}
    assert {name: (one.min_replicas, one.max_replicas) for name, one in scaling.items()} == {
        GATEWAY: (1, 2),
        EMBEDDER: (2, 3),
        MODEL: (2, 5),
    }
    wanted = {GATEWAY: 0.5 * (6 + 5 * 4), EMBEDDER: 0.5 * 32, MODEL: 0.5 * 4}
    assert {name: one.target_ongoing_requests for name, one in scaling.items()} == wanted
    assert {(one.upscale_delay_s, one.downscale_delay_s) for one in scaling.values()} == {(7.0, 70.0)}
    cpus = {name: one.ray_actor_options["num_cpus"] for name, one in made.items()}
    assert cpus == {GATEWAY: 1.5, EMBEDDER: 0.5, MODEL: 2.0}
    assert made[MODEL].ray_actor_options["num_gpus"] == 0.5
    assert (made[MODEL].max_ongoing_requests, made[MODEL].max_queued_requests) == (4, 4 * 5 + 9)


def test_as_many_as_there_are_at_least_and_at_most_stay_as_many():
    made = deployments(Settings(ray=RaySettings(least_models=3, most_models=3)))
    assert (made[MODEL].num_replicas, made[MODEL]._deployment_config.autoscaling_config) == (3, None)
    assert made[EMBEDDER].num_replicas == made[GATEWAY].num_replicas == 1


def test_a_full_replica_hands_on_to_all_others_that_there_may_be():
    router = needs_ray("ray.serve.experimental.consistent_hash_router").ConsistentHashRouter
    config = deployments(Settings(ray=RaySettings(most_models=7)))[MODEL]._deployment_config.request_router_config
    assert config.get_request_router_class() is router
    made = object.__new__(router)
    made._deployment_id = MODEL
    made.initialize_state(**config.request_router_kwargs)
    assert made._num_fallback_replicas == 7


@contextmanager
def scaling(on_ray: OnRay) -> Iterator[RemoteModel]:
    """A model by itself that may have two replicas, and has one."""
    more = RaySettings(least_models=1, most_models=2, model_cpus=0.1, busy=0.5, more_after_s=1.0)
    settings = on_ray.with_settings(model=ModelSettings(parallel=PLACES), ray=more)
    with needs_ray("tests.on_ray.handles").scaling_model(settings, SCALING) as calls:
        model = RemoteModel(remote_weights(settings), calls, parallel=2 * PLACES, waiting=0)
        model.start(60.0)
        try:
            yield model
        finally:
            model.close()


def test_a_busy_model_gets_a_second_replica(on_ray):
    running = needs_ray("tests.on_ray.handles").running_models
    with scaling(on_ray) as model, ThreadPoolExecutor(2 * PLACES) as pool:
        assert running(SCALING) == 1
        done = Cancellation()

        def work(number):
            while not done.is_cancelled:
                prompt = approved(f"Explain opening hours number {number} at length.", assistant="helpdesk")
                try:
                    model.complete(
                        prompt, Sampling(max_tokens=400), deadline_s=time.monotonic() + 120, cancellation=done
                    )
                except RequestCancelled:
                    return True
            return True

        working = [pool.submit(work, number) for number in range(2 * PLACES)]
        try:
            until(lambda: running(SCALING) == 2)
        finally:
            done.cancel()
        assert all(one.result() for one in working)
