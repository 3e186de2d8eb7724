"""`canongate import` and `canongate export`: what is live, as readable files."""

import json
from pathlib import Path

import click
import msgspec

from gateway.activation import Meant
from gateway.bootstrap import open_store
from gateway.commands.options import config_option, json_option, meant_options, settings_from
from gateway.commands.rail_means import command_services
from gateway.content import export_live, import_folder
from store.publish_plan import PublishReport


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything and show what would change; publish nothing.")
@click.option("--remove-missing", is_flag=True, help="Unpublish prompts that the folder does not have.")
@click.option("--note", default="", help="Why, kept with the revision.")
@meant_options
@config_option
@json_option
def import_bundle(
    folder: Path,
    *,
    dry_run: bool,
    remove_missing: bool,
    note: str,
    without_live_tests: bool,
    unused: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Publish the prompts, assistants and policies of a folder, all of them or none.

    \b
    Example:
      canongate import examples/helpdesk --dry-run
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        report = import_folder(
            store.database,
            folder,
            note=note,
            remove_missing=remove_missing,
            dry_run=dry_run,
            meant=Meant(without_live_tests=without_live_tests, unused=unused),
            services=command_services(settings),
        )
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(report), indent=2))
    else:
        _show(report)


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@config_option
def export_bundle(folder: Path, *, config: Path | None) -> None:
    """Write what is live as a folder that `canongate import` reads back.

    \b
    Example:
      canongate export ./backup-2026-12
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_store(settings_from(config)) as store:
        count = export_live(store.database, folder)
    click.echo(f"Wrote {count} prompts to {folder}.")


def _show(report: PublishReport) -> None:
    for word, names in (("new", report.added), ("changed", report.changed), ("removed", report.removed)):
        for name in names:
            click.echo(f"{word:>8}  {name}")
    done = "Would publish" if report.is_dry_run else "Live: revision"
    number = "" if report.is_dry_run else f" {report.revision}"
    click.echo(
        f"{done}{number}: {len(report.added)} new, {len(report.changed)} changed, {len(report.removed)} removed, "
        f"{len(report.unchanged)} unchanged."
    )
