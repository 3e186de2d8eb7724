"""How `canongate rails` tells what it found, to people and to scripts."""

import json
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import click
import msgspec

from gateway.activation import ActivationReport, Examination
from rails.case_runs import verdict_of
from rails.findings import Finding
from rails.types import RailsReport
from rails.weakening import Weakening

_FAILURES = MappingProxyType(
    {
        "rail.timeout": "took longer than it may",
        "rail.stage_timeout": "had no time left, because the rails before it took all of it",
        "rail.no_thread": "could not be started, because too many earlier checks hang",
    }
)
_MARKS = MappingProxyType({Weakening.NO: "change", Weakening.MAY: "may weaken", Weakening.YES: "weaker"})


def finding_document(finding: Finding) -> dict[str, Any]:
    """Returns a finding for a script."""
    return dict(msgspec.to_builtins(finding))


def examination_document(found: Examination) -> dict[str, Any]:
    """Returns everything that is known about a policy, for a script."""
    changes = [
        {**msgspec.to_builtins(one), "weakens": one.weakens, "weakening": one.weakening.value, "words": str(one)}
        for one in found.changes
    ]
    cases = [
        {**msgspec.to_builtins(run), "is_right": run.is_right, "is_different": run.is_different} for run in found.cases
    ]
    return {
        "policy": found.name,
        "is_clean": found.is_clean,
        "problems": list(found.problems),
        "questions": list(found.questions()),
        "findings": [finding_document(finding) for finding in found.findings],
        "sandbox": None if found.sandbox is None else msgspec.to_builtins(found.sandbox),
        "tests": cases,
        "withheld": list(found.withheld),
        "changes": changes,
    }


def report_document(report: ActivationReport) -> dict[str, Any]:
    """Returns an activation for a script."""
    published = None if report.published is None else msgspec.to_builtins(report.published)
    return {
        **examination_document(report.examination),
        "questions": list(report.questions),
        "published": published,
    }


def show_findings(findings: Iterable[Finding], name: str) -> None:
    """Prints findings, the place first so that editors jump there."""
    shown = list(findings)
    for one in shown:
        click.echo(f"{name}:{one.line}:{one.column}: {one.severity.value}: {one.message} {one.remedy} [{one.code}]")
    errors = sum(one.is_error for one in shown)
    click.echo(f"{errors} to correct, {len(shown) - errors} to think about." if shown else "Nothing to correct.")


def show_examination(found: Examination, questions: Iterable[str] = ()) -> None:
    """Prints what an activation would change, and what speaks against it."""
    for finding in found.findings:
        if not finding.is_error:
            click.echo(f"note: {finding}")
    for problem in found.problems:
        click.echo(f"stop: {problem}")
    asked = tuple(questions)
    for question in asked:
        click.echo(f"stop: {question}")
    for change in found.changes:
        click.echo(f"{_MARKS[change.weakening]}: {change}")
    for run in found.cases:
        if run.is_different:
            click.echo(f"test {run.number}: {run.case.text[:60]!r} was {run.live}, and would be {run.got}")
    click.echo(f"{found.name or 'The policy'}: {_summary(found, is_asked=bool(asked))}.")


def _summary(found: Examination, *, is_asked: bool) -> str:
    """Returns what is known, and nothing of what was not looked at."""
    mistakes = sum(finding.is_error for finding in found.findings)
    if mistakes:
        return f"{_counted(mistakes, 'mistake')} to correct; what it would change was not looked at"
    changes = _counted(len(found.changes), "change") if found.changes else "no changes"
    if found.policy is None:
        return f"{changes}; it cannot be built, so its tests were not tried, and it cannot be activated"
    right = sum(run.is_right for run in found.cases)
    tests = f"{right} of {_counted(len(found.cases), 'test')} right" if found.cases else "no tests"
    if found.problems:
        return f"{changes}, {tests}; it cannot be activated: see above"
    return f"{changes}, {tests}; " + ("it waits for an answer, see above" if is_asked else "nothing speaks against it")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def show_report(report: ActivationReport) -> None:
    """Prints what an activation found and did."""
    show_examination(report.examination, report.questions)
    if report.published is None:
        click.echo("Refused: what was live is live.")
    elif not report.published.has_changes:
        click.echo(f"Live already: revision {report.published.revision}.")
    else:
        click.echo(f"Live: revision {report.published.revision}.")


def show_records(report: RailsReport, refusal: str | None, *, as_json: bool) -> None:
    """Prints what each rail said, and what comes of it for a person; `refusal` is what a refused one reads."""
    verdict, problem = verdict_of(report), _problem(report)
    if as_json:
        document = {
            "verdict": msgspec.to_builtins(verdict),
            "refusal": refusal,
            "problem": problem,
            "text": None if report.is_blocked else report.text,
            "rails": [msgspec.to_builtins(record) for record in report.records],
        }
        click.echo(json.dumps(document, indent=2))
        return
    for record in report.records:
        watched = " (only watches)" if record.is_monitored else ""
        words = (
            f"{record.name:<16} {record.status.value:<9} {record.duration_ms:8.2f} ms  {record.reason or ''}{watched}"
        )
        click.echo(words.rstrip())
    click.echo(f"{report.stage.value}: {verdict}")
    if problem is not None:
        click.echo(problem)
    elif refusal is not None:
        click.echo(f"A person would read: {refusal}")
    elif not report.is_blocked:
        click.echo(f"Goes on as: {report.text}")


def _problem(report: RailsReport) -> str | None:
    """Returns what a person gets in place of an answer where a rail failed, and why."""
    stopped = report.stopped_by
    if not report.has_failed or stopped is None:
        return None
    why = _FAILURES.get(stopped.reason or "", "broke while it looked at the text")
    return (
        "A person would read no text of the policy, but that the service is not available (503 rails_unavailable): "
        f"the rail `{stopped.name}` {why}, and what was not checked to the end is not let through."
    )
