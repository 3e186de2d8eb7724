"""What rails may call of embedder and model when a command, and no gateway, compiles policies."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import click

from gateway.bootstrap import open_embedder
from gateway.model_making import open_model
from gateway.rail_services import rail_services
from gateway.settings import Settings
from models.ports import Embedder, LanguageModel
from rails.definition import RailServices


def command_services(settings: Settings, embedder: Callable[[], Embedder] | None = None) -> RailServices:
    """Returns the services; a model that a policy asks is started when it does, and ends with the command."""
    model = click.get_current_context().with_resource(_model_on_demand(settings))
    return rail_services(embedder or cache(lambda: open_embedder(settings, lambda _: None)), model)


@contextmanager
def _model_on_demand(settings: Settings) -> Iterator[Callable[[], LanguageModel]]:
    with ExitStack() as stack:
        yield cache(lambda: open_model(settings, stack, without_model=False, progress=lambda _: None))
