"""`canongate fit`: fits the matcher of what is live, and says what it is good for."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.bootstrap import fit_settings, open_embedder
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.progress import shown_progress
from gateway.errors import NotServing, SettingsInvalid
from gateway.fitting.assembling import Assembly
from gateway.fitting.kept import Fit
from gateway.fitting.matchers import FittedMatchers, published_of
from gateway.fitting.report import make_report_folder, write_no_figures, write_report
from gateway.opening import open_store
from gateway.settings import Settings
from store.calibration import Calibration
from store.catalog import Catalog, load_catalog
from store.learning.metrics import Estimate
from store.learning.report import PromptRates, Report

_SHOWN = 8
"""Prompts, and colliding prompts and phrasings, shown in the terminal; the report has them all."""
_PADDING = 2
"""Columns that a cell of a table takes besides its text."""
_KEY_PART = re.compile(r"[^.-]*[.-]|[^.-]+")


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
    published = published_of(catalog)
    made, not_kept, not_tuned = _made(settings, catalog, tune=settings.matching.tune and not no_tune)
    found = Assembly().calibrations(catalog, published, made)
    without = _without_figures(catalog, made)
    if report is not None:
        _write(report, catalog, made, found, without)
    if as_json:
        described = {
            "fit": made.fingerprint,
            "is_tuned": made.is_tuned,
            "note": made.note,
            "not_kept": not_kept,
            "not_tuned": not_tuned,
            "assistants": {name: calibration.report for name, calibration in found.items()},
            "no_figures": without,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(described)).decode())
        return
    console = Console(highlight=False)
    if not_kept:
        console.print(f"[yellow]not kept[/yellow] {escape(not_kept)}")
    if not_tuned:
        console.print(f"[yellow]tuning failed[/yellow] {escape(not_tuned)}. This is the fit without it.")
    _show(console, made, found, without)


def _made(settings: Settings, catalog: Catalog, *, tune: bool) -> tuple[Fit, str, str]:
    """Returns the best fit that can be had, why it is not kept, and why tuning failed; empty where it is or did not."""
    wished = msgspec.structs.replace(settings, matching=msgspec.structs.replace(settings.matching, tune=tune))
    not_tuned = ""
    with shown_progress(Console(stderr=True)) as progress:
        embedder = open_embedder(wished, lambda line: progress(line, 0, 1))
        with closing(FittedMatchers(fit_settings(wished), embedder, progress)) as matchers:
            try:
                matchers.improve(catalog, None)
            except NotServing as error:  # what serves meanwhile is worth a report
                not_tuned = str(error)
            return matchers.fit(published_of(catalog)), matchers.not_kept, not_tuned


def _write(
    report: Path, catalog: Catalog, made: Fit, found: Mapping[str, Calibration], without: Mapping[str, str]
) -> None:
    for name, calibration in found.items():
        areas = frozenset(catalog.assistants[name].areas)
        write_report(report / name, calibration, made.fitted[areas].held_out)
    for name, reason in without.items():
        write_no_figures(report / name, reason)


def _without_figures(catalog: Catalog, made: Fit) -> dict[str, str]:
    """Returns why there is nothing to report, for each assistant of which there is nothing."""
    return {
        name: made.too_little.get(areas, "no prompt is in its areas")
        for name, assistant in catalog.assistants.items()
        if (areas := frozenset(assistant.areas)) not in made.fitted
    }


def _show(console: Console, made: Fit, found: Mapping[str, Calibration], without: Mapping[str, str]) -> None:
    state = "with an embedder tuned on the phrasings" if made.is_tuned else f"embedder not tuned: {made.note}"
    console.print(f"fit {made.fingerprint[:12]}, {escape(state)}")
    for name, reason in without.items():
        console.print(f"[yellow]no figures[/yellow] {name}: {escape(reason)}")
    for name, calibration in found.items():
        console.print(_rates(name, calibration.report))
        console.print(_measured(name, calibration.report))
        if worst := _worst(calibration.report.prompts):
            console.print(_prompts(worst, len(calibration.report.prompts), console.width))
        if calibration.report.is_over_rate:
            console.print(f"[yellow]over the rate[/yellow] {name}: prompts are too alike for it. Mend what collides.")
        for line in _collisions(calibration.report):
            console.print(line)


def _measured(name: str, report: Report) -> str:
    """Returns what the held-out sentences say of the stated rate, whether or not it is beyond doubt."""
    rate = report.store.false_match
    measured = f"measured {rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%}), stated {report.stated_rate:.1%}"
    return f"{name}: wrong answers {measured}" + (f"; {report.caveat}" if report.caveat else "")


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


def _worst(prompts: Sequence[PromptRates]) -> list[PromptRates]:
    """Returns the prompts that are mistaken for others most often, then those answered least; none that is perfect."""
    mended = [one for one in prompts if one.sentences and one.coverage.value < 1]
    return sorted(mended, key=lambda one: (-one.false_match.value, one.coverage.value, one.key))[:_SHOWN]


def _prompts(worst: Sequence[PromptRates], count: int, width: int) -> Table:
    title = f"the worst {len(worst)} of {count} prompts, each by its own phrasings, with 95 % intervals"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("prompt", overflow="fold")
    # What is neither answered nor asked back is the rest: a column for it would leave the keys ten letters.
    columns: dict[str, list[str]] = {
        "of": [str(one.sentences) for one in worst],
        "answered": [_with_interval(one.coverage) for one in worst],
        "with another": [_with_interval(one.false_match) for one in worst],
        "asked back": [_with_interval(one.clarify) for one in worst],
    }
    for words in columns:
        table.add_column(words, justify="right", no_wrap=True)
    taken = sum(max(map(len, (words, *cells))) + _PADDING for words, cells in columns.items())
    for one, cells in zip(worst, zip(*columns.values(), strict=True), strict=True):
        table.add_row(_broken(one.key, width - taken - _PADDING), *cells)
    return table


def _broken(key: str, width: int) -> str:
    """Returns a key in lines of at most `width`, broken after points and hyphens; a longer word is left whole."""
    lines = [""]
    for part in _KEY_PART.findall(key):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _with_interval(rate: Estimate) -> str:
    return f"{rate.value:.0%} ({rate.low:.0%}-{rate.high:.0%})"


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
