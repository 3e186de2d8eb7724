"""When the first words that were checked reach a person, and what slips out when an answer turns bad at its end.

The stub sends a word each 10 ms, some 300 ms in all, the same words to everybody; its own stream, with nothing between,
is the floor. Then its answers end with a number that each configuration
forbids: whether a person is shown it is the price of quick first words.
"""

from collections.abc import Sequence

from benchmarks.rivals.arena import Arena, arena, common_questions, floor, replies, set_pace
from benchmarks.rivals.chapters import Chapter, Plot, Series
from benchmarks.rivals.comparing import Measure, compare, summed_up
from benchmarks.rivals.contestants import WAYS, Way, load
from benchmarks.rivals.load import Came
from benchmarks.rivals.overhead import ANSWERS, FLOOR_NAME, FLOOR_TITLE, not_run, not_run_rows
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import Spread, percentile, spread, told, value
from benchmarks.rivals.servers import SENTENCES, SERVERS
from benchmarks.rivals.venvs import Rival

COUNT, QUICK_COUNT = 20, 10
BETWEEN_MS = 10.0
FORBIDDEN = "123-45-6789"
STREAMED = (
    "canongate-worded",
    "canongate-sentences",
    "nemo-regex",
    "nemo-iorails",
    "litellm-plain",
    "litellm-filter",
    "litellm-full",
    "guardrails-ai",
)
ASKED = frozenset(one.rival for one in SERVERS)
OWN = "canongate-worded"
VARIANTS = {"canongate-sentences": "with checked sentences"}
"""Of ours, not its default: a policy that shows each sentence once everything up to it has passed."""
_DEFAULT = (
    "canongate's default shows nothing before the whole answer has passed. Checked sentences are a setting of the "
    "policy (`streaming: checked_sentences`), which shows each one once everything up to it has passed."
)
_SENTENCES = Way(
    "canongate-sentences",
    "canongate, checked sentences",
    SENTENCES.name,
    "worded",
    "8 input rails, matching, 9 output rails on everything up to each sentence",
    ('"outcome":"answered"',),
    matches=True,
)


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns when first words and whole answers came, and what was shown of a forbidden end."""
    ways = [one for one in (*WAYS, _SENTENCES) if one.name in STREAMED]
    wanted = {one.server for one in ways}
    rounds: dict[str, list[Came]] = {}
    with arena([one for one in (*SERVERS, SENTENCES) if one.name in wanted], rivals, options) as up:
        set_pace(0)
        texts = common_questions(up, ways).worded
        set_pace(0, BETWEEN_MS)
        able = up.ways(ways)
        for number in range(options.rounds):
            options.say(f"first words: round {number + 1} of {options.rounds}")
            count = QUICK_COUNT if options.is_quick else COUNT
            bare = up.send(floor(texts, is_streamed=True, count=count))
            rounds.setdefault(FLOOR_NAME, []).append(bare)
            for way in able:
                sent = load(
                    up.server(way), way, texts, is_streamed=True, count=count, wanted=[], unwanted=[], answers=[]
                )
                if came := up.ask(way, sent):
                    rounds.setdefault(way.name, []).append(came)
        set_pace(0, BETWEEN_MS, f" The number is {FORBIDDEN}.")
        shown = {way.name: _shown(up, way, texts) for way in up.ways(able)}
        set_pace(0)
    return {
        "between_ms": BETWEEN_MS,
        "questions": {"worded": len(texts), "offered": up.offered.get("worded", len(texts))},
        "ways": {way.name: {"title": way.title, "checks": way.checks} for way in able},
        "figures": {
            name: {**_times(came), "shown_of_forbidden": shown.get(name, "-")} for name, came in rounds.items()
        },
        "failed": up.failed,
    }


def _times(rounds: Sequence[Came]) -> dict[str, Spread | int]:
    able = [came for came in rounds if came.first_ms]
    counted = {
        "failed": sum(came.failed for came in rounds),
        "asked": sum(len(came.took_ms) + came.other + came.failed for came in rounds),
    }
    if not able:
        return counted
    return {
        "first_ms": spread([percentile(came.first_ms, 0.5) for came in able]),
        "whole_ms": spread([percentile(came.took_ms, 0.5) for came in able]),
        **counted,
    }


def _is_whole(one: Figures) -> bool:
    """Whether nearly all were answered; of figures that do not say how many were asked, whether none failed."""
    failed: int = one.get("failed", 0)
    return failed <= (1 - ANSWERS) * one.get("asked", 0)


def _first(one: Figures) -> str:
    """Returns when first words came, and how many requests failed where some did."""
    failed = f", {one['failed']} failed" if one.get("failed") else ""
    return f"{told(one['first_ms'])}{failed}"


def _shown(up: Arena, way: Way, texts: Sequence[str]) -> str:
    """Returns how much of answers with a forbidden end a person was shown: of ten, those with the number in them."""
    try:
        asked = [replies(up.server(way), text, is_streamed=True) for text in texts[:10]]
    except OSError as error:
        return f"no reply: {error}"
    return f"{sum(FORBIDDEN in _words(one) for one in asked)} of {len(asked)}"


def _words(stream: str) -> str:
    """Returns the words of a stream's pieces, joined."""
    pieces = stream.replace('"content": "', '"content":"').split('"content":"')[1:]
    return "".join(piece.split('"', 1)[0] for piece in pieces)


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    able = {name: one for name, one in figures["figures"].items() if "first_ms" in one}
    titles = {name: way["title"] for name, way in figures["ways"].items() if name != FLOOR_NAME}
    shown_as = {FLOOR_NAME: FLOOR_TITLE} | titles
    measures = [
        Measure(said, {name: value(one[key]) for name, one in able.items() if name == OWN or _is_whole(one)})
        for said, key in (("shows first words after {} ms", "first_ms"), ("has said all after {} ms", "whole_ms"))
    ]
    shown = {name: str(one.get("shown_of_forbidden", "-")) for name, one in able.items()}
    beside = {name: f"It showed the forbidden end in {said} answers." for name, said in shown.items()}
    compared = compare(measures, titles, OWN, beside, VARIANTS)
    checked = {name: title for name, title in titles.items() if shown.get(name, "").startswith("0 of")}
    rows = [[shown_as.get(name, name), _first(one), told(one["whole_ms"]), shown[name]] for name, one in able.items()]
    rows += not_run_rows(figures, rows)
    kinds = {"first words": "first_ms", "whole answer": "whole_ms"}
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=[
            *summed_up("first checked words, ms", measures[0], checked, OWN),
            *summed_up("whole checked answer, ms", measures[1], checked, OWN),
        ],
        header=("", "first words, ms", "whole answer, ms", "forbidden end shown"),
        rows=rows,
        plot=Plot(
            f"A word each {figures['between_ms']:g} ms from the upstream",
            "ms",
            [
                Series(kind, {shown_as.get(name, name): value(one[key]) for name, one in able.items()})
                for kind, key in kinds.items()
            ],
        ),
        remarks=[
            _DEFAULT,
            *(f"No stream came from {shown_as.get(name, name)}." for name in figures["figures"] if name not in able),
            *not_run(figures),
        ],
    )
