"""The gateway beside its rivals: one run on one machine, its figures as JSON, and the page that is written from them.

Each rival runs in an environment of its own with every version pinned, in a configuration that stands in
benchmarks/rivals/configurations. Rounds are interleaved. Figures of a question that is not asked stay as they were.
"""

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway_process import say
from benchmarks.rivals import machine
from benchmarks.rivals.progress import Progress
from benchmarks.rivals.questions import QUESTIONS, Options, Question, chosen
from benchmarks.rivals.report import FIGURES, Report, read_report, write_page, write_report
from benchmarks.rivals.venvs import RIVALS, NotInstalled, Rival

ROUNDS, QUICK_ROUNDS = 3, 1
SHARED_CORES = 0.1
"""What others may take of a core before a run counts as shared with them."""


def main() -> int:
    """Asks the questions and writes docs/rivals.md, its figures and its plots; returns the exit status."""
    arguments = _arguments()
    options = Options(
        arguments.quick, arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS), arguments.data, say
    )
    report = read_report(arguments.figures)
    # Ended as by Ctrl-C, a run ends the servers that it started; they have sessions of their own.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not arguments.page:
            _run(arguments, options, report)
    except KeyboardInterrupt:
        say("stopped; what was answered is kept")
        return 130
    finally:
        write_page(report, arguments.figures)
    if arguments.as_json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    elif not arguments.page:
        print(_summary(report, arguments.only))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rivals",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.rivals --only overhead blocking --quick --figures /tmp/try/figures.json",
    )
    names = [one.name for one in QUESTIONS]
    parser.add_argument("--only", nargs="+", default=[], choices=names, metavar="QUESTION", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="one short round: to try whether it runs")
    parser.add_argument(
        "--rounds", type=int, help=f"of each contestant, in turn ({ROUNDS}; {QUICK_ROUNDS} with --quick)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="data sets that are not ours (%(default)s)"
    )
    parser.add_argument(
        "--figures",
        type=Path,
        default=FIGURES,
        help="where they are kept; those of elsewhere have page and plots beside",
    )
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from the figures")
    parser.add_argument("--shared", action="store_true", help="note that others used the machine meanwhile")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print all figures")
    arguments = parser.parse_args()
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def _run(arguments: argparse.Namespace, options: Options, report: Report) -> None:
    rivals = _installed(report, options)
    asked = chosen(arguments.only)
    progress = Progress(asked, options)
    for question in asked:
        progress.begin(question)
        try:
            report["questions"][question.name] = _ask(question, rivals, options, is_shared=arguments.shared)
        except Exception as error:  # noqa: BLE001 - one question that fails does not take an hour of others with it
            report["not_answered"][question.name] = f"{type(error).__name__}: {error}"
            say(f"{question.name} failed:\n{traceback.format_exc()}")
        else:
            report["not_answered"].pop(question.name, None)
        write_report(report, arguments.figures)
        progress.end(question)


def _installed(report: Report, options: Options) -> list[Rival]:
    """Returns the rivals whose packages are there, installing them where they are not."""
    able, report["not_installed"] = [], {}
    for rival in RIVALS:
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
    """Returns a question's figures, with what they were measured on."""
    began_s, others = time.monotonic(), machine.Others()
    figures = question.measure(rivals, options)
    others_cores = round(others.cores(), 2)
    return {
        "measured": machine.now(),
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
            lines += ["", question.title, *chapter.better, *("  ".join(row) for row in (chapter.header, *chapter.rows))]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
