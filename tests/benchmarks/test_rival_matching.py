"""The chapters about matching, told from figures that somebody measured before."""

from typing import Any

import pytest

from benchmarks.rivals import matching, matching_speed, quality
from benchmarks.rivals.bars import draw_bars
from benchmarks.rivals.matching_speed import spread, store_of
from benchmarks.rivals.sets import helpdesk, parts
from gateway.fitting.labelled import Kind

ONE = {"0.01": [0.5, 0.4, 0.6], "0.05": [0.7, 0.6, 0.8]}
MORE = {"0.01": [0.55, 0.5, 0.6], "0.05": [0.7, 0.6, 0.8]}
POINT = {"right": 0.5, "wrong": 0.01, "refused": 0.45, "outside_answered": 0.02}


def _row(who: str, reachable: dict[str, list[float]], **point: float) -> dict[str, Any]:
    points = {"a limit": {**POINT, **point}}
    return {"set": "help desk", "who": who, "best_right": 0.9, "reachable": reachable, "points": points}


def test_where_a_rival_answers_more_the_chapter_says_so_first() -> None:
    told = {"name": "help desk", "prompts": 81, "sentences": 2000, "messages": 344, "in_scope": 224}
    rows = [_row("canongate, embedder tuned", ONE, asked_back=0.2), _row("FAISS, nearest sentence", MORE)]
    messages = "the help desk's test set rightly while 1 % are answered wrongly, at the best limit"
    chapter = matching.tell({"rows": rows, "remarks": ["One was not measured."], "sets": [told]})
    assert chapter.alike == [f"**FAISS, nearest sentence** can answer 55.0 % of {messages} (canongate 50.0)."]
    assert all(len(row) == len(chapter.header) for row in chapter.rows)
    assert chapter.remarks[-1] == "One was not measured."
    assert chapter.plot.series[0].values["FAISS, nearest sentence"].middle == pytest.approx(55)


def test_what_is_asked_back_without_a_prompt_is_told_beside_who_plainly_refuses() -> None:
    told = {"name": "help desk", "prompts": 81, "sentences": 2000, "messages": 344, "in_scope": 224}
    ours = _row("canongate, embedder tuned", ONE)
    counted = {"asked_back": 0.3, "offered_right": 0.25, "outside_asked_back": 0.4}
    ours["points"] = {"own limits for 1%": {**POINT, "right": 0.6, "refused": 0.1, **counted}}
    chapter = matching.tell({"rows": [ours, _row("FAISS, nearest sentence", ONE)], "remarks": [], "sets": [told]})
    ours_first, better = chapter.better
    assert ours_first.endswith("Of what no prompt is for it answers 2.0 % and asks back at 40.0 %.")
    assert "plainly refuses 98.3 % of what no prompt is for in the help desk's test set (canongate 58.3)" in better
    assert better.endswith("Of what no prompt is for it answers 2.0 %.")
    (table,) = chapter.tables
    cells = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert cells[0]["right among those offered"] == "25.0 %"
    assert [one["without a prompt, asked back"] for one in cells] == ["40.0 %", "-"]


def test_figures_that_do_not_say_what_was_asked_back_outside_are_not_compared_there() -> None:
    told = {"name": "help desk", "prompts": 81, "sentences": 2000, "messages": 344, "in_scope": 224}
    ours = _row("canongate, embedder tuned", ONE)
    ours["points"] = {"own limits for 1%": {**POINT, "asked_back": 0.3}}
    chapter = matching.tell({"rows": [ours, _row("FAISS, nearest sentence", ONE)], "remarks": [], "sets": [told]})
    assert not any("plainly refuses" in one for one in [*chapter.better, *chapter.alike])


def test_what_is_left_out_of_the_test_set_is_counted() -> None:
    part, given = parts(), helpdesk()
    assert part.messages == len(given.queries) + part.attacks + part.follow_ups
    assert part.in_scope > sum(query.kind is Kind.IN_SCOPE for query in given.queries)


def test_the_help_desk_has_every_message_that_stands_for_itself() -> None:
    given = helpdesk()
    kinds = [query.kind for query in given.queries]
    assert {Kind.IN_SCOPE, Kind.NEAR_MISS, Kind.STRANGER} == set(kinds)
    assert set(given.truths) - {None} <= set(given.catalog.prompts)
    assert {key for _, key in given.sentences} == set(given.catalog.prompts)


