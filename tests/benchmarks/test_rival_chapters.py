"""What each question tells of its figures, with figures that are made up."""

from typing import Any

import pytest

from benchmarks.rivals import answering, blocking, first_token, offline, overhead, size, starting
from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.load import Came
from benchmarks.rivals.markdown import table
from benchmarks.rivals.report import page_of

WAYS = {
    "canongate-worded": {"title": "canongate", "checks": "all", "asks_upstream": True, "memory_mib": 400},
    "plain": {"title": "A plain proxy", "checks": "nothing", "asks_upstream": True, "memory_mib": 100},
}


def of(ms: float) -> dict[str, float]:
    return {"median": ms, "low": ms, "high": ms * 1.5}


def times(ms: float) -> dict[str, Any]:
    return {
        "p50_ms": of(ms),
        "p95_ms": of(ms * 2),
        "p99_ms": of(ms * 3),
        "per_second": of(1000 / ms),
        "share_wanted": 1.0,
        "failed": 0,
    }


def overhead_figures(**medians: float) -> dict[str, Any]:
    figures = {
        name: {
            str(latency): {str(callers): times(ms + latency) for callers in counts}
            for latency, counts in overhead.CALLERS.items()
        }
        for name, ms in {"floor": 1.0, **{name.replace("_", "-"): ms for name, ms in medians.items()}}.items()
    }
    counted = {"worded": 70, "verbatim": 80, "exact": 90}
    return {"questions": counted, "ways": WAYS, "figures": figures, "failed": {"broken": "first line\nport is taken\n"}}


def figures_of(question: str) -> dict[str, Any]:
    callers = {str(one): times(5.0 * one) for one in (1, 8, 32, 128)}
    quicker = {str(one): times(2.0 * one) for one in (1, 8, 32, 128)}
    return {
        "overhead": overhead_figures(canongate_worded=5.0, plain=2.0),
        "blocking": {
            "attacks": 8,
            "ways": WAYS,
            "figures": {"canongate-worded": callers, "plain": quicker},
            "failed": {},
        },
        "first_token": {
            "between_ms": 10.0,
            "ways": {
                "canongate-worded": WAYS["canongate-worded"],
                "canongate-sentences": WAYS["canongate-worded"],
                "plain": WAYS["plain"],
            },
            "figures": {
                "floor": {"first_ms": of(2.0), "whole_ms": of(340.0)},
                "canongate-worded": {"first_ms": of(900.0), "whole_ms": of(950.0), "shown_of_forbidden": "0 of 10"},
                "canongate-sentences": {"first_ms": of(200.0), "whole_ms": of(950.0), "shown_of_forbidden": "0 of 10"},
                "plain": {"first_ms": of(20.0), "whole_ms": of(330.0), "shown_of_forbidden": "10 of 10"},
            },
            "failed": {},
        },
        "answering": {
            "questions": 39,
            "threads": 2,
            "figures": {"canongate": {"memory_mib": 600, **callers}, "A server": {"memory_mib": 300, **quicker}},
            "failed": {},
        },
        "starting": {
            "servers": {"canongate": {"title": "canongate"}, "plain": {"title": "A plain proxy"}},
            "figures": {
                "canongate": {"answered_s": of(4.0), "ready_s": of(3.0), "memory_mib": of(400.0)},
                "plain": {"answered_s": of(2.0), "ready_s": of(1.0), "memory_mib": of(100.0)},
            },
            "failed": {},
        },
        "size": {
            "titles": {"canongate": "canongate", "plain": "A plain proxy"},
            "installed_mib": {"canongate": 1400, "plain": 100},
            "packages": {"canongate": 120, "plain": 20},
            "lines": {"the desk": {"canongate": 4000, "A plain proxy": 30}},
        },
        "offline": {
            "texts": 80,
            "parts": {
                "A library": [
                    {"part": "Regex", "p50_ms": of(0.04)},
                    {"part": "Topics", "error": "OSError: no `network`\nat all"},
                ]
            },
        },
    }[question]


MODULES = {
    "overhead": overhead,
    "blocking": blocking,
    "first_token": first_token,
    "answering": answering,
    "starting": starting,
    "size": size,
    "offline": offline,
}


def told(question: str) -> Chapter:
    return MODULES[question].tell(figures_of(question))  # type: ignore[no-any-return,attr-defined]


@pytest.mark.parametrize("question", MODULES)
def test_a_chapter_has_a_table_and_a_plot(question: str) -> None:
    chapter = told(question)
    assert len(table(chapter.header, chapter.rows)) == len(chapter.rows) + 2
    assert draw(chapter.plot).startswith("<svg")


