"""`canongate backup` and `canongate restore`: everything that cannot be made again, in one file."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from gateway.admin_services import auditing_of
from gateway.backups.making import BackupReport, make_backup
from gateway.backups.restoring import Restore, RestoreReport
from gateway.bootstrap import fit_settings, open_embedder
from gateway.commands.options import config_option, json_option, settings_from
from gateway.fitting.matchers import FittedMatchers
from gateway.opening import open_store
from gateway.settings import Settings
from store.catalog import load_catalog
from store.dumps import POSTGRESQL


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-secrets", is_flag=True, help="Put pepper and signing keys in it too: keep such a file locked up.")
@config_option
@json_option
def backup(file: Path, *, with_secrets: bool, config: Path | None, as_json: bool) -> None:
    """Write database, checkpoints, model registry and fits to one file; the gateway may run.

    \b
    Example:
      canongate backup /mnt/backups/2026-12-01.tar.gz
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        trail = auditing_of(settings, store.database).trail
        report = make_backup(settings, store.database, trail, file, with_secrets=with_secrets)
    if as_json:
        click.echo(json.dumps({"file": str(file), "sha256": report.sha256, "parts": sorted(report.manifest.parts)}))
    else:
        _show_backup(report)
    if with_secrets:
        click.echo("WARNING: the file has the secrets in it. Whoever has it can forge keys and audit trail.", err=True)
    else:
        click.echo(
            "WARNING: the secrets are NOT in it. Keep pepper, access-key, audit-key and checkpoint-key of "
            f"{settings.data_directory} elsewhere: without them nothing is restored.",
            err=True,
        )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Set aside what is there; it is moved, not deleted.")
@click.option("--unverified", is_flag=True, help="Restore without the keys of the audit trail, which are lost.")
@config_option
@json_option
def restore(file: Path, *, replace: bool, unverified: bool, config: Path | None, as_json: bool) -> None:
    """Restore a backup: hashes, schema, foreign keys, audit trail and checkpoints are verified first.

    Stop all gateways before. When anything fails, what was there is there again. The index is made anew.

    \b
    Example:
      canongate restore /mnt/backups/2026-12-01.tar.gz --replace
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    report = Restore(settings, file, replaces=replace, is_unverified=unverified).run()
    revision, prompts = _rebuild(settings)
    told = _told(report) | {"revision": revision, "prompts": prompts}
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        if value is not None:
            click.echo(f"{name:>19}  {value}")
    if report.schema_set_aside is not None:
        click.echo(
            f"The tables that were there are in the schema {report.schema_set_aside} of the database. Backups leave it "
            f"out. When they are not needed any more: DROP SCHEMA {report.schema_set_aside} CASCADE;"
        )
    if report.manifest.database == POSTGRESQL:
        click.echo(
            "Other gateways on this database still have checkpoints of what was there before: before they start, move "
            f"the file {settings.checkpoint_file.name} aside in the data folder of each. Else they say that the audit "
            "trail is damaged."
        )


def _rebuild(settings: Settings) -> tuple[int, int]:
    """Makes index and matcher of what is live again."""
    with open_store(settings) as store:
        catalog = load_catalog(store.database)
    if catalog.prompts:
        embedder = open_embedder(settings, lambda _: None)
        with closing(FittedMatchers(fit_settings(settings), embedder, lambda *_: None)) as matchers:
            matchers.make(catalog)
    return catalog.revision, len(catalog.prompts)


def _told(report: RestoreReport) -> dict[str, object]:
    trail = report.trail
    proved = "" if trail is None or trail.proved_by is None else f", the first {trail.proved_by} by a checkpoint"
    return {
        "made_at": report.manifest.made_at,
        "parts": len(report.manifest.parts),
        "schema": report.manifest.schema,
        "audit": "NOT VERIFIED: there is no key" if trail is None else f"{trail.rows} rows are whole{proved}",
        "set_aside": str(report.set_aside) if report.set_aside else None,
        "database_set_aside": report.schema_set_aside,
    }


def _show_backup(report: BackupReport) -> None:
    parts: Sequence[str] = [name for name in report.manifest.parts if "/" not in name]
    fits = len(report.manifest.parts) - len(parts)
    click.echo(f"Wrote {report.path}: {', '.join(sorted(parts))}" + (f" and {fits} files of fits." if fits else "."))
    click.echo(f"sha256 {report.sha256}")
