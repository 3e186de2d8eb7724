"""`canongate models`: which language models there are, and whether their files are the registered ones."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from gateway.bootstrap import open_embedder
from gateway.commands.models_making import merge_delta_command, quantize
from gateway.commands.models_planning import plan
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.progress import shown_progress
from gateway.fitting.process import Progress
from gateway.opening import make_data_directory
from gateway.settings import Settings, worker_environment
from models.catalog import KNOWN_MODELS, KnownModel, verified_path
from models.device import Machine, this_machine
from models.errors import ModelError, ModelRefused
from models.families import Family, Quantisation, Size, families
from models.files.registration import Application, checked, register
from models.files.registry import REGISTRY, RegisteredModel, Registry, looks_unchanged

GIB = 2**30
QUANTISATION = Quantisation.Q4_K_M
"""The one that memory is stated for: the smallest that most would serve."""
BESIDE_WEIGHTS = 1.15
"""Context and computing of a short context, roughly; `canongate models plan` reckons it exactly for a file."""


@click.group()
def models() -> None:
    """List, register, plan and make language models.

    \b
    Examples:
      canongate models list
      canongate models add ./dolly-v2-3b.q4_k_m.gguf --family dolly-v2
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


models.add_command(plan)
models.add_command(quantize)
models.add_command(merge_delta_command)


@models.command()
@config_option
def prepare(*, config: Path | None) -> None:
    """Export and verify the embedder, so that the first start is as quick as any other.

    \b
    Example:
      canongate models prepare
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    make_data_directory(settings)
    started = time.monotonic()
    embedder = open_embedder(settings, lambda line: click.echo(f"… {line}", err=True))
    click.echo(f"The embedder is ready: {embedder.dimension} dimensions, {time.monotonic() - started:.1f} s.")


@models.command(name="list")
@config_option
@json_option
def list_models(*, config: Path | None, as_json: bool) -> None:
    """List the models that may be served, and the families that can be registered.

    Registered files are not read; `canongate models verify` does that.

    \b
    Example:
      canongate models list --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    machine = this_machine(worker_environment(settings))
    rows = [_known_row(model) for model in KNOWN_MODELS]
    rows += [_registered_row(model) for model in registry_of(settings).all()]
    kinds = [_family_row(one, machine) for one in families()]
    if as_json:
        click.echo(json.dumps({"models": rows, "families": kinds}, indent=2))
        return
    console = Console(highlight=False)
    table = Table(
        Column("name", overflow="fold"), "licence", "commercial use", "context", Column("weights", overflow="fold")
    )
    for row in rows:
        allowed = "yes" if row["commercial_use"] else "no"
        table.add_row(*map(escape, (row["name"], row["licence"], allowed, str(row["context_tokens"]), row["weights"])))
    console.print(table)
    table = Table(
        Column("family", overflow="fold"), "size", "commercial use", "context", f"memory, {QUANTISATION}", "runs here"
    )
    for kind in kinds:
        for size in kind["sizes"]:
            memory = f"{size['memory_gib']:.1f} GiB"
            cells = (kind["name"], size["name"], kind["commercial_use"], str(size["context_tokens"]), memory)
            table.add_row(*map(escape, cells), escape(size["runs_here"]))
    console.print(table)


