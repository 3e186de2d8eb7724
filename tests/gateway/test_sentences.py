"""Sentences end at the same places however the words arrive, and a cut answer at one of them."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.render import tidy_answer
from gateway.sentences import next_end, shown_beginning, whole_sentences
from models.ports import Completion, FinishReason

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "sentences.yaml").read_text("utf-8"))
PIECES = (
    *("Open", "door", " ", " ", " ", "\n", "\n- ", "1. ", "12", "3.5", ".", ".", "!", "?", "…", '"', '"', "”", "*"),
    *(
        "Dr.",
        "z. B.",
        "a.m.",
        "https://a.example/x.",
        "。",
        "\uff1f",
        "।",
        "門",
        "Ä",
        "é",
        ",",
        ":",
        "and",
        "x",
        ")",
        "\t",
    ),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=40)


def ends(text: str) -> list[int]:
    found: list[int] = []
    while (end := next_end(text, found[-1] if found else 0)) is not None:
        found.append(end)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["description"] for case in CASES])
def test_a_text_is_cut_where_its_sentences_end(case):
    places = [0, *ends(case["text"]), len(case["text"])]
    assert [case["text"][start:end] for start, end in pairwise(places)] == case["want"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(TEXTS)
def test_an_end_that_was_found_in_a_beginning_stays_one(text):
    whole = ends(text)
    for length in range(len(text)):
        found = ends(text[:length])
        assert found == whole[: len(found)]
        assert all(text[:end].rstrip() == text[:end] for end in found)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(TEXTS, st.sampled_from(FinishReason))
def test_what_is_cut_from_a_beginning_is_the_beginning_of_what_is_shown_in_the_end(text, finish):
    shown = tidy_answer(Completion(text, finish, (1,), 1, 0.0, 0.0))
    for length in range(len(text) + 1):
        beginning = shown_beginning(text[:length])
        for end in ends(beginning):
            assert shown.startswith(beginning[:end])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TEXTS)
def test_whole_sentences_of_whole_sentences_are_the_same(text):
    cut = whole_sentences(text)
    assert text.startswith(cut)
    assert len(cut) >= (ends(text) or [0])[-1]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It costs 3.", ""),
        ("It costs 350.", ""),
        ("Call 4100. It costs 3.", "Call 4100."),
        ("Open https://id.", ""),
        ("Ask Dr.", ""),
        ("Open the portal.", "Open the portal."),
        ("Open the portal. Ask Dr", "Open the portal."),
        ("打开门户网站。点击", "打开门户网站。"),
        ("打开门户网站。", "打开门户网站。"),
    ],
)
def test_a_mark_that_may_go_on_ends_no_answer_that_was_cut(text, whole):
    assert whole_sentences(text) == whole


@pytest.mark.parametrize("text", ["." * 200_000, "a." * 100_000, "x. y" * 50_000, '."' * 100_000, "- a,\n" * 50_000])
def test_a_long_run_of_marks_is_read_in_linear_time(text):
    started = time.monotonic()
    assert next_end(text, 0) is None
    assert time.monotonic() - started < 5.0
