"""What the page says of the conditions of its figures: the machine, the runs, and the versions measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.rivals.kept import Report
from benchmarks.rivals.markdown import link, table
from benchmarks.rivals.questions import QUESTIONS
from benchmarks.rivals.venvs import named


def conditions(report: Report, folder: Path) -> str:
    """Returns the sections about the machine and about who is measured, for the folder of the page."""
    asked = report["questions"]
    machines = {json.dumps(one["machine"]): one["machine"] for one in asked.values()}
    lines = ["## The machine", "", *(f"{_machine(one)}\n" for one in machines.values()), *_runs(asked)]
    shared = [name for name, one in asked.items() if one["machine_was_shared"]]
    quick = [name for name, one in asked.items() if one["is_quick"]]
    if shared:
        lines.append(
            f"**Others used the machine during: {', '.join(shared)}.** Those figures are to be measured again."
        )
    if quick:
        lines.append(f"**Measured with `--quick`, one short round: {', '.join(quick)}.**")
    lines += [
        f"**Not answered by the last run: {name}.** `{' '.join(why.split())[:300].replace('`', '')}`"
        for name, why in report["not_answered"].items()
    ]
    return "\n\n".join(["\n".join(lines), "\n".join(_versions(report, folder)), ""])


def _machine(one: Mapping[str, Any]) -> str:
    family = f" ({one['family']})" if one.get("family") else ""
    virtual = " virtual" if one.get("is_virtual") else ""
    size = f"{one['cores']}{virtual} cores, {one['memory_gib']} GiB"
    told = f"{one['processor']}{family}, {size}, {one['system']}, Python {one['python']}"
    if software := one.get("software"):
        told += f"; {', '.join(f'{name} {version}' for name, version in software.items())}"
    weights = "".join(f" {name}: SHA-256 `{digest}`." for name, digest in one.get("weights", {}).items())
    return f"{told}.{weights}"


def _runs(asked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns which questions were answered in one run, and of which canongate."""
    runs: dict[tuple[str, str], list[str]] = {}
    for name, one in asked.items():
        runs.setdefault((one.get("run", ""), _own(one)), []).append(name)
    said = [
        f"{'Run ' + run if run else 'Before runs had a number of their own'}{f', canongate {own}' if own else ''}: "
        f"{', '.join(names)}."
        for (run, own), names in runs.items()
    ]
    timed = {asked[one.name].get("run", "") for one in QUESTIONS if one.is_timed and one.name in asked}
    if len(timed) > 1:
        said.insert(0, "**These times are not of one run.**")
    elif len({run for run, _ in runs}) > 1:
        said.insert(0, "All times are of one run; what is counted, and would be the same at another hour, need not be.")
    elif "" in {run for run, _ in runs}:
        said.insert(0, "Whether these figures are of one run was not kept.")
    return [f"{' '.join(said)}\n"]


def _own(one: Mapping[str, Any]) -> str:
    own = one.get("canongate")
    return f"{own['version']} ({own['commit']})" if own else ""


def _versions(report: Report, folder: Path) -> list[str]:
    rows = [
        (
            f"[{one['title']}]({one['home']})",
            _version(report, name, one["version"]),
            one["licence"],
            link(named(name).requirements, folder),
        )
        for name, one in report["rivals"].items()
    ]
    lines = ["## Who is measured", "", *table(("", "version", "licence", "everything installed"), rows)]
    return [
        *lines,
        *(f"\nNot installed: {name}. `{said.strip()[-300:]}`" for name, said in report["not_installed"].items()),
    ]


def _version(report: Report, name: str, known: str) -> str:
    """Returns the version that was measured; where questions had others, each with its questions."""
    found: dict[str, list[str]] = {}
    for question, one in report["questions"].items():
        if version := one.get("versions", {name: known}).get(name):
            found.setdefault(version, []).append(question)
    if len(found) < 2:
        return next(iter(found), known)
    return "; ".join(f"{version} ({', '.join(asked)})" for version, asked in found.items())