@pytest.mark.parametrize("question", [name for name in MODULES if name != "offline"])
def test_a_rival_with_better_figures_is_named(question: str) -> None:
    better = told(question).better
    assert len(better) >= 1
    assert all("A plain proxy" in one or "A server" in one for one in better)


def test_who_answers_a_part_alone_is_not_called_better() -> None:
    figures = overhead_figures(canongate_worded=5.0, plain=2.0)
    figures["figures"]["plain"]["0"]["128"]["share_wanted"] = 0.5
    chapter = overhead.tell(figures)
    assert chapter.better == ["**A plain proxy** holds 100 MiB (canongate 400). It checks nothing."]
    assert chapter.rows[2][5].endswith(", 50 % answered")


@pytest.mark.parametrize(
    ("counted", "is_named"),
    [({"failed": 3, "asked": 60}, False), ({"failed": 3}, False), ({"failed": 1, "asked": 100}, True)],
)
def test_who_failed_to_stream_is_not_called_better(counted: dict[str, int], *, is_named: bool) -> None:
    figures = figures_of("first_token")
    figures["figures"]["plain"] |= counted
    chapter = first_token.tell(figures)
    assert (chapter.better != []) is is_named
    assert chapter.rows[-1][1].endswith(f", {counted['failed']} failed")


def test_a_rival_that_matches_too_has_a_row_of_its_own() -> None:
    figures = overhead_figures(canongate_worded=5.0, plain=2.0, nemo_dialog_worded=50.0)
    dialog = {"title": "A dialog", "checks": "words", "asks_upstream": True, "memory_mib": 600}
    figures["ways"] = {**WAYS, "nemo-dialog-worded": dialog}
    row = next(one for one in overhead.tell(figures).summary if "of those that match too" in one[0])
    assert row[1:] == ["4.00", "49.0", "A dialog", "canongate"]


def test_what_is_added_is_the_difference_to_the_stub_alone() -> None:
    figures = overhead_figures(canongate_worded=5.0, plain=2.0)
    assert overhead.added_ms(figures, "canongate-worded") == 4.0
    assert overhead.added_ms(figures, "plain", 1, 50) == 1.0


def test_a_server_that_did_not_start_is_told_with_its_last_line() -> None:
    chapter = told("overhead")
    assert "Not measured: broken. `port is taken`" in chapter.remarks
    assert chapter.rows[-1][:2] == ["broken", "not measured, see below"]


def test_who_shows_a_forbidden_end_is_told_beside_being_quick() -> None:
    (sentence,) = told("first_token").better
    assert sentence.endswith("It showed the forbidden end in 10 of 10 answers.")


def test_what_could_not_run_is_told_in_its_own_words() -> None:
    assert told("offline").rows[1] == ["A library", "Topics", "-", "not run, see below"]
    assert told("offline").remarks[-1] == "A library, Topics: `OSError: no network at all`"


def test_a_page_says_when_others_used_the_machine_or_the_run_was_short() -> None:
    machine = {"processor": "One", "cores": 2, "memory_gib": 4, "system": "Linux", "python": "3.11"}
    about = {
        "measured": "2026-11-29",
        "machine": machine,
        "rounds": 1,
        "is_quick": True,
        "machine_was_shared": True,
        "figures": figures_of("overhead"),
    }
    page = page_of({"rivals": {}, "not_installed": {}, "not_answered": {}, "questions": {"overhead": about}})
    assert "**Others used the machine during: overhead.**" in page
    assert "**Measured with `--quick`, one short round: overhead.**" in page
    assert "- What it adds to an instant upstream (one round, so that any difference counts)" in page
    assert page.index("**A plain proxy**") < page.index("## The machine"), "where a rival is better does not come first"


def test_a_table_has_no_ragged_rows() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        table(("a", "b"), [("1",)])


def test_a_summary_counts_the_least_share_of_wanted_replies() -> None:
    rounds = [Came(1.0, [1.0, 3.0], [], 0, 0, ""), Came(1.0, [2.0], [], 1, 0, "200 no")]
    summary = overhead.summary(rounds)
    assert summary["share_wanted"] == 0.5
    assert summary["p50_ms"]["median"] == 1.5
    assert summary["per_second"] == {"median": 1.5, "low": 1.0, "high": 2.0}


