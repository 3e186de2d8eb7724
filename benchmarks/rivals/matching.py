"""Which prompt a message means: right, wrong and refused, for the gateway's matcher and for those of its rivals.

Everyone gets the same phrasings and the same weights of all-MiniLM-L6-v2. No labelled message enters a fit or a limit:
ours calibrates on the phrasings; for a rival every fourth phrasing is held out of a trial store and asked together with
sentences from elsewhere (those that our own fit knows too), and the lowest limit at which wrong answers stay within the
rate is taken. Beside it stand a rival's defaults, and what the best limit of all would reach.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.chapters import Chapter, Plot, Series, Value
from benchmarks.rivals.comparing import OURS, Measure, where_better
from benchmarks.rivals.curves import (
    RATES,
    Ranked,
    at_limit,
    held_out,
    limit_for,
    operating_curve,
    outcome,
    ranked_of,
    some_strangers,
)
from benchmarks.rivals.own_matching import measure_own
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.sets import MatchingSet, banking77, helpdesk
from benchmarks.rivals.talking import CHILDREN, THREADS, Child, ChildFailed
from benchmarks.rivals.venvs import HERE, Rival
from models.embedding.embedder import packaged_minilm
from store.learning.corpus import background

OPEN = -1e9
"""A limit that every score reaches."""
FEW = 150
"""Messages of a quick run."""
CHECKED = 200
"""Messages whose answers are compared with the ranking: a whole turn of some rivals takes a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A rival's matcher: its child, what it is opened with, and the limits that its own documents name."""

    rival: str
    program: Path
    title: str
    fixed: Mapping[str, float]
    """Points by name, each with its limit: for FAISS, which has none, the default of github.com/IntFlows/genkit-guard's
    intent guard with the same weights (its wiki, Intent Guard); NeMo's manual shows 0.75."""
    opening: Mapping[str, Any]
    fits: bool = False
    """Whether it fits something on held-out phrasings itself."""


