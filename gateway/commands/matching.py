"""`canongate eval match`: fits a matcher on labelled sentences and measures it with labelled messages."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.progress import shown_progress
from gateway.fitting.corpora import (
    EmbedderSource,
    FittedStore,
    Progress,
    TunedPlace,
    fit_corpus,
    load_source,
    require_known_languages,
    source_of,
)
from gateway.fitting.labelled import Kind, LabelledText, read_labelled, require_readable
from gateway.fitting.measuring import AtLimits
from gateway.fitting.report import make_report_folder, write_no_figures, write_report
from gateway.fitting.trial import Trial, run_trial, trial_corpus
from gateway.opening import make_data_directory
from models.ports import Embedder
from store.content import Tolerance
from store.learning.errors import TooLittleToLearn
from store.learning.metrics import Outcomes
from store.learning.scorer import LearnedScorer

_ANY_LANGUAGE = "any"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("match")
@click.option("--store", "sentences", type=_FILE, required=True, help="Sentences to fit on: {text, intent} a line.")
@click.option(
    "--queries",
    type=_FILE,
    required=True,
    help='Messages to measure with: {text, intent or "oos", kind: in, id-oos, ood-oos or oos} a line.',
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 0.2, min_open=True),
    default=0.01,
    show_default=True,
    help="Share of all messages that may be answered wrongly.",
)
@click.option(
    "--near-misses",
    type=click.FloatRange(0, 10),
    help="Near misses to expect for each message that has a prompt.  [default: 10 / prompts, at most 1.2]",
)
@click.option("--no-tune", is_flag=True, help="Leave the embedder as it is: seconds instead of minutes, and worse.")
@click.option("--languages", help='Languages that it serves, as "en,ar"; "any" refuses none.  [default: its own]')
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report and its plots.")
@config_option
@json_option
def match(
    *,
    sentences: Path,
    queries: Path,
    rate: float,
    near_misses: float | None,
    no_tune: bool,
    languages: str | None,
    report: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Fit a matcher on labelled sentences and measure it with labelled messages.

    Files are JSON lines, gzipped or not. Limits come from --store alone; the labels of --queries only count what came
    of them. Nothing is published or kept.

    \b
    Example:
      canongate eval match --store store.jsonl.gz --queries queries.jsonl.gz --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    labelled = read_labelled(sentences, queries)
    settings = settings_from(config)
    make_data_directory(settings)
    source = source_of(settings)
    if languages not in (None, _ANY_LANGUAGE):
        require_known_languages(_listed(languages), "--languages")
    if report is not None:
        make_report_folder(report)  # now, and not after minutes of fitting
    errors = Console(stderr=True)
    for note in labelled.notes:
        errors.print(f"[yellow]note[/yellow] {escape(note)}")
    tolerance = Tolerance(false_match_rate=rate, near_misses=near_misses)
    with TemporaryDirectory(prefix="canongate-match-") as scratch, shown_progress(errors) as progress:
        require_readable(sentences, labelled.store, load_source(source, progress))
        store = _fit(
            labelled.store,
            source,
            Path(scratch),
            tune=not no_tune,
            threads=settings.matching.threads,
            report=report,
            progress=progress,
        )
        trial = run_trial(
            labelled.store,
            labelled.queries,
            tolerance,
            embedder=store.embedder,
            scorer=LearnedScorer(store.fitted.model),
            held_out=store.fitted.held_out,
            languages=_served(languages, store.embedder),
            progress=progress,
        )
    if report is not None:
        write_report(report, trial.calibration, store.fitted.held_out)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(figures(trial, store))).decode())
        return
    _show(Console(highlight=False), trial, store)


def _fit(
    sentences: Sequence[LabelledText],
    source: EmbedderSource,
    scratch: Path,
    *,
    tune: bool,
    threads: int,
    report: Path | None,
    progress: Progress,
) -> FittedStore:
    """Fits on the sentences; where they are too few, the report says so as well."""
    # A model tuned for one measurement is not kept.
    place = TunedPlace(scratch / "tuned", scratch / "exports")
    try:
        return fit_corpus(trial_corpus(sentences), source, tune=tune, tuned=place, threads=threads, progress=progress)
    except TooLittleToLearn as error:
        if report is not None:
            write_no_figures(report, str(error))
        raise


def figures(trial: Trial, store: FittedStore) -> dict[str, object]:
    """Returns what is printed as JSON."""
    measured = trial.measured
    return {
        **msgspec.structs.asdict(measured),
        "is_tuned": store.is_tuned,
        "note": store.note,
        "fit_seconds": round(store.seconds, 2),
        "unknown": trial.unknown,
    }


def _served(languages: str | None, embedder: Embedder) -> frozenset[str] | None:
    if languages is None:
        return embedder.languages
    return None if languages == _ANY_LANGUAGE else _listed(languages)


def _listed(languages: str) -> frozenset[str]:
    return frozenset(one.strip() for one in languages.split(","))


def _show(console: Console, trial: Trial, store: FittedStore) -> None:
    measured = trial.measured
    state = "tuned" if store.is_tuned else f"not tuned: {store.note}"
    console.print(f"fitted in {store.seconds:.1f} s, {escape(state)}")
    rates = Table("wrong answers", "answered rightly", "right among three", box=None)
    for rate, coverage in measured.coverage_at_false_match.items():
        rates.add_row(rate, _share(coverage), _share(measured.coverage_at_false_match_with_clarify[rate]))
    console.print(rates)
    console.print(f"best prompt right {_share(measured.accuracy)}   AUROC {_share(measured.auroc)}")
    for rate, own in measured.at_own_limits.items():
        console.print(_own_limits(rate, own))
    if measured.p50_ms is not None and measured.p95_ms is not None:
        console.print(f"a message takes {measured.p50_ms:.2f} ms, 95 % of them at most {measured.p95_ms:.2f} ms")
    for line in trial.unknown:
        console.print(f"[yellow]unknown[/yellow] {escape(line)}")


def _own_limits(rate: str, own: AtLimits) -> Table:
    title = f"limits for {rate}: {own.false_match:.4f} answered wrongly, {own.times_stated:.1f} times that"
    table = Table(
        "messages", "of", "right", "wrong", "asked back", "refused", title=title, title_justify="left", box=None
    )
    rows: dict[Kind, Outcomes | None] = {
        Kind.IN_SCOPE: own.in_scope,
        Kind.NEAR_MISS: own.near_miss,
        Kind.STRANGER: own.stranger,
    }
    for kind, one in rows.items():
        if one is not None:
            shares = (f"{share:.3f}" for share in (one.right, one.wrong, one.clarify, one.refused))
            table.add_row(kind.value, str(one.messages), *shares)
    return table


def _share(value: float | None) -> str:
    return "cannot be told" if value is None else f"{value:.3f}"
