"""`canongate import` and `canongate export`: what is live, as readable files; rows of other formats as drafts."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.activation import Meant
from gateway.commands.options import config_option, json_option, meant_options, settings_from
from gateway.commands.rail_means import command_services
from gateway.commands.rows import RowOptions, import_row_file, new_file, row_options, show_written
from gateway.content import content_differences, export_live, import_bundle
from gateway.exporting import EXPORTS, export_content
from gateway.opening import open_store
from store.catalog import load_catalog
from store.database import Database
from store.formats.bundle import Bundle, read_bundle
from store.formats.bundle_file import read_bundle_file
from store.formats.csv_prompts import read_prompts, read_sentences, with_sentences
from store.formats.difference import Difference
from store.formats.registry import FORMATS
from store.publish_plan import PublishReport

_WHOLE = ("bundle", "csv-prompts", "csv-sentences")
_BUNDLE_FILES = (".yaml", ".json")


@click.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice((*_WHOLE, *FORMATS)), help="What the file is. [default: bundle]"
)
@click.option("--dry-run", is_flag=True, help="Check everything and show what would change; publish nothing.")
@click.option(
    "--remove-missing",
    is_flag=True,
    help="Take away every prompt, assistant, policy and test set that the bundle does not have.",
)
@click.option("--note", default="", help="Why, kept with the revision.")
@row_options
@meant_options
@config_option
@json_option
def import_content(
    source: Path,
    *,
    format_name: str | None,
    dry_run: bool,
    remove_missing: bool,
    note: str,
    without_live_tests: bool,
    unused: bool,
    config: Path | None,
    as_json: bool,
    **rows: Any,
) -> None:
    """Publish a bundle, all of it or nothing; or make drafts from rows of another format, of which nothing is live.

    A bundle is a folder or one file (.yaml, .json); csv-prompts and csv-sentences are published like one. Any other
    format makes draft prompts in a new folder (to look at, then to import), a test set, or a list of questions.

    \b
    Examples:
      canongate import examples/helpdesk --dry-run
      canongate import answers.jsonl.gz --format dolly --area it --owner "Service Desk" --out drafts
      canongate import strangers.json --format alpaca --as suite --out strangers.yaml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    if format_name is not None and format_name in FORMATS:
        with open_store(settings_from(config)) as store:
            taken = frozenset(load_catalog(store.database).prompts)
        import_row_file(source, format_name, RowOptions(**rows), taken=taken, dry_run=dry_run, as_json=as_json)
        return
    if any(rows[name] for name in ("area", "owner", "out", "rejected")):
        raise click.UsageError("--area, --owner, --out and --rejected belong to rows. Say their --format.")
    settings = settings_from(config)
    with open_store(settings) as store:
        bundle, written = _read(source, format_name, store.database)
        told = content_differences(store.database, bundle, remove_missing=remove_missing) if dry_run else ()
        report = import_bundle(
            store.database,
            bundle,
            written=written,
            note=note,
            remove_missing=remove_missing,
            dry_run=dry_run,
            meant=Meant(without_live_tests=without_live_tests, unused=unused),
            services=command_services(settings),
        )
    if as_json:
        differences = [{"path": one.path, "lines": one.lines} for one in told]
        click.echo(json.dumps(msgspec.to_builtins(report) | {"differences": differences}, indent=2))
    else:
        _show(report, told)


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice(("bundle", *map(str, EXPORTS))), default="bundle", show_default=True
)
@config_option
@json_option
def export(out: Path, *, format_name: str, config: Path | None, as_json: bool) -> None:
    """Write what is live: as a folder that `canongate import` reads back, or as one file in another format.

    \b
    Examples:
      canongate export ./backup-2026-12
      canongate export answers.jsonl --format dolly
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_store(settings_from(config)) as store:
        if format_name == "bundle":
            count = export_live(store.database, out)
            click.echo(json.dumps({"prompts": count}) if as_json else f"Wrote {count} prompts to {out}.")
            return
        made = export_content(load_catalog(store.database), format_name)
    with new_file(out) as file:
        file.writelines(made.pieces)
    show_written(made.told, out, as_json=as_json, is_whole=format_name not in FORMATS)


def _read(source: Path, format_name: str | None, database: Database) -> tuple[Bundle, dict[str, str]]:
    """Returns a bundle, and the texts of its policies where they are files."""
    if format_name == "csv-prompts":
        return Bundle(prompts=read_prompts(source)), {}
    if format_name == "csv-sentences":
        live = load_catalog(database).to_bundle().prompts
        return Bundle(prompts=with_sentences(live, read_sentences(source))), {}
    if source.is_dir():
        bundle = read_bundle(source)
        texts = ((name, source / "policies" / f"{name}.yaml") for name in bundle.policies)
        return bundle, {name: path.read_text(encoding="utf-8") for name, path in texts}
    if format_name is None and source.suffix not in _BUNDLE_FILES:
        raise click.UsageError("say what the file is with --format. `canongate formats` lists them.")
    return read_bundle_file(source), {}


def _show(report: PublishReport, told: tuple[Difference, ...]) -> None:
    for one in told:
        for line in one.lines if _is_changed(one) else ():
            click.echo(line)
    for word, names in (("new", report.added), ("changed", report.changed), ("removed", report.removed)):
        for name in names:
            click.echo(f"{word:>8}  {name}")
    done = "Would publish" if report.is_dry_run else "Live: revision"
    number = "" if report.is_dry_run else f" {report.revision}"
    click.echo(
        f"{done}{number}: {len(report.added)} new, {len(report.changed)} changed, {len(report.removed)} removed, "
        f"{len(report.unchanged)} unchanged."
    )


def _is_changed(one: Difference) -> bool:
    """Whether the document is on both sides: of a new or removed one, the name says enough."""
    return not any("/dev/null" in line for line in one.lines[:2])