_AS_IT_COMES = {"no threshold, as it comes": OPEN}
_ROUTER = CHILDREN / "router.py"
CONTESTANTS = (
    Contestant("semantic-router", _ROUTER, "semantic-router", _AS_IT_COMES, {}, fits=True),
    Contestant(
        "semantic-router", _ROUTER, "semantic-router, best phrasing", _AS_IT_COMES, {"aggregation": "max"}, fits=True
    ),
    Contestant("semantic-router", _ROUTER, "semantic-router, with TF-IDF", _AS_IT_COMES, {"hybrid": True}, fits=True),
    Contestant("faiss", CHILDREN / "nearest.py", "FAISS, nearest sentence", {"fixed limit of 0.7": 0.7}, {}),
    Contestant(
        "nemoguardrails",
        CHILDREN / "nemo_dialog.py",
        "NeMo, embeddings_only",
        {"no threshold, as it comes": OPEN, "threshold of 0.75, as in its examples": 0.75},
        {"configuration": str(HERE / "configurations" / "nemoguardrails" / "matching" / "config.yml")},
    ),
)


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns a row for each set and contestant, and what could not be run."""
    rows: list[dict[str, Any]] = []
    remarks: list[str] = []
    found = banking77(options.data)
    if found is None:
        remarks.append(f"BANKING77 was not measured: its rows are not in {options.data.name}/.")
    installed = {one.name: one for one in rivals}
    for given in [helpdesk(), *([found] if found else [])]:
        some = _some(given) if options.is_quick else given
        for tune in (False,) if options.is_quick else (False, True):
            options.say(f"{given.name}: our own matcher, embedder {'tuned' if tune else 'as it is'}")
            rows.append(
                {"set": given.name, "who": _own_name(is_tuned=tune), **measure_own(some, tune=tune, say=options.say)}
            )
        for one in CONTESTANTS:
            if one.rival not in installed:
                remarks.append(f"{one.title} was not measured on the {given.name}: it is not installed.")
                continue
            options.say(f"{given.name}: {one.title}")
            try:
                rows.append({"set": given.name, "who": one.title, **measure_rival(installed[one.rival], one, some)})
            except ChildFailed as error:
                remarks.append(f"{one.title} failed on the {given.name}: {error}")
    return {"rows": rows, "remarks": remarks, "sets": [_told(one) for one in [helpdesk(), *([found] if found else [])]]}


def measure_rival(rival: Rival, contestant: Contestant, given: MatchingSet) -> dict[str, Any]:
    """Returns the operating curve and the points of one rival on one set. Raises `ChildFailed`."""
    known, asked = held_out(given.sentences)
    strangers = some_strangers(background(), len(asked))
    trial = [text for text, _ in asked] + strangers
    trial_truths: list[str | None] = [key for _, key in asked] + [None] * len(strangers)
    opening = {"model": str(packaged_minilm()), "threads": THREADS, **contestant.opening}
    with Child([str(rival.python), str(contestant.program)]) as child:
        child.ask("open", sentences=known, **opening)
        held = ranked_of([tuple(one) for one in child.ask("rank", messages=trial)["found"]], trial_truths)
        limits = {f"limit from the phrasings for {rate:.0%}": limit_for(held, rate) for rate in RATES}
        if contestant.fits:
            child.ask("fit", messages=trial, keys=trial_truths)
        child.ask("open", sentences=list(given.sentences), **opening)
        ranked = ranked_of([tuple(one) for one in child.ask("rank", messages=given.messages)["found"]], given.truths)
        points = {name: at_limit(ranked, limit) for name, limit in {**contestant.fixed, **limits}.items()}
        points |= dict(_own_answers(child, contestant, given, ranked))
    return {**operating_curve(ranked), "points": points, "limits": {**contestant.fixed, **limits}}


def _own_answers(
    child: Child, contestant: Contestant, given: MatchingSet, ranked: Ranked
) -> Iterator[tuple[str, dict[str, float]]]:
    """Gives what the rival answers by itself, message by message, at what it fitted.

    Of one that fits nothing the points are those of its ranking; some of its answers are compared with that.
    """
    if contestant.fits:
        for name, fields in {
            "fitted, confidence of 0.5": {"confidence": 0.5},
            "fitted, confidence of 0.9": {"confidence": 0.9},
        }.items():
            child.ask("limit", **fields)
            yield name, outcome(*_numbers(child.ask("answer", messages=given.messages)["keys"], given.truths))
        return
    _, limit = list(contestant.fixed.items())[-1]
    child.ask("limit", value=limit)
    some = np.arange(0, len(given.messages), max(1, len(given.messages) // CHECKED))
    truths = [given.truths[place] for place in some]
    answered = child.ask("answer", messages=[given.messages[place] for place in some])["keys"]
    if abs(outcome(*_numbers(answered, truths))["wrong"] - at_limit(ranked.drawn(some), limit)["wrong"]) > 0.01:
        raise ChildFailed(f"{contestant.title} answers otherwise than it ranks: its curve would be of something else")


def _numbers(keys: Sequence[str | None], truths: Sequence[str | None]) -> tuple[Any, Any]:
    ranked = ranked_of([(key, 0.0) for key in keys], truths)
    return ranked.first, ranked.truths


def tell(figures: Figures) -> Chapter:
    """Returns the chapter: where a rival is ahead, a row for each point, and a dot for each operating curve."""
    rows = figures["rows"]
    return Chapter(
        better=_ahead(rows),
        header=("", "", "best prompt right", *(f"right within {rate:.0%}" for rate in RATES), *_POINT_HEADER),
        rows=[cells for row in rows for cells in _cells(row)],
        plot=Plot(
            "Answered rightly while wrong answers stay within the rate, at the best limit there is",
            "% of the messages that have a prompt",
            [_series(rows, given["name"], rate) for given in figures["sets"] for rate in RATES],
        ),
        remarks=[*(_sentence(given) for given in figures["sets"]), *_REMARKS, *figures["remarks"]],
    )


_POINT_HEADER = ("at", "right", "wrong", "asked back", "refused", "without a prompt, answered")
_REMARKS = (
    (
        "`right`, `asked back` and `refused` are of the messages that have a prompt; `wrong` is of all messages. What"
        " is left of the first was answered with another prompt."
    ),
    (
        "`right within 1 %` is what the best limit of all reaches while at most 1 % of all messages are answered"
        " wrongly; it is chosen with the answers known, for everyone alike. The range is that of 95 % of draws"
        " of the messages."
    ),
    (
        "canongate also reads the counterexamples that its prompts have, for which the others have no place; BANKING77"
        " has none."
    ),
    "NeMo's score is not a cosine; it ranks as FAISS does.",
)


def _own_name(*, is_tuned: bool) -> str:
    return f"{OURS}, embedder {'tuned' if is_tuned else 'as it is'}"


def _some(given: MatchingSet) -> MatchingSet:
    """Returns the set with some of its messages, from everywhere in it."""
    step = max(1, len(given.queries) // FEW)
    return MatchingSet(given.name, given.catalog, given.sentences, given.queries[::step])


def _told(given: MatchingSet) -> dict[str, Any]:
    truths = given.truths
    in_scope = sum(key is not None for key in truths)
    return {
        "name": given.name,
        "prompts": len(given.catalog.prompts),
        "sentences": len(given.sentences),
        "messages": len(truths),
        "in_scope": in_scope,
    }


def _sentence(given: Mapping[str, Any]) -> str:
    return (
        f"The {given['name']}: {given['prompts']} prompts with {given['sentences']} sentences; {given['messages']}"
        f" messages, {given['in_scope']} of which have a prompt."
    )


def _ahead(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns a sentence for each rival that can answer more rightly than our matcher, on any set and at any rate."""
    own = next((row["who"] for row in reversed(rows) if row["who"].startswith(OURS)), OURS)
    measures = [
        Measure(
            f"can answer {{}} % of the {name}'s messages rightly while {rate:.0%} are answered wrongly",
            {row["who"]: 100 * row["reachable"][f"{rate:g}"][0] for row in rows if row["set"] == name},
            more_is_better=True,
        )
        for name in dict.fromkeys(row["set"] for row in rows)
        for rate in RATES
    ]
    return where_better(measures, {row["who"]: row["who"] for row in rows}, own)


def _cells(row: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    curve = [_range(row["reachable"][f"{rate:g}"]) for rate in RATES]
    first = (row["set"], row["who"], _percent(row["best_right"]), *curve)
    for number, (name, point) in enumerate(row["points"].items()):
        rates = (point["right"], point["wrong"], point.get("asked_back"), point["refused"], point["outside_answered"])
        yield (
            *(first if number == 0 else ("",) * len(first)),
            name,
            *("-" if r is None else _percent(r) for r in rates),
        )


def _series(rows: Sequence[Mapping[str, Any]], name: str, rate: float) -> Series:
    of_set = [row for row in rows if row["set"] == name]
    values = {row["who"]: Value(*(100 * one for one in row["reachable"][f"{rate:g}"])) for row in of_set}
    return Series(f"{name}, {rate:.0%} wrong", values)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _range(values: Sequence[float]) -> str:
    middle, low, high = (f"{100 * one:.1f}" for one in values)
    return f"{middle} ({low} to {high}) %"
