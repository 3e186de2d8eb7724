"""`canongate models`: which models are known, and getting the embedder ready."""

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gateway.bootstrap import make_data_directory, open_embedder
from gateway.commands.options import config_option, json_option, settings_from
from models.catalog import KNOWN_MODELS, KnownModel, verified_path
from models.errors import ModelRefused


@click.group()
def models() -> None:
    """List and prepare models.

    \b
    Example:
      canongate models list
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


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
@json_option
def list_models(*, as_json: bool) -> None:
    """List the language models that may be served, and whether their verified weights are here.

    \b
    Example:
      canongate models list --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    rows = [
        {
            "name": model.name,
            "sha256": model.sha256,
            "licence": model.licence,
            "commercial_use": model.is_commercial_use_allowed,
            "context_tokens": model.context_tokens,
            "weights": _weights(model),
        }
        for model in KNOWN_MODELS
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "licence", "commercial use", "context", "weights")
    for row in rows:
        allowed = "yes" if row["commercial_use"] else "no"
        table.add_row(str(row["name"]), str(row["licence"]), allowed, str(row["context_tokens"]), str(row["weights"]))
    Console().print(table)


def _weights(model: KnownModel) -> str:
    try:
        return f"verified: {verified_path(model).name}"
    except ModelRefused as error:
        return f"not usable: {error}"
