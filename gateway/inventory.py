"""What this gateway is made of and runs with, as an operator may show it: no secret, no address, no path."""

import platform
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires, version

from gateway.live import Live
from gateway.settings import Settings
from models.absent import ABSENT
from models.errors import ModelError
from models.files.registry import REGISTRY, Registry, find_model
from store.dumps import kind_of, schema_of

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LICENCE_CHARS = 60
_FLOAT_BYTES = 4
NAME = "canongate"


@dataclass(frozen=True, slots=True)
class Weights:
    """The language model that is configured."""

    name: str
    licence: str
    is_commercial_use_allowed: bool
    size_bytes: int
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is installed with the gateway."""

    name: str
    version: str
    licence: str
    """As the package says; empty where it does not."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that is told of a running gateway."""

    canongate: str
    python: str
    revision: int
    prompts: int
    assistants: int
    policies: int
    suites: int
    sentences: int
    """Rows of the index."""
    index_revision: int
    """What the index was made of."""
    dimension: int
    """Numbers of a vector."""
    vector_bytes: int
    """What the vectors take in memory."""
    matcher: str | None
    """Fingerprint of what the matcher was fitted from."""
    database: str
    schema: str
    is_upstream: bool
    """Whether answers are worded by a server elsewhere."""
    weights: Weights | None
    """None without a model of our own, and for one that is not registered."""
    packages: tuple[Package, ...]


def take_inventory(settings: Settings, live: Live) -> Inventory:
    """Returns what there is. Blocks on the database and the disk; raises `StoreUnavailable`."""
    state = live.current
    catalog = state.catalog
    return Inventory(
        canongate=version(NAME),
        python=platform.python_version(),
        revision=catalog.revision,
        prompts=len(catalog.prompts),
        assistants=len(catalog.assistants),
        policies=len(state.policies),
        suites=len(catalog.suites),
        sentences=len(state.matcher.index),
        index_revision=state.matcher.index.revision,
        dimension=state.matcher.index.dimension,
        vector_bytes=len(state.matcher.index) * state.matcher.index.dimension * _FLOAT_BYTES,
        matcher=state.matcher.fingerprint,
        database=kind_of(settings.database_url),
        schema=schema_of(settings.database_url) or "",
        is_upstream=bool(settings.upstream.url),
        weights=None if settings.upstream.url else _weights(settings),
        packages=_packages(),
    )


def _weights(settings: Settings) -> Weights | None:
    if settings.model.name == ABSENT:
        return None
    try:
        model, _ = find_model(settings.model.name, Registry(settings.data_directory / REGISTRY))
    except ModelError:
        return None
    return Weights(model.name, model.licence, model.is_commercial_use_allowed, model.size_bytes, model.context_tokens)


@cache
def _packages() -> tuple[Package, ...]:
    """Packages do not change while a process runs; reading their texts takes some milliseconds."""
    found = []
    for requirement in requires(NAME) or ():
        name = _REQUIREMENT.match(requirement)
        if name is None or "extra ==" in requirement:
            continue
        try:
            there = distribution(name[0])
        except PackageNotFoundError:
            continue
        said = there.metadata
        named = [*(said.get_all("License-Expression") or []), *(said.get_all("License") or [])]
        licence = named[0] if named else _classified(said.get_all("Classifier") or [])
        found.append(Package(name[0], there.version, " ".join(licence.split())[:_LICENCE_CHARS]))
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def _classified(classifiers: list[str]) -> str:
    mark = "License :: "
    return ", ".join(one.rpartition(" :: ")[2] for one in classifiers if one.startswith(mark))
