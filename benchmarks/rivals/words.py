"""The page's own sentences, which no figure changes, and what is said of our own goals."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.rivals.guarded import goals_sentence
from benchmarks.rivals.sources import ENDING, SOURCES
from benchmarks.rivals.venvs import ROOT

COMPARISON = ROOT / "docs" / "explanation" / "comparison.md"
_HEAD = """# Beside its rivals

For whoever chooses between this and another product, and wants figures.

What a guarded request costs, end to end on processors alone, here and with others: on one machine, with the same
messages, the same stub in place of the model and, where a model runs, the same weights and threads. Figures, tables and
what is said of who is better are written by `benchmarks/rivals` from {figures}; the sentences
around them, what each is said to check and the reasons why something was not run are ours.

```sh
make bench-rivals                                                # all of it, an hour at most on two idle cores
.venv/bin/python -m benchmarks.rivals --only overhead --quick    # to try: one question, one short round
.venv/bin/python -m benchmarks.rivals --page                     # this page again, from its figures
```

The first run installs everybody's packages into `var/rivals` before that hour: some 8 GB, and a quarter of an hour to
half of one. That is with torch's build for processors alone. PyPI's own for Linux is built for CUDA, and with it four
environments each get a copy of CUDA's libraries too, which is far more and of no use here. Name the other build's index
to pip before the first run; an environment that is there already is made anew once its folder in `var/rivals` is gone:

```sh
PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make bench-rivals
```

A run of some questions (`--only`) installs only those whom they ask. What cannot be installed or does not run is
named with its error, and the rest is measured. A run with `--quick` leaves the page in the repository alone: its
figures, page and plots lie in `var/rivals/quick`. How the products differ otherwise is on {comparison}.
"""


def head(figures: Path, folder: Path) -> str:
    """Returns how the page begins, for the folder that it lies in: with links that lead there from it."""
    to_figures = f"[{figures.name}]({os.path.relpath(figures, folder)})"
    comparison = f"[another page]({os.path.relpath(COMPARISON, folder)})"
    return _HEAD.format(figures=to_figures, comparison=comparison)


READING = """## How to read these figures

Figures are medians of the rounds, with the lowest and the highest in brackets where there is room; what has no brackets
has its spread in the plots and in the file of figures. Which questions have rounds, and how contestants take turns in
them, stands below each. A rival is called better where its figure is and the two spreads do not overlap; where they do,
the two are called no different. Shares of messages are counted once, and have an interval of 95 % in place of rounds:
there a rival is better when the interval of the difference has no zero. A server that answered fewer than 99 % of what
was asked is not called better at speed; what memory it holds is compared all the same. With one round there is no
spread, so that any difference counts; the lists say where.

The server has all cores but the last, which the load and the stub share: on two cores a server works on one, so that
many at once wait for each other. Compare rows that do the same work: one that checks nothing shows what its server
costs by itself, and regular expressions are a small part of what canongate does with a message, which also looks for
the approved prompt and records the decision. A short answer of the smallest model takes a quarter of a second here, and
of a useful one seconds, where most of these rows take milliseconds: what gets through, and which questions are answered
rightly, matters more to whoever has one question at a time.

Where rows do not do quite the same: LiteLLM's filter takes one list of patterns for message and answer, so that on
the answer it looks for cards and injections too, and not for passwords as NeMo's and Guardrails AI's rules do. NeMo's
dialog is served with a threshold of 0.5, which we chose: at the 0.75 of its examples it answers too few of the help
desk's questions to be asked for anything else. With an upstream of 50 ms only 1 and 32 callers were measured, so that
all of it fits into an hour.
"""
_DATA = """### Rows that are no part of the repository

The help desk's own messages are in the repository. These are not, as some of their licences forbid it, and they are
looked for in `--data` (`../shared/data` unless given): gzip files of JSON lines with the fields named here, each a part
of what is published there. What is in a public set and not in such a file was left out, so that your own extract has
other figures; the hashes say whether it is the same. Without them `matching` asks the help desk alone, `quality` the
help desk's own attacks and questions alone, and both say so; the other questions need none of them.
"""


def data_section(table: list[str]) -> str:
    """Returns what is said of the sets, with their table."""
    return "\n".join([_DATA, *table, ""])


def data_rows() -> list[tuple[str, str, str, str, str]]:
    """Returns a row for each set."""
    return [
        (f"`{one.file}{ENDING}`", f"{one.rows:,}", one.fields, one.origin, f"`{one.sha256[:16]}...`") for one in SOURCES
    ]


def own_goals(report: Mapping[str, Any]) -> str:
    """Returns what we wanted of a decision inside one process and what it takes, by the figures of that question."""
    if "guarded" not in report["questions"]:
        return "What a guarded decision takes inside one process was not measured in this run."
    about = report["questions"]["guarded"]
    told = goals_sentence(about["figures"])
    if about["is_quick"] or about["machine_was_shared"]:
        told += " This is to be measured again: it was a short round, or others used the machine meanwhile."
    return told
