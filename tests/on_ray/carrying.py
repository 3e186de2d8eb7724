"""Has Ray carry what a test's fake model is asked: to a replica, where a fake that behaves the same answers."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import fields
from typing import Any

import pytest
from ray import cloudpickle, serve
from ray.serve.config import RequestRouterConfig
from ray.serve.handle import DeploymentHandle

from gateway.on_ray.calls import HandleModelCalls
from gateway.on_ray.deployments import AFFINITY
from gateway.pipeline import ChatPipeline
from models.fakes import FakeModel
from models.ports import LanguageModel
from models.remote.messages import read_ask
from models.remote.model import RemoteModel, RemoteWeights
from models.remote.model_replica import ModelReplica
from tests import building, world

NAME = "carrying"
REPLICAS = 2
PLACES = 8
TOLD = [field.name for field in fields(FakeModel) if field.name not in ("prompts", "_lock")]
"""Of a fake, what its answers depend on."""


class CarryingDeployment:
    """A process in which fakes answer."""

    async def answers(self, packed: bytes) -> AsyncGenerator[bytes, None]:
        """Yields the prompt that arrived, and then what a replica of the model yields."""
        behaviour, message = cloudpickle.loads(packed)
        yield cloudpickle.dumps(read_ask(message).prompt)
        async with aclosing(ModelReplica(FakeModel(**behaviour), places=1).answers(message)) as answers:
            async for answer in answers:
                yield answer


class CarryingCalls(HandleModelCalls):
    """`HandleModelCalls` that says with each request how the fake behaves by now."""

    def __init__(self, handle: DeploymentHandle, fake: FakeModel) -> None:
        super().__init__(handle)
        self._fake = fake

    async def ask(self, message: bytes, *, affinity: str) -> AsyncGenerator[bytes, None]:
        packed = cloudpickle.dumps(({name: getattr(self._fake, name) for name in TOLD}, message))
        has_arrived = False
        async with aclosing(super().ask(packed, affinity=affinity)) as answers:
            async for answer in answers:
                if not has_arrived:
                    has_arrived = True
                    self._fake.prompts.append(cloudpickle.loads(answer))
                    continue
                yield answer

    async def fault(self) -> str | None:
        return None


class Carrier:
    """Puts Ray between pipelines and their fakes."""

    def __init__(self, handle: DeploymentHandle, stack: ExitStack) -> None:
        self._handle = handle
        self._stack = stack
        self.carried: list[FakeModel] = []

    def pipeline(self, *, model: LanguageModel, **parts: Any) -> ChatPipeline:
        """Makes a pipeline whose model is on Ray. What is no plain fake cannot go there."""
        assert type(model) is FakeModel
        made = RemoteModel(
            RemoteWeights(model.name, model.sha256, dict(model.adapters)),
            CarryingCalls(self._handle, model),
            parallel=PLACES,
            waiting=PLACES,
        )
        self._stack.callback(made.close)
        made.start(60.0)
        self.carried.append(model)
        return ChatPipeline(model=made, **parts)


@contextmanager
def carrier() -> Iterator[Carrier]:
    """Until it is left, every pipeline of `tests.building` and `tests.world` has its model on Ray, which is up."""
    deployment = serve.deployment(
        CarryingDeployment,
        name=NAME,
        num_replicas=REPLICAS,
        max_ongoing_requests=PLACES,
        request_router_config=RequestRouterConfig(request_router_class=AFFINITY),
        ray_actor_options={"num_cpus": 0},
    )
    handle = serve.run(deployment.bind(), name=NAME, route_prefix=None)
    try:
        with ExitStack() as stack, pytest.MonkeyPatch.context() as patched:
            made = Carrier(handle, stack)
            patched.setattr(building, "ChatPipeline", made.pipeline)
            patched.setattr(world, "ChatPipeline", made.pipeline)
            yield made
    finally:
        serve.delete(NAME)
