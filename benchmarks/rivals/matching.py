"""Which prompt a message means: right, wrong and refused, for the gateway's matcher and for those of its rivals.

Everyone gets the same phrasings and the same weights of all-MiniLM-L6-v2. No labelled message enters a fit or a limit:
ours calibrates on the phrasings; for a rival every fourth phrasing is held out of a trial store and asked together with
sentences from elsewhere (those that our own fit knows too), and the lowest limit at which wrong answers stay within the
rate is taken. Beside it stand a rival's defaults, and what the best limit of all would reach.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import matching_told
from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.comparing import OURS
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
ASKED = frozenset(one.rival for one in CONTESTANTS)


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns a row for each set and contestant, and what could not be run."""
    found = banking77(options.data)
    sets = [_some(given) if options.is_quick else given for given in [helpdesk(), *([found] if found else [])]]
    # Nothing is timed here, and most of it takes one core.
    with ThreadPoolExecutor(2) as pool:
        own = pool.submit(lambda: [_own_rows(given, options) for given in sets])
        others = pool.submit(lambda: [_rivals_rows(given, rivals, options) for given in sets])
    rows = [row for ours, (theirs, _) in zip(own.result(), others.result(), strict=True) for row in (*ours, *theirs)]
    remarks = [remark for _, said in others.result() for remark in said]
    if found is None:
        remarks.insert(0, f"BANKING77 was not measured: its rows are not in {options.data.name}/.")
    return {"rows": rows, "remarks": remarks, "sets": [_told(given) for given in sets]}


def _own_rows(given: MatchingSet, options: Options) -> list[dict[str, Any]]:
    rows = []
    for tune in (False,) if options.is_quick else (False, True):
        options.say(f"{given.name}: our own matcher, embedder {'tuned' if tune else 'as it is'}")
        rows.append(
            {"set": given.name, "who": _own_name(is_tuned=tune), **measure_own(given, tune=tune, say=options.say)}
        )
    return rows


def _rivals_rows(
    given: MatchingSet, rivals: Sequence[Rival], options: Options
) -> tuple[list[dict[str, Any]], list[str]]:
    """Returns the rivals' rows, and what could not be run."""
    rows, remarks = [], []
    installed = {one.name: one for one in rivals}
    for one in CONTESTANTS:
        if one.rival not in installed:
            remarks.append(f"{one.title} was not measured on the {given.name}: it is not installed.")
            continue
        options.say(f"{given.name}: {one.title}")
        try:
            rows.append({"set": given.name, "who": one.title, **measure_rival(installed[one.rival], one, given)})
        except ChildFailed as error:
            remarks.append(f"{one.title} failed on the {given.name}: {error}")
    return rows, remarks


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
    """Returns the chapter, which has a module of its own."""
    return matching_told.tell(figures)


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
