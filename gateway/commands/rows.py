"""Rows of other formats on the command line: drafts from them, one format from another, and which there are."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from gateway.commands.options import json_option
from gateway.commands.progress import shown_progress
from gateway.exporting import WholeFormat
from gateway.importing import ImportOrder, ImportReport, Makes, import_rows
from store.errors import InvalidContent, StoreUnavailable
from store.formats.bundle import write_bundle
from store.formats.documents import write_yaml
from store.formats.drafting import DraftSettings, Replying
from store.formats.reading import Progress, Rejects, RowReader
from store.formats.registry import FORMATS
from store.formats.strict_json import encode
from store.formats.writing import Written, encoded

Command = TypeVar("Command", bound=Callable[..., Any])
_SHOWN = 20
_REVIEW_DAYS = 365
_MAKES = tuple(one.value for one in Makes if one not in (Makes.NOTHING, Makes.WHOLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions:
    """What the options of rows say."""

    makes: str
    area: str | None
    owner: str | None
    language: str
    reply: str
    review_by: dt.datetime | None
    prompt: str | None
    out: Path | None
    rejected: Path | None


def row_options(command: Command) -> Command:
    """Adds the options that belong to rows."""
    file = click.Path(dir_okay=False, path_type=Path)
    options = (
        click.option("--as", "makes", type=click.Choice(_MAKES), default="prompts", help="What rows become."),
        click.option("--area", help="Area of the prompts."),
        click.option("--owner", help="Who answers for the prompts."),
        click.option("--language", default="en", show_default=True, help="Of rows that do not say theirs."),
        click.option("--reply", type=click.Choice(list(Replying)), default=Replying.VERBATIM, show_default=True),
        click.option("--review-by", type=click.DateTime(("%Y-%m-%d",)), help="[default: in a year]"),
        click.option("--prompt", help="Prompt that a test set's messages should lead to. [default: none]"),
        click.option("--out", type=click.Path(path_type=Path), help="New folder of drafts, or file."),
        click.option("--rejected", type=file, help="New file of rows not taken, to mend; FILE.reasons says why."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def import_row_file(
    source: Path, format_name: str, options: RowOptions, *, taken: frozenset[str], dry_run: bool, as_json: bool
) -> None:
    """Makes what the options say, and tells every row that was not taken. `taken` are the keys that are live."""
    order = _order(format_name, options, taken)
    if options.out is None and not dry_run:
        raise click.UsageError("--out says where the drafts go. With --dry-run nothing is written.")
    out = None if dry_run else options.out
    if out is not None:
        _require_new(out)
    with ExitStack() as stack:
        progress = stack.enter_context(_progress())
        rejects = stack.enter_context(_rejects(options.rejected))
        asked = stack.enter_context(new_file(out)) if out and order.makes is Makes.QUESTIONS else None

        def ask(question: str, language: str) -> None:
            if asked is not None:
                asked.write(encode({"message": question, "language": language}) + b"\n")

        made = import_rows(source, order, ask=ask, rejects=rejects, progress=progress)
    if out is not None and order.makes is Makes.PROMPTS:
        write_bundle(made.bundle, out)
    if out is not None and order.makes is Makes.SUITE:
        with new_file(out) as file:
            file.writelines(write_yaml(dict(suite)).encode() for suite in made.bundle.suites.values())
    _tell(made.report, out, as_json=as_json)


@click.command("convert")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "format_name", type=click.Choice(tuple(FORMATS)), required=True, help="What the file is.")
@click.option("--to", "target", type=click.Choice(tuple(FORMATS)), required=True, help="What is written.")
@click.option("--rejected", type=click.Path(dir_okay=False, path_type=Path), help="New file of rows not read.")
@json_option
def convert(source: Path, out: Path, *, format_name: str, target: str, rejected: Path | None, as_json: bool) -> None:
    """Write rows of one format in another; to the same format, every field comes back as it was.

    \b
    Example:
      canongate convert answers.jsonl answers.json --format dolly --to alpaca
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    _require_new(out)
    told = Written()
    with ExitStack() as stack:
        reader = RowReader(
            source,
            FORMATS[format_name],
            rejects=stack.enter_context(_rejects(rejected)),
            progress=stack.enter_context(_progress()),
        )
        file = stack.enter_context(new_file(out))
        file.writelines(encoded(FORMATS[target], (placed.row for placed in reader), told))
    for problem in reader.tally.problems[:_SHOWN]:
        click.echo(f"{source.name}:{problem.place}: {problem.reason}", err=True)
    show_written(told, out, as_json=as_json, rejected=reader.tally.rejected)


