"""`canongate fit`: fits the matcher of what is live, and says what it is good for."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.bootstrap import fit_settings, open_embedder, open_store
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.progress import shown_progress
from gateway.errors import SettingsInvalid
from gateway.fitting.kept import Fit
from gateway.fitting.matchers import FittedMatchers, calibrations, published_of
from gateway.fitting.report import make_report_folder, write_report
from store.calibration import Calibration
from store.catalog import load_catalog
from store.learning.metrics import Estimate
from store.learning.report import Report

_SHOWN = 8
"""Colliding prompts and phrasings shown in the terminal; the report has them all."""


@click.command()
@click.option("--no-tune", is_flag=True, help="Leave the embedder as it is: seconds instead of minutes, and worse.")
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Folder for the reports and plots.")
@config_option
@json_option
def fit(*, no_tune: bool, report: Path | None, config: Path | None, as_json: bool) -> None:
    """Fit the matcher to what is live and show its limits; a fit that is there already is shown, not made again.

    A gateway on the same data folder uses it from its next start, publish, or try to make the same fit itself.

    \b
    Example:
      canongate fit --report ./calibration
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        catalog = load_catalog(store.database)
    if not catalog.prompts:
        raise SettingsInvalid("nothing is published; run: canongate import FOLDER")
    if report is not None:
        make_report_folder(report)  # now, and not after minutes of fitting
    wished = msgspec.structs.replace(
        settings, matching=msgspec.structs.replace(settings.matching, tune=settings.matching.tune and not no_tune)
    )
    published = published_of(catalog)
    with shown_progress(Console(stderr=True)) as progress:
        embedder = open_embedder(wished, lambda line: progress(line, 0, 1))
        with closing(FittedMatchers(fit_settings(wished), embedder, progress)) as matchers:
            matchers.improve(catalog, None)
            made = matchers.fit(published)
    found = calibrations(catalog, published, made)
    for name, calibration in found.items() if report is not None else ():
        folder = Path(str(report)) / name
        make_report_folder(folder)
        write_report(folder, calibration, made.fitted[frozenset(catalog.assistants[name].areas)].held_out)
    if as_json:
        assistants = {name: calibration.report for name, calibration in found.items()}
        described = {"fit": made.fingerprint, "is_tuned": made.is_tuned, "note": made.note, "assistants": assistants}
        click.echo(msgspec.json.format(msgspec.json.encode(described)).decode())
        return
    _show(Console(highlight=False), made, found)


def _show(console: Console, made: Fit, found: Mapping[str, Calibration]) -> None:
    state = "with an embedder tuned on the phrasings" if made.is_tuned else f"embedder not tuned: {made.note}"
    console.print(f"fit {made.fingerprint[:12]}, {escape(state)}")
    for reason in made.too_little.values():
        console.print(f"[yellow]too little[/yellow] {escape(reason)}")
    for name, calibration in found.items():
        console.print(_rates(name, calibration.report))
        if calibration.report.is_over_rate:
            console.print(f"[yellow]over the rate[/yellow] {name}: prompts are too alike for it. Mend what collides.")
        for line in _collisions(calibration.report):
            console.print(line)


def _rates(name: str, report: Report) -> Table:
    rates = report.store
    title = f"{name}: limits for {report.stated_rate:.1%} answered wrongly, on held-out sentences"
    table = Table("", "share", "95 % interval", title=title, title_justify="left", box=None)
    rows: dict[str, Estimate | None] = {
        "questions answered": rates.coverage,
        "asked back, the right prompt among those offered": rates.clarify,
        "neither": rates.abstention,
        "of all messages: a wrong answer": rates.false_match,
        "of all messages: asked back in vain": rates.empty_clarify,
        "near misses answered": rates.near_misses_answered,
        "strangers answered": rates.strangers_answered,
        "counterexamples answered": rates.counterexamples_answered,
    }
    for words, estimate in rows.items():
        if estimate is not None:
            table.add_row(words, f"{estimate.value:.1%}", f"{estimate.low:.1%} to {estimate.high:.1%}")
    return table


def _collisions(report: Report) -> list[str]:
    lines = [
        f"{one.prompt} [dim]is taken for[/dim] {one.ranked_first}: {one.sentences} phrasings, {one.answered} answered"
        for one in report.collisions[:_SHOWN]
    ]
    lines += [
        f"{escape(repr(one.phrasing))} [dim]of {one.prompt} is nearer to[/dim] {one.other_prompt}"
        for one in report.nearer_elsewhere[:_SHOWN]
    ]
    return lines + [f"[yellow]unknown[/yellow] {escape(line)}" for line in report.unknown]
