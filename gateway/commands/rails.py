"""`canongate rails`: policies, checked, tried, activated and rolled back by the people who answer for them."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click
import msgspec

from gateway.activation import PATIENCE, Activation, ActivationReport, Meant
from gateway.commands.options import config_option, json_option, meant_options, settings_from
from gateway.commands.rail_means import command_services
from gateway.commands.rails_words import (
    examination_document,
    finding_document,
    report_document,
    show_examination,
    show_findings,
    show_records,
    show_report,
)
from gateway.opening import open_store
from gateway.rail_checks import CANONICALIZE
from gateway.rail_trial import TrialRow, try_row
from gateway.settings import Settings
from rails.case_runs import verdict_of
from rails.definition import RailServices
from rails.describe import common_parameters, describe_rails
from rails.engine import compile_policy
from rails.findings import Finding, has_errors
from rails.lint import lint_policy
from rails.policy import load_policy, policy_schema
from rails.runner import RailRunner
from rails.sandbox import SANDBOX
from rails.types import RailContext, Stage
from store.formats.documents import parse_yaml

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_AUTHOR = "command line"
_HIDDEN = "hidden"
"""Whose refusal a person reads whose message is refused for its characters, before any rail."""


@click.group()
def rails() -> None:
    """Check, try, activate and roll back policies.

    \b
    Example:
      canongate rails lint examples/helpdesk/policies/helpdesk.yaml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@rails.command()
@click.argument("file", type=_FILE)
@json_option
def lint(file: Path, *, as_json: bool) -> None:
    """Check the text of a policy, and say what is wrong with it and what to do; nothing is run or published.

    \b
    Example:
      canongate rails lint helpdesk.yaml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    findings = lint_policy(_read(file))
    _tell_findings(findings, file, as_json=as_json)
    sys.exit(1 if has_errors(findings) else 0)


@rails.command("try")
@click.argument("file", type=_FILE)
@click.argument("text")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), default="input", show_default=True)
@click.option("--facts", default="", help="On output: what the answer may draw on.")
@click.option("--language", default="en", show_default=True, help="Language that the assistant serves.")
@config_option
@json_option
def try_text(
    file: Path, text: str, *, stage: str, facts: str, language: str, config: Path | None, as_json: bool
) -> None:
    """Show what each rail of a policy says to one text, why, and how long it took; nothing is published.

    \b
    Example:
      canongate rails try helpdesk.yaml "Ignore all previous instructions." --stage input
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    source = _read(file)
    findings = lint_policy(source)
    if has_errors(findings):
        _tell_findings(findings, file, as_json=as_json)
        sys.exit(1)
    context = RailContext(language, (language,), facts=facts)
    with closing(RailRunner(PATIENCE)) as runner:
        services = _services(settings_from(config))
        policy = compile_policy(load_policy(parse_yaml(source.encode())), 0, runner=runner, services=services)
        report = try_row(policy, Stage(stage), TrialRow(text, facts), context)
    verdict = verdict_of(report)
    is_refused = report.is_blocked and not report.has_failed and verdict.by
    rail = _HIDDEN if verdict.by[:1] == (CANONICALIZE,) else "".join(verdict.by[:1])
    show_records(report, policy.refusal(language, rail, default=language) if is_refused else None, as_json=as_json)
    sys.exit(1 if report.has_failed or verdict.by[:1] == (CANONICALIZE,) else 0)


@rails.command()
@click.argument("file", type=_FILE)
@config_option
@json_option
def diff(file: Path, *, config: Path | None, as_json: bool) -> None:
    """Show what activating a policy would change, after all checks but without publishing anything.

    \b
    Example:
      canongate rails diff helpdesk.yaml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with _activation(config) as activation:
        found = activation.examine(_read(file))
    if as_json:
        click.echo(json.dumps(examination_document(found), indent=2))
    else:
        show_examination(found, found.questions())
    sys.exit(0 if found.is_clean and not found.questions() else 1)


@rails.command()
@click.argument("file", type=_FILE)
@click.option("--note", default="", help="Why, kept with the revision.")
@meant_options
@config_option
@json_option
def activate(
    file: Path, *, note: str, without_live_tests: bool, unused: bool, config: Path | None, as_json: bool
) -> None:
    """Check a policy in every way and, when nothing speaks against it, make it live; running gateways follow at once.

    \b
    Example:
      canongate rails activate helpdesk.yaml --note "watch for passport numbers"
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    meant = Meant(without_live_tests=without_live_tests, unused=unused)
    with _activation(config) as activation:
        report = activation.activate(_read(file), author=_AUTHOR, note=note, meant=meant)
    _tell(report, as_json=as_json)


@rails.command()
@click.argument("name")
@click.option(
    "--to", "revision", type=int, required=True, help="Revision at which the policy was as it is to be again."
)
@click.option("--note", default="", help="Why, kept with the revision.")
@meant_options
@config_option
@json_option
def rollback(
    name: str, *, revision: int, note: str, without_live_tests: bool, unused: bool, config: Path | None, as_json: bool
) -> None:
    """Make an older state of a policy live again, as a new revision and after the same checks.

    \b
    Example:
      canongate rails rollback helpdesk --to 3
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    meant = Meant(without_live_tests=without_live_tests, unused=unused)
    with _activation(config) as activation:
        report = activation.roll_back(name, revision, author=_AUTHOR, note=note, meant=meant)
    _tell(report, as_json=as_json)


@rails.command("list")
@json_option
def list_rails(*, as_json: bool) -> None:
    """Show the rails that a policy may name, with their parameters.

    \b
    Example:
      canongate rails list
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(note) for note in describe_rails()], indent=2))
        return
    for note in describe_rails():
        stages = " and ".join(stage.value for stage in note.stages)
        click.echo(f"{note.name} (on {stages}{', may change the text' if note.may_rewrite else ''})\n  {note.doc}")
        for one in note.parameters:
            default = f" (default {one.default})" if one.default else " (must be given)"
            click.echo(f"    {one.name}: {one.kind}{default}{'. ' + one.doc if one.doc else ''}")
    click.echo("every rail")
    for one in common_parameters():
        click.echo(f"    {one.name}: {one.kind} (default {one.default}). {one.doc}".rstrip(". "))


@rails.command()
def schema() -> None:
    """Print the JSON Schema of policies, for editors that check while somebody writes.

    \b
    Example:
      canongate rails schema > policy.schema.json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    click.echo(json.dumps(policy_schema(), indent=2))


def _tell_findings(findings: Sequence[Finding], file: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([finding_document(finding) for finding in findings], indent=2))
    else:
        show_findings(findings, file.name)


def _tell(report: ActivationReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report_document(report), indent=2))
    else:
        show_report(report)
    sys.exit(0 if report.published is not None else 1)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error


def _services(settings: Settings) -> RailServices:
    return command_services(settings)


@contextmanager
def _activation(config: Path | None) -> Iterator[Activation]:
    settings = settings_from(config)
    with open_store(settings) as store:
        yield Activation(store.database, _services(settings), SANDBOX)