@click.command("formats")
@json_option
def formats(*, as_json: bool) -> None:
    """List the formats, and what an export of approved prompts keeps in each.

    \b
    Example:
      canongate formats --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    rows = [
        ("bundle", "folder of YAML files", "everything", ""),
        *((one.value, "one file", _WHOLE_KEEPS[one], "") for one in WholeFormat),
        *((form.name, form.fields, form.keeps, form.licence) for form in FORMATS.values()),
    ]
    if as_json:
        names = ("name", "fields", "keeps", "licence")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    table = Table("format", "fields", "an export keeps", "licence of the published set")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


_WHOLE_KEEPS = {
    WholeFormat.BUNDLE_YAML: "everything",
    WholeFormat.BUNDLE_JSON: "everything",
    WholeFormat.CSV_PROMPTS: "prompts whole",
    WholeFormat.CSV_SENTENCES: "phrasings, counterexamples and follow-ups",
}


def show_written(told: Written, out: Path, *, as_json: bool, rejected: int = 0, is_whole: bool = False) -> None:
    """Tells what became of rows that were written."""
    if as_json:
        reasons = [{"row": row, "reason": reason} for row, reason in told.reasons]
        dropped = dict(told.dropped)
        found = {"rows": told.rows, "left_out": told.left_out, "rejected": rejected, "reasons": reasons}
        click.echo(json.dumps(found | {"dropped_fields": dropped}, indent=2))
        return
    for row, reason in told.reasons[:_SHOWN]:
        click.echo(f"row {row} is left out: {reason}", err=True)
    for name, count in sorted(told.dropped.items()):
        click.echo(f"the format has no place for {name!r} ({count} rows)", err=True)
    counts = "" if is_whole else f": {told.rows} rows, {told.left_out} left out"
    click.echo(f"Wrote {out}{counts}" + (f", {rejected} not read." if rejected else "."))


def _order(format_name: str, options: RowOptions, taken: frozenset[str]) -> ImportOrder:
    makes = Makes(options.makes)
    drafts = None
    if makes is Makes.PROMPTS:
        if not options.area or not options.owner:
            raise click.UsageError("prompts need --area and --owner.")
        in_a_year = dt.datetime.now(dt.UTC).date() + dt.timedelta(_REVIEW_DAYS)
        due = options.review_by.date() if options.review_by else in_a_year
        drafts = DraftSettings(
            area=options.area,
            owner=options.owner,
            review_by=due,
            language=options.language,
            replying=Replying(options.reply),
            taken=taken,
        )
    name = options.out.stem if options.out and makes is Makes.SUITE else "imported"
    return ImportOrder(format=format_name, makes=makes, drafts=drafts, suite=name, prompt=options.prompt)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Makes a file that was not there. Raises `InvalidContent` for one that was, `StoreUnavailable`."""
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError as error:
        raise InvalidContent(f"{path} is there already. Name a new file.") from error
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _progress() -> Iterator[Progress]:
    """Shows rows and the share of the file on a terminal; says nothing where nobody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _rows, _done, _size: None
        return
    with shown_progress(console) as show:
        yield lambda rows, done, size: show(f"{rows} rows", done, size)


@contextmanager
def _rejects(path: Path | None) -> Iterator[Rejects | None]:
    if path is None:
        yield None
        return
    rejects = Rejects(path)
    try:
        yield rejects
    finally:
        rejects.close()


def _require_new(out: Path) -> None:
    """A folder of drafts is new: writing a bundle removes what is not in it."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InvalidContent(f"{out} is there already. Name a new or an empty folder, or a new file.")


def _tell(report: ImportReport, out: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(report), indent=2))
        return
    for note in report.notes:
        click.echo(note, err=True)
    for problem in report.problems[:_SHOWN]:
        click.echo(f"row {problem.place}: {problem.reason}", err=True)
    if report.rejected > _SHOWN:
        click.echo(f"and {report.rejected - _SHOWN} more; --rejected FILE writes all of them.", err=True)
    if report.duplicates:
        click.echo(f"{report.duplicates} rows are there twice, the first at {report.duplicate_places[0]}.", err=True)
    where = f" in {out}" if out else "; nothing was written"
    click.echo(
        f"{report.rows} rows read, {report.rejected} not taken: {report.made} {report.makes.value}{where}, "
        f"{report.joined} joined as further phrasings, {report.repeated} said again."
    )