def test_a_faster_rival_stands_first_and_rounds_have_a_spread() -> None:
    assert spread([[1.0, 3.0], [2.0, 2.0], [9.0, 9.0]])["p50_ms"] == [2.0, 2.0, 9.0]
    times = {"p50_ms": [4.0, 3.0, 5.0], "p95_ms": [5.0, 4.0, 6.0]}
    faster = {"p50_ms": [2.0, 1.0, 2.9], "p95_ms": [5.0, 4.0, 6.0]}
    place = {"prompts": 81, "sentences": 2000, "threads": 1}
    rows = [
        {**place, "who": "canongate", **times, "resident_mib": 100.0},
        {**place, "who": "FAISS, nearest sentence", **faster, "resident_mib": 500.0},
    ]
    chapter = matching_speed.tell({"rows": rows, "remarks": []})
    assert len(chapter.better) == 1
    assert "takes 2.00 ms, 81 prompts, 1 thread (canongate 4.00)" in chapter.better[0]
    assert all(len(row) == len(chapter.header) for row in chapter.rows)


def test_a_made_store_has_ten_sentences_a_prompt_and_messages_of_its_own() -> None:
    sentences, asked = store_of(100, 60)
    assert len(sentences) == 1_000
    assert len(asked) == 60
    assert not {text for text, _ in sentences} & set(asked)


def test_a_rival_that_lets_less_through_stands_first() -> None:
    ours = {"who": "canongate", "does": quality.REPLIES, "through": {"jailbreaks": [0.0, 0.0, 0.01]}}
    ours |= {"answered": {"jailbreaks": [0.02, 0.01, 0.03]}, "blocked": {"questions": [0.01, 0.0, 0.02]}}
    other = {"who": "Other", "does": quality.PASSES, "through": {"jailbreaks": [0.01, 0.0, 0.02]}, "answered": None}
    chapter = quality.tell({"rows": [ours, other | {"blocked": {"questions": [0.2, 0.1, 0.3]}}], "remarks": []})
    assert chapter.alike == ["**Other** lets 1.00 % of the jailbreaks through (canongate 2.00)."]
    assert all(len(row) == len(chapter.header) for row in chapter.rows)


@pytest.mark.parametrize("is_counted", [True, False])
def test_attacks_that_are_asked_back_are_told_where_they_were_counted(*, is_counted: bool) -> None:
    ours = {"who": "canongate", "does": quality.REPLIES, "through": {"jailbreaks": [0.0, 0.0, 0.01]}}
    ours |= {"answered": {"jailbreaks": [0.02, 0.01, 0.03]}, "blocked": {"questions": [0.01, 0.0, 0.02]}}
    ours |= {"asked_back": {"jailbreaks": [0.3, 0.2, 0.4]}} if is_counted else {}
    rows = [row for one in quality.tell({"rows": [ours], "remarks": []}).tables for row in one.rows]
    assert (("canongate", "30.0 %") in rows) is is_counted


def test_what_a_strict_limit_costs_is_said_with_what_it_stops() -> None:
    ours = {"who": "canongate", "does": quality.REPLIES, "through": {"jailbreaks": [0.0, 0.0, 0.01]}}
    ours |= {"answered": {"jailbreaks": [0.05, 0.04, 0.06]}, "blocked": {"questions": [0.01, 0.0, 0.02]}}
    strict = {"who": "Strict", "does": quality.PASSES, "through": {"jailbreaks": [0.0, 0.0, 0.01]}, "answered": None}
    chapter = quality.tell({"rows": [ours, strict | {"blocked": None, "unanswered": [0.9, 0.8, 1.0]}], "remarks": []})
    assert chapter.better[0].endswith("It then has no answer to 90.0 % of the help desk's questions.")


def test_fewer_wrong_answers_are_told_with_what_is_not_answered_for_it() -> None:
    told = {"name": "help desk", "prompts": 81, "sentences": 1289, "messages": 373, "in_scope": 224}
    own = {"right": 0.72, "wrong": 11 / 373, "asked_back": 0.23, "refused": 0.04, "outside_answered": 9 / 149}
    strict = {"right": 0.11, "wrong": 3 / 373, "refused": 0.88, "outside_answered": 1 / 149}
    rows = [
        {**_row("canongate, embedder tuned", MORE), "points": {"own limits for 1%": own}},
        {**_row("Strict", ONE), "points": {"0.75": strict}},
    ]
    chapter = matching.tell({"rows": rows, "remarks": [], "sets": [told]})
    ours_first, sentence = chapter.better
    assert "asks back for 23.0 %, refuses 4.0 %" in ours_first
    assert "answers 0.80 % of the help desk's test set wrongly (canongate 2.95)" in sentence
    assert "answers 0.67 % of what no prompt is for in the help desk's test set (canongate 6.04)" in sentence
    assert "refuses 88.0 %" in sentence
    assert "no guarantee" in chapter.opening[0]
    assert "2.9 % of all messages wrongly" in chapter.opening[0]
    assert draw_bars(chapter.plots[0]).startswith("<svg")
