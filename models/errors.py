"""Errors of the models package.

ModelError
├── ModelBusy          too many requests wait already; try again later
├── ModelUnavailable   the worker is down, died with the request, or its breaker is open
├── ModelTimeout       the deadline passed while waiting or generating
├── ModelRefused       the file, prompt or setting is not acceptable (hash, size, range)
└── RequestCancelled   the caller went away; nobody reads the answer
"""


class ModelError(Exception):
    """Anything that kept a model from doing its work."""


class ModelBusy(ModelError):
    """The queue is full; `retry_after_s` is an honest estimate of when a place is free."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the model's queue is full; a place is free in about {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class ModelUnavailable(ModelError):
    """The worker is not there, or died while it worked on the request."""


class ModelTimeout(ModelError):
    """The deadline passed before the answer was complete."""


class ModelRefused(ModelError):
    """The model file, the prompt or a setting was refused before any work was done."""


class RequestCancelled(ModelError):
    """The request was cancelled by its caller."""
