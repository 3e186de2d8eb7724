"""`canongate eval rails`: what a policy's rails say of the texts in a file."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.beginning import WRITTEN, example_folder
from gateway.bootstrap import open_embedder
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.progress import shown_progress
from gateway.commands.rail_means import command_services
from gateway.commands.serving import EXAMPLE_ASSISTANT
from gateway.errors import InvalidRequest
from gateway.opening import open_store
from gateway.publisher import rail_runner
from gateway.rail_trial import RailCount, RailTrial, TrialResult, TrialRow, try_rows
from gateway.rows import FileRow, read_rows
from gateway.settings import Settings
from rails.engine import compile_policy
from rails.policy import load_policy
from rails.types import RailContext, RailStatus, Stage
from store.catalog import Catalog, load_catalog
from store.formats.documents import read_yaml

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A policy that is to be tried, and the languages of those who use it."""

    document: Mapping[str, object]
    revision: int
    languages: tuple[str, ...]


@click.command("rails")
@click.option("--rows", "file", type=_FILE, required=True, help="Texts to try: an object a line, gzipped or not.")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), required=True)
@click.option("--field", default="text", show_default=True, help="Field of a row that holds the text.")
@click.option("--facts-field", help="Field that holds what an answer may draw on; for --stage output.")
@click.option("--by", help="Field by whose values the rows are also counted.")
@click.option(
    "--policy", help="Name of a live policy, or a YAML file.  [default: that of the only assistant, or the example's]"
)
@click.option("--languages", help='Languages that are served, as "en,de".  [default: the assistant\'s, or en]')
@config_option
@json_option
def rails(
    *,
    file: Path,
    stage: str,
    field: str,
    facts_field: str | None,
    by: str | None,
    policy: str | None,
    languages: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Run a policy's rails over the texts of a file and count what they say.

    Shares are of all rows. Each rail is timed where it ran; one that comes after a block did not run. A message goes
    through the first step of the pipeline before any rail, as when it is sent; what is refused there counts as blocked
    by `canonicalize`. A row that cannot be used is listed and left out, and the command then ends with status 1.

    \b
    Examples:
      canongate eval rails --rows attacks.jsonl --stage input --by source
      canongate eval rails --rows answers.jsonl.gz --stage output --field answer --facts-field facts --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    chosen_stage = Stage(stage)
    if facts_field and chosen_stage is Stage.INPUT:
        raise click.BadParameter(
            "a message has no facts. Leave it out, or use --stage output.", param_hint="--facts-field"
        )
    rows, unusable = read_trial_rows(file, field, facts_field, by)
    settings = settings_from(config)
    chosen = _choose(settings, policy)
    served = tuple(one.strip() for one in languages.split(",")) if languages else chosen.languages
    embedder = cache(lambda: open_embedder(settings, lambda _: None))
    with closing(rail_runner(settings)) as runner, shown_progress(Console(stderr=True)) as progress:
        compiled = compile_policy(
            load_policy(chosen.document), chosen.revision, runner=runner, services=command_services(settings, embedder)
        )
        context = RailContext(language=served[0], languages=served)
        trial = try_rows(compiled, chosen_stage, rows, context, lambda done, total: progress("checking", done, total))
    if as_json:
        told = {
            "policy": f"{compiled.name}@{compiled.revision}",
            "stage": stage,
            **figures(trial),
            "unusable": unusable,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        _show(Console(highlight=False), trial, f"{compiled.name}, {stage}")
        for line in unusable:
            click.echo(f"left out: {line}", err=True)
    if unusable:
        raise SystemExit(1)


def read_trial_rows(
    file: Path, field: str, facts_field: str | None, by: str | None
) -> tuple[list[TrialRow], list[str]]:
    """Returns the rows of a file, and a line for each that cannot be used. Raises `InvalidRequest` when none can."""
    rows, errors = [], list[InvalidRequest]()
    for row in read_rows(file, f'{{"{field}": ...}}', errors.append):
        try:
            rows.append(_trial_row(row, field, facts_field, by))
        except InvalidRequest as error:
            errors.append(error)
    if errors and not rows:
        raise errors[0]
    return rows, [error.message for error in errors]


def _trial_row(row: FileRow, field: str, facts_field: str | None, by: str | None) -> TrialRow:
    group = row.fields.get(by) if by else None
    if by and not isinstance(group, str | int | bool):
        raise row.bad(f"{by} must be a text or a number to count by")
    facts = row.text(facts_field) if facts_field else ""
    return TrialRow(row.text(field), facts, None if group is None else str(group))


def _choose(settings: Settings, name: str | None) -> _Chosen:
    if name is not None and (Path(name).is_file() or name.endswith((".yaml", ".yml"))):
        return _Chosen(read_yaml(Path(name)), 0, ("en",))
    with open_store(settings) as store:
        live = load_catalog(store.database)
    if name is not None:
        if name not in live.policies:
            known = ", ".join(sorted(live.policies)) or "none, nothing is published"
            raise click.BadParameter(
                f"no policy {name!r} is live, and no such file. Live: {known}.", param_hint="--policy"
            )
        return _live(live, name)
    used = {assistant.policy for assistant in live.assistants.values()}
    if len(used) > 1:
        raise click.BadParameter(f"say which of {', '.join(sorted(used))} to try.", param_hint="--policy")
    if not used:
        return _Chosen(read_yaml((example_folder() or WRITTEN) / "policies" / f"{EXAMPLE_ASSISTANT}.yaml"), 0, ("en",))
    return _live(live, used.pop())


def _live(live: Catalog, name: str) -> _Chosen:
    languages = [tag for one in live.assistants.values() if one.policy == name for tag in one.languages]
    stored = live.policies[name]
    return _Chosen(stored.document, stored.revision, tuple(dict.fromkeys(languages)) or ("en",))


def figures(trial: RailTrial) -> dict[str, object]:
    """Returns what is printed as JSON."""
    return {
        "rows": trial.rows,
        **_shares(trial.results),
        "p50_ms": trial.times.p50_ms,
        "p95_ms": trial.times.p95_ms,
        "rails": [_rail(rail, trial.rows) for rail in trial.rails],
        "by": {group: {"rows": counts.total(), **_shares(counts)} for group, counts in sorted(trial.groups.items())},
    }


def _shares(counts: Counter[TrialResult]) -> dict[str, float]:
    return {result.value: round(counts[result] / counts.total(), 4) for result in TrialResult}


def _rail(rail: RailCount, rows: int) -> dict[str, object]:
    return {
        "name": rail.name,
        "monitored": rail.is_monitored,
        "blocked": round(rail.statuses[RailStatus.BLOCKED] / rows, 4),
        **{f"{status.value}_rows": rail.statuses[status] for status in RailStatus},
        "reasons": dict(rail.reasons.most_common()),
        "p50_ms": rail.times.p50_ms,
        "p95_ms": rail.times.p95_ms,
    }


def _show(console: Console, trial: RailTrial, title: str) -> None:
    table = Table("rail", "blocked", "rows", "changed", "failed", "p50 ms", "p95 ms", title=escape(title), box=None)
    for rail in trial.rails:
        statuses = rail.statuses
        table.add_row(
            f"{rail.name} (watches)" if rail.is_monitored else rail.name,
            f"{statuses[RailStatus.BLOCKED] / trial.rows:.1%}",
            str(statuses[RailStatus.BLOCKED]),
            str(statuses[RailStatus.MODIFIED]),
            str(statuses[RailStatus.ERROR]),
            f"{rail.times.p50_ms:.3f}",
            f"{rail.times.p95_ms:.3f}",
        )
    console.print(table)
    for rail in trial.rails:
        for reason, count in rail.reasons.most_common():
            console.print(f"{count:>8}  {escape(reason)}")
    for group, counts in [("all", trial.results), *sorted(trial.groups.items())]:
        shares = "   ".join(f"{name} {share:.1%}" for name, share in _shares(counts).items())
        console.print(f"{escape(group)}: {counts.total()} rows   {shares}")
    console.print(f"a text takes {trial.times.p50_ms:.2f} ms, 95 % of them at most {trial.times.p95_ms:.2f} ms")
