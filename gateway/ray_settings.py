"""The settings of `canongate serve --on-ray`: how many gateways, embedders and models there are, and of which size."""

from typing import Annotated

from msgspec import Meta

from gateway.model_settings import ModelSettings
from gateway.sections import Section

Replicas = Annotated[int, Meta(ge=1, le=1000)]
Cpus = Annotated[float, Meta(ge=0, le=1024)]


class RaySettings(Section, frozen=True):
    """Gateway, embedder and model as deployments of Ray Serve, with `canongate serve --on-ray` alone.

    Each has as many replicas as its load asks for, between the least and the most.
    """

    address: str = ""
    """Of a Ray cluster that is there, such as `10.0.0.5:6379`. Empty starts a Ray on this machine: it takes nobody
    without a token that is new each time, tells nobody about itself, and ends with the command."""

    least_gateways: Replicas = 1
    """Gateways at least."""

    most_gateways: Replicas = 1
    """Gateways at most; more than one needs a PostgreSQL in `data.database_url`."""

    least_embedders: Replicas = 1
    """Replicas of the embedder at least."""

    most_embedders: Replicas = 1
    """Replicas of the embedder at most."""

    least_models: Replicas = 1
    """Replicas of the model at least; each has a worker process of its own with the weights."""

    most_models: Replicas = 1
    """Replicas of the model at most."""

    gateway_cpus: Cpus = 0.5
    """What Ray sets aside of a machine's processors for a gateway. It places replicas by these figures, and does not
    hold them to it."""

    embedder_cpus: Cpus = 0.25
    """The same for a replica of the embedder."""

    model_cpus: Cpus = 0.5
    """The same for a replica of the model. `model.threads` says how many threads it computes with."""

    model_gpus: Cpus = 0.0
    """GPUs for a replica of the model, also a part of one such as 0.5. Ray shows it these alone."""

    parallel: Annotated[int, Meta(ge=1, le=128)] = 8
    """Answers that one replica of the model writes at once when `model.parallel` is 0; `model.queue` more wait at each
    gateway."""

    busy: Annotated[float, Meta(gt=0, le=1)] = 0.7
    """Share of its places at work at which another replica is started."""

    more_after_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    """Seconds that they have to be that busy, on the average, before another one is started."""

    fewer_after_s: Annotated[float, Meta(ge=1, le=86400)] = 600.0
    """Seconds that fewer of them have to do before one is ended. A new one loads its weights first, so do not hurry."""

    batch: Annotated[int, Meta(ge=1, le=256)] = 16
    """Requests to the embedder that share a run when they come at once."""

    def __post_init__(self) -> None:
        for what in ("gateways", "embedders", "models"):
            if getattr(self, f"least_{what}") > getattr(self, f"most_{what}"):
                raise ValueError(f"ray.least_{what} must not be above ray.most_{what}")

    @property
    def least_cpus(self) -> float:
        """What Ray sets aside for the least replicas together."""
        gateways, embedders = self.least_gateways * self.gateway_cpus, self.least_embedders * self.embedder_cpus
        return gateways + embedders + self.least_models * self.model_cpus

    def places_of(self, model: ModelSettings) -> int:
        """Returns how many answers a replica of the model writes at once."""
        return model.parallel or self.parallel