@models.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name to serve it by.  [default: the file's]")
@click.option("--family", "family_name", help="Its family (canongate models list); decides prompt format and licence.")
@click.option("--licence-acknowledged", is_flag=True, help="The licence forbids commercial use, and your use is none.")
@config_option
@json_option
def add(
    file: Path,
    *,
    name: str | None,
    family_name: str | None,
    licence_acknowledged: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Register a GGUF file by its SHA-256; from then on, only exactly this file is served by that name.

    \b
    Example:
      canongate models add ./dolly-v2-3b.q4_k_m.gguf --family dolly-v2
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    make_data_directory(settings)
    application = Application(file, name, family_name, licence_acknowledged)
    with shown_progress(Console(stderr=True)) as progress:
        model = register(
            application,
            registry_of(settings),
            lambda done, total: progress(f"hashing {file.name}", done, total),
        )
    if as_json:
        click.echo(json.dumps(_registered_row(model), indent=2))
        return
    click.echo(f"Registered {model.name}: {model.family}, {model.licence}.")
    click.echo(f"Serve it with CANONGATE_MODEL__NAME={model.name}, or name = {model.name!r} under [model].")


@models.command()
@click.argument("name")
@config_option
def remove(name: str, *, config: Path | None) -> None:
    """Take a registered model off the list; its file stays where it is.

    \b
    Example:
      canongate models remove dolly-v2-3b.q4_k_m
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    registry_of(settings_from(config)).remove(name)
    click.echo(f"Removed {name} from the list.")


@models.command()
@click.argument("name", required=False)
@config_option
@json_option
def verify(name: str | None, *, config: Path | None, as_json: bool) -> None:
    """Read the files of all models, or of one, and compare header, size and SHA-256; exit status 1 when one differs.

    \b
    Example:
      canongate models verify smollm2-135m-instruct
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    registry = registry_of(settings_from(config))
    names = [name] if name else [*(one.name for one in KNOWN_MODELS), *(one.name for one in registry.all())]
    with shown_progress(Console(stderr=True)) as progress:
        rows = [_verified(one, registry, progress) for one in names]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    for row in [] if as_json else rows:
        click.echo(f"{'ok  ' if row['is_ok'] else 'FAIL'}  {row['name']}: {row['found']}")
    if not all(row["is_ok"] for row in rows):
        sys.exit(1)


def registry_of(settings: Settings) -> Registry:
    """Returns the registry in the data folder."""
    return Registry(settings.data_directory / REGISTRY)


def _verified(name: str, registry: Registry, progress: Progress) -> dict[str, Any]:
    try:
        header = checked(name, registry, lambda done, total: progress(f"reading {name}", done, total))
    except ModelError as error:
        return {"name": name, "is_ok": False, "found": str(error)}
    found = (
        f"{header.file}, {header.architecture}, {header.file_type}, {header.parameters / 1e6:.0f} million parameters"
    )
    return {"name": name, "is_ok": True, "found": found}


def _known_row(model: KnownModel) -> dict[str, Any]:
    try:
        weights = f"verified: {verified_path(model).name}"
    except ModelRefused as error:
        weights = f"not usable: {error}"
    return _row(model, weights)


def _registered_row(model: RegisteredModel) -> dict[str, Any]:
    if looks_unchanged(model):
        weights = f"registered: {model.path}"
    elif Path(model.path).exists():
        weights = f"changed since it was registered: {model.path}; run canongate models verify {model.name}"
    else:
        weights = f"not there: {model.path}"
    return _row(model.known, weights) | {"is_licence_acknowledged": model.is_licence_acknowledged}


def _row(model: KnownModel, weights: str) -> dict[str, Any]:
    return {
        "name": model.name,
        "family": model.family,
        "sha256": model.sha256,
        "licence": model.licence,
        "commercial_use": model.is_commercial_use_allowed,
        "context_tokens": model.context_tokens,
        "weights": weights,
    }


def _family_row(one: Family, machine: Machine) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "architecture": one.architecture,
        "licence": one.licence,
        "commercial_use": str(one.commercial_use),
        "sizes": [
            {
                "name": size.name,
                "context_tokens": size.context_tokens or one.context_tokens,
                "memory_gib": round(_memory(size) / GIB, 2),
                "runs_here": _runs_here(one, size, machine),
            }
            for size in one.sizes
        ],
    }


def _memory(size: Size) -> float:
    return size.weights_bytes(QUANTISATION) * BESIDE_WEIGHTS


def _runs_here(one: Family, size: Size, machine: Machine) -> str:
    if not one.runs_in_llama_cpp:
        return "upstream only"
    on_cards = sum(card.free_bytes for card in machine.gpus)
    if _memory(size) <= on_cards:
        return "yes, on the GPU"
    if _memory(size) <= machine.free_bytes:
        return "yes"
    return "partly on the GPU" if on_cards and _memory(size) <= on_cards + machine.free_bytes else "too large"
