"""A model in a process of Ray's, made from settings as anywhere else."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.model_making import make_model
from gateway.on_ray.beginning import begin
from models.errors import ModelUnavailable
from models.remote.model_replica import ModelReplica
from models.worker.engine import LlamaModel
from models.worker.limits import ModelState

LOAD_S = 600.0
"""For a model's weights."""


class ModelDeployment:
    """A process with the model's worker under it."""

    def __init__(self, settings: bytes) -> None:
        read = begin(settings)
        made = make_model(read)
        if not isinstance(made, LlamaModel):
            raise TypeError("an upstream is not a deployment. This is a bug.")
        made.start(LOAD_S)
        if made.state is not ModelState.READY:
            made.close()
            raise ModelUnavailable("the model did not get ready; see worker.log in the data folder")
        self._model = made
        self._replica = ModelReplica(made, places=made.places)

    async def answers(self, message: bytes) -> AsyncGenerator[bytes, None]:
        """Answers a request."""
        async with aclosing(self._replica.answers(message)) as answers:
            async for answer in answers:
                yield answer

    def check_health(self) -> None:
        """Has Ray make another replica when this one's worker died too often."""
        if self._model.state is ModelState.OPEN:
            raise ModelUnavailable("the model's worker died too often")

    def __del__(self) -> None:
        """Ends the worker with its replica."""
        if hasattr(self, "_model"):
            self._model.close()