def test_a_percentile_of_too_few_is_left_out_and_told_as_such() -> None:
    few, some, many = (overhead.summary([Came(1.0, [2.0] * each, [], 0, 0, "")] * 2) for each in (5, 10, 50))
    assert [name in few for name in ("p50_ms", "p95_ms", "p99_ms")] == [True, False, False]
    assert [name in some for name in ("p50_ms", "p95_ms", "p99_ms")] == [True, True, False]
    assert [name in many for name in ("p50_ms", "p95_ms", "p99_ms")] == [True, True, True]
    figures = overhead_figures(canongate_worded=5.0)
    figures["ways"] = {"canongate-worded": WAYS["canongate-worded"]}
    figures["figures"]["canongate-worded"]["0"]["1"] = some
    (tails,) = (
        one for one in overhead.tell(figures).tables if "95 and 99 of 100" in one.title and "instant" in one.title
    )
    told = dict(zip(tails.header, tails.rows[-1], strict=True))
    assert (told["p95 at 1"], told["p99 at 1"]) == ("2.00", "-")


def test_a_server_that_answers_nothing_has_no_times_but_an_example() -> None:
    summary = overhead.summary([Came(1.0, [], [], 0, 4, "500 broken")])
    assert "p50_ms" not in summary
    assert (summary["failed"], summary["example"]) == (4, "500 broken")


def test_words_of_a_stream_are_joined() -> None:
    stream = 'data: {"content":"The "}\n\ndata: {"content": "end."}\n\ndata: [DONE]\n'
    assert first_token._words(stream) == "The end."


def test_first_words_are_compared_with_the_default_and_the_stub_is_no_rival() -> None:
    chapter = told("first_token")
    assert "(canongate 900; with checked sentences 200)" in chapter.better[0]
    assert chapter.rows[0][0] == "the stub itself, nothing between"
    assert not any("stub" in one for one in [*chapter.better, *chapter.alike])


def test_a_figure_of_too_few_requests_is_a_dash() -> None:
    figures = overhead_figures(canongate_worded=500.0, plain=2.0)
    for one in figures["figures"].values():
        one["50"] = {callers: case for callers, case in one["50"].items() if callers in ("1", "32")}
        for tail in ("p95_ms", "p99_ms"):
            del one["50"]["1"][tail]
    chapter = overhead.tell(figures)
    tails = chapter.tables[-1]
    assert tails.header == ("", "p95 at 1", "p95 at 32", "p99 at 1", "p99 at 32")
    assert all(row[1] == row[3] == "-" and row[2] != "-" for row in tails.rows)
    assert any("upstream of 50 ms" in one for one in chapter.better)


def test_rates_and_slow_upstreams_are_compared_at_every_number_of_callers() -> None:
    (sentence,) = overhead.tell(overhead_figures(canongate_worded=500.0, plain=2.0)).better
    for callers, upstream in (("1 / 8 / 32 / 128", "instant upstream"), ("1 / 32", "upstream of 50 ms")):
        assert f"a second at {callers} at once, {upstream}" in sentence


def test_what_checks_the_same_says_the_same_as_what() -> None:
    figures = overhead_figures(canongate_worded=5.0, plain=2.0)
    figures["ways"] = {
        "slow": {"title": "Slow", "checks": "words", "asks_upstream": True, "memory_mib": 1},
        "quick": {"title": "Quick", "checks": "the same, but quicker", "asks_upstream": True, "memory_mib": 1},
    }
    assert overhead.checks_of(figures)["quick"] == "It checks words, but quicker."


@pytest.mark.parametrize(
    ("other", "said"), [("size", "All times are of one run"), ("blocking", "**These times are not of one run.**")]
)
def test_questions_of_several_runs_and_versions_are_told_apart(other: str, said: str) -> None:
    machine = {"processor": "One", "cores": 2, "memory_gib": 4, "system": "Linux", "python": "3.11", "is_virtual": True}
    about = {"measured": "2026-11-29 10:00 UTC", "machine": machine, "rounds": 3, "is_quick": False}
    about |= {"machine_was_shared": False, "canongate": {"version": "1.0", "commit": "abc"}}
    questions = {
        name: {**about, "run": run, "versions": {"faiss": version}, "figures": figures_of(name)}
        for name, run, version in (("overhead", "first", "1"), (other, "second", "2"))
    }
    rivals = {"faiss": {"title": "FAISS", "version": "2", "licence": "MIT", "home": "https://example.org"}}
    page = page_of({"rivals": rivals, "not_installed": {}, "not_answered": {}, "questions": questions})
    assert said in page
    assert "Run first, canongate 1.0 (abc): overhead." in page
    assert f"1 (overhead); 2 ({other})" in page
    assert "2 virtual cores" in page
    assert "(2026-11-29 10:00 UTC, 3 rounds, in which all take turns)" in page
    assert ("(2026-11-29 10:00 UTC, each once)" in page) is (other == "size")
    assert "(one round, so that any difference counts)" not in page
