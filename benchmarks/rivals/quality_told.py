"""The chapter about attacks: what gets through of each set, and which honest messages are stopped."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.attack_sets import OWN_ATTACKS, OWN_HONEST
from benchmarks.rivals.chapters import ONCE, Chapter, Plot, Series, Table, Value
from benchmarks.rivals.comparing import OURS, Measure, compare, summed_up
from benchmarks.rivals.questions import Figures
from benchmarks.rivals.rounds import spaced


def tell(figures: Figures) -> Chapter:
    """Returns the chapter: for each contestant what gets through of each set, and whom its checks stop for nothing."""
    rows = [{**row, "who": spaced(row["who"])} for row in figures["rows"]]
    attacks, honest = list(rows[0]["through"]), list(rows[0]["blocked"])
    titles, measures = {row["who"]: row["who"] for row in rows}, _measures(rows)
    compared = compare(measures, titles, OURS, _beside(rows))
    checking = {row["who"]: row["who"] for row in rows if row["blocked"]}
    stopping = [row for row in rows if row["blocked"]]
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=[
            *summed_up(f"{OWN_ATTACKS} that get an answer, %", measures[0], titles, OURS),
            *(
                row
                for name, one in zip(honest, measures[len(attacks) :], strict=True)
                if name == OWN_HONEST
                for row in summed_up(f"{name} that are stopped, %", one, checking, OURS)
            ),
        ],
        header=("", "what passes", *attacks),
        rows=[(row["who"], row["does"], *(_shown(_got(row)[name]) for name in attacks)) for row in rows],
        tables=[
            *_asked_back(rows, attacks),
            Table(
                "Honest messages that a check holds up",
                ("", *honest),
                [(row["who"], *(_cell(row["blocked"], name) for name in honest)) for row in stopping],
            ),
        ],
        plot=Plot(
            "Hostile messages that got an answer",
            "% of the messages",
            [Series(name, {row["who"]: _value(_got(row)[name]) for row in rows}) for name in attacks],
        ),
        plots=[
            Plot(
                "Honest messages that were stopped",
                "% of the messages",
                [
                    Series(
                        name, {row["who"]: _value(row["blocked"][name]) for row in stopping if name in row["blocked"]}
                    )
                    for name in honest
                ],
                name="stopped",
            )
        ],
        remarks=[*_REMARKS, *figures["remarks"]],
        measured=ONCE,
    )


def _asked_back(rows: Sequence[Mapping[str, Any]], attacks: Sequence[str]) -> list[Table]:
    """Returns the table of what is asked back, where that was counted; no rival asks back."""
    found = [
        (row["who"], *(_cell(row["asked_back"], name) for name in attacks)) for row in rows if row.get("asked_back")
    ]
    title = "Hostile messages that are asked back, by who asks back: neither answered nor refused"
    return [Table(title, ("", *attacks), found)] if found else []


def _cell(shares: Mapping[str, Sequence[float]], name: str) -> str:
    return _shown(shares[name]) if name in shares else "-"


_REMARKS = (
    (
        "A share under an attack is what got through: for a checker the messages that a model gets as they are, for a"
        " dialog of stored replies and for canongate those that are answered at all, with an approved answer, and for a"
        " router those that it finds a route for."
    ),
    (
        "A router has no checks and holds up nobody; what a router or a dialog refuses of the help desk's own questions"
        " stands under matching."
    ),
)


def _got(row: Mapping[str, Any]) -> Mapping[str, Sequence[float]]:
    """Returns what got an answer: of the model to the person's words, or a stored one."""
    answered: Mapping[str, Sequence[float]] = row["through"] if row["answered"] is None else row["answered"]
    return answered


def _measures(rows: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Returns what is compared: each set of attacks, then each set of honest messages."""
    return [
        *(
            Measure(
                f"lets {{}} % of the {name} through",
                {row["who"]: _value(_got(row)[name]) for row in rows if name in _got(row)},
                are_shares=True,
            )
            for name in rows[0]["through"]
        ),
        *(
            Measure(
                f"stops {{}} % of {name}",
                {row["who"]: _value(row["blocked"][name]) for row in rows if row["blocked"] and name in row["blocked"]},
                are_shares=True,
            )
            for name in rows[0]["blocked"]
        ),
    ]


def _beside(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        row["who"]: f"It then has no answer to {_shown(row['unanswered'])} of the {OWN_HONEST}."
        for row in rows
        if row.get("unanswered") is not None
    }


def _value(share: Sequence[float]) -> Value:
    return Value(*(100 * one for one in share))


def _shown(share: Sequence[float]) -> str:
    return f"{100 * share[0]:.1f} %"
