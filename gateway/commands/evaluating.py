"""`canongate eval`: measures with labelled messages."""

from collections.abc import Collection
from pathlib import Path

import anyio
import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from gateway.bootstrap import open_components
from gateway.commands.asking import OPERATOR
from gateway.commands.evaluating_rails import rails
from gateway.commands.matching import match
from gateway.commands.options import config_option, json_option, settings_from
from gateway.components import Components
from gateway.settings import Settings
from gateway.suite import CaseResult, SuiteReport, run_suite
from store.formats.suite import Suite, SuiteCase, read_suite


@click.group("eval")
def evaluate() -> None:
    """Measure the gateway with labelled messages.

    \b
    Example:
      canongate eval suite examples/helpdesk/suites/helpdesk.yaml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


evaluate.add_command(match)
evaluate.add_command(rails)


@evaluate.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--without-model", is_flag=True, help="Measure matching and rails alone; fallbacks stand for answers.")
@click.option("--answers", is_flag=True, help="Print every answered message with its answer.")
@click.option("--assistant", help="Assistant to ask. [default: the one of the test set, or the only one]")
@config_option
@json_option
def suite(
    file: Path, *, without_model: bool, answers: bool, assistant: str | None, config: Path | None, as_json: bool
) -> None:
    """Run a test set through the whole pipeline and report what failed.

    A message that could not be checked, because it is too long, a rail timed out on a busy machine or the database was
    away, counts as failed with the reason, and the others are asked all the same; the command then ends with status 1.

    \b
    Example:
      canongate eval suite examples/helpdesk/suites/helpdesk.yaml --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    cases = read_suite(file)
    errors = Console(stderr=True)
    with (
        open_components(_without_cache(settings_from(config)), without_model=without_model) as components,
        Progress(console=errors, transient=True) as bar,
    ):
        asked = _assistant(cases, assistant, components.live.current.catalog.assistants)
        report = anyio.run(_run, components, cases, asked, bar)
    if as_json:
        rows = [_row(result) for result in report.results]
        told = {
            **report.figures(),
            "by_kind": report.kinds(),
            "results": rows,
            "could_not_be_checked": report.not_checked,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        _show(Console(highlight=False), report, with_answers=answers)
    if report.not_checked:
        raise SystemExit(1)


def _without_cache(settings: Settings) -> Settings:
    """Has the model asked every time: what is measured is what it is given and says, not what was kept."""
    return msgspec.structs.replace(settings, answers=msgspec.structs.replace(settings.answers, kept=0))


def _assistant(cases: Suite, given: str | None, live: Collection[str]) -> str:
    """Returns whom to ask. Raises `click.UsageError` where nobody says it and it could be several."""
    if given and cases.assistant not in (None, given):
        click.echo(f"The test set names the assistant {cases.assistant}; {given} is asked.", err=True)
    only = next(iter(live)) if len(live) == 1 else None
    name = given or cases.assistant or only
    if name is None:
        raise click.UsageError(f"the test set names no assistant. Say --assistant: {', '.join(sorted(live))}.")
    return name


async def _run(components: Components, cases: Suite, assistant: str, bar: Progress) -> SuiteReport:
    task = bar.add_task(escape(cases.title), total=len(cases.cases))
    async with components.on_this_loop():
        return await run_suite(
            components.pipeline,
            components.live.current,
            cases,
            assistant=assistant,
            principal=OPERATOR,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _asked(case: SuiteCase) -> tuple[str, str, str]:
    return case.id, escape(ascii(case.message)[1:-1][:89]), f"{case.expect.value} {case.prompt or ''}"


def _row(result: CaseResult) -> dict[str, object]:
    return {**msgspec.to_builtins(result), "is_right": result.is_right}


def _show(console: Console, report: SuiteReport, *, with_answers: bool) -> None:
    failed = Table("case", "message", "wanted", "got", "by", title="Not as expected", title_justify="left", box=None)
    for result in report.results:
        if not result.is_right:
            got = f"{result.outcome.value} {result.prompt or ' | '.join(result.offered)}"
            by = result.stopped_by or (f"{result.score:.3f}" if result.score is not None else "")
            failed.add_row(*_asked(result.case), got, by)
    for one in report.not_checked:
        failed.add_row(*_asked(one.case), f"could not be checked: {one.reason}", one.code)
    console.print(failed)
    if with_answers:
        for result in report.results:
            if result.is_answer:
                message, text = escape(result.case.message), escape(result.text)
                console.print(f"\n[bold]{result.case.id}[/bold] {message}\n  {result.prompt}: {text}")
    console.print()
    for name, value in report.figures().items():
        console.print(f"{name:>32}  {value}")
    kinds = Table("kind", "right", "of", "outcomes", box=None)
    for kind, row in report.kinds().items():
        kinds.add_row(kind, str(row.right), str(row.cases), " ".join(f"{k} {n}" for k, n in row.outcomes.items()))
    console.print(kinds)
