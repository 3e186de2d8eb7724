"""The gateway beside its rivals: one run on one machine, its figures as JSON, and the page that is written from them.

Each rival runs in an environment of its own with every version pinned, in a configuration that stands in
benchmarks/rivals/configurations. Figures of a question that is not asked stay as they were. The exit status is 1 when
something that was asked could not be answered.
"""

import argparse
import json
import signal
import sys
import time
import traceback
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway_process import say
from benchmarks.rivals import machine
from benchmarks.rivals.kept import FIGURES, QUICK, NotFigures, Report, read_report, write_report
from benchmarks.rivals.progress import Progress
from benchmarks.rivals.questions import QUESTIONS, Options, Question, chosen
from benchmarks.rivals.report import write_page
from benchmarks.rivals.sources import remarks_on
from benchmarks.rivals.venvs import RIVALS, NotInstalled, Rival

ROUNDS, QUICK_ROUNDS = 3, 1
SHARED_CORES = 0.1
"""What others may take of a core before a run counts as shared with them."""
DATA = Path("../shared/data")


def main() -> int:
    """Asks the questions and writes docs/rivals.md, its figures and its plots; returns the exit status."""
    arguments = _arguments()
    try:
        report = read_report(arguments.figures, must_exist=arguments.page)
        if arguments.page:
            write_page(report, arguments.figures)
            return 0
        return _measured(arguments, report)
    except NotFigures as error:
        say(str(error))
        return 2


def _measured(arguments: argparse.Namespace, report: Report) -> int:
    """Measures, writes the page of what was answered, and returns the exit status."""
    options = Options(
        arguments.quick, arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS), arguments.data, say
    )
    # Ended as by Ctrl-C, a run ends the servers that it started; they have sessions of their own.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(arguments, options, report)
    except KeyboardInterrupt:
        say("stopped; what was answered is kept")
        return 130
    finally:
        if report["questions"]:
            write_page(report, arguments.figures)
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.as_json else _summary(report, arguments.only))
    say(f"figures, page and plots are in {arguments.figures.parent}")
    unanswered = [one.name for one in chosen(arguments.only) if one.name in report["not_answered"]]
    if unanswered:
        say(f"not answered: {', '.join(unanswered)}")
    return 1 if unanswered else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.rivals --only overhead blocking --quick",
    )
    names = [one.name for one in QUESTIONS]
    parser.add_argument("--only", nargs="+", default=[], choices=names, metavar="QUESTION", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help=f"one short round, kept in {_short(QUICK.parent)}")
    parser.add_argument("--rounds", type=int, help=f"of what has rounds ({ROUNDS}; {QUICK_ROUNDS} with --quick)")
    parser.add_argument("--data", type=Path, help=f"data sets that are not ours ({DATA})")
    parser.add_argument(
        "--figures",
        type=Path,
        help=f"where they are kept ({_short(FIGURES)}); those of elsewhere have page and plots beside",
    )
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from the figures")
    parser.add_argument("--shared", action="store_true", help="note that others used the machine meanwhile")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print all figures")
    arguments = parser.parse_args()
    _refuse(parser, arguments)
    arguments.figures = (arguments.figures or (QUICK if arguments.quick else FIGURES)).resolve()
    arguments.data = arguments.data or DATA
    return arguments


def _refuse(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Ends the program where the arguments contradict each other."""
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    measures = arguments.only or arguments.as_json or arguments.rounds or arguments.shared or arguments.data
    if arguments.page and measures:
        parser.error("--page writes the whole page and measures nothing; it goes with --figures and --quick alone")
    if arguments.quick and arguments.figures and arguments.figures.resolve() == FIGURES:
        parser.error("--quick does not go into the figures of the repository")
    if arguments.data and not arguments.data.is_dir():
        parser.error(f"--data {arguments.data} is no folder")


def _short(path: Path) -> Path:
    """Returns a path as seen from the repository."""
    return path.relative_to(FIGURES.parents[2])


def _run(arguments: argparse.Namespace, options: Options, report: Report) -> None:
    for remark in remarks_on(options.data):
        options.say(remark)
    asked, run = chosen(arguments.only), uuid.uuid4().hex[:12]
    rivals = _installed(report, options, asked)
    progress = Progress(asked, options)
    for question in asked:
        progress.begin(question)
        try:
            told = _ask(question, rivals, options, is_shared=arguments.shared)
            report["questions"][question.name] = {"run": run, **told}
        except Exception as error:  # noqa: BLE001 - one question that fails does not take an hour of others with it
            report["not_answered"][question.name] = f"{type(error).__name__}: {error}"
            say(f"{question.name} failed:\n{traceback.format_exc()}")
        else:
            report["not_answered"].pop(question.name, None)
        write_report(report, arguments.figures)
        progress.end(question)


def _installed(report: Report, options: Options, asked: Sequence[Question]) -> list[Rival]:
    """Returns the rivals that are asked and whose packages are there, installing them where they are not."""
    able = []
    for rival in RIVALS:
        if not any(one.needs(rival.name) for one in asked):
            continue
        report["not_installed"].pop(rival.name, None)
        try:
            rival.prepare(options.say)
        except NotInstalled as error:
            report["not_installed"][rival.name] = str(error)
            options.say(f"not installed: {error}")
        else:
            able.append(rival)
    report["rivals"] = {
        one.name: {"title": one.title, "version": one.version(), "licence": one.licence, "home": one.home}
        for one in RIVALS
    }
    return able


def _ask(question: Question, rivals: Sequence[Rival], options: Options, *, is_shared: bool) -> dict[str, Any]:
    """Returns a question's figures, with what they were measured on, when, and of which versions."""
    began, began_s, others = machine.now(), time.monotonic(), machine.Others()
    figures = question.measure(rivals, options)
    others_cores = round(others.cores(), 2)
    return {
        "measured": began,
        "canongate": machine.own_version(),
        "versions": {one.name: one.version() for one in rivals},
        "machine": machine.describe(),
        "minutes": round((time.monotonic() - began_s) / 60, 1),
        "rounds": options.rounds,
        "is_quick": options.is_quick,
        "others_cores": others_cores,
        "machine_was_shared": question.is_timed and (is_shared or others_cores > SHARED_CORES),
        "figures": figures,
    }


def _summary(report: Report, only: Sequence[str]) -> str:
    """Returns the tables of what was asked, as the page has them."""
    lines = []
    for question in chosen(only):
        if question.name in report["questions"]:
            chapter = question.tell(report["questions"][question.name]["figures"])
            lines += ["", question.title, *chapter.better]
            for header, rows in ((chapter.header, chapter.rows), *((one.header, one.rows) for one in chapter.tables)):
                lines += ["  ".join(row) for row in (header, *rows)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
