"""Limits from held-out sentences, and a report that says what they do and what nobody can know."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from store import calibration
from store.calibration import (
    CAUTIOUS,
    EMPTY_CLARIFY,
    FEWEST_SENTENCES,
    apply_limits,
    calibrate,
    expected_near_misses,
    mix,
)
from store.content import Tolerance
from store.learning.fit import HeldOutKind
from store.learning.limits import NEVER
from store.learning.report import Report
from store.scoring import Limits
from tests.store.learning.held_out_rows import NONE, corpus, drawn, held_out

IN, NEAR, STRANGE, COUNTER = HeldOutKind


def never(_message, _phrasing, _siblings):
    return False


def calibrated(rate=0.01, *, table=None, near_misses=None, contradicts=never):
    held, known = table or drawn()
    return calibrate(held, known, Tolerance(false_match_rate=rate, near_misses=near_misses), contradicts=contradicts)


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_limits_hold_on_sentences_they_were_not_chosen_from(rate):
    limits = calibrated(rate).limits
    other, _ = drawn(seed=1)
    answered, _ = apply_limits(other, np.zeros(len(other.kinds), dtype=np.bool_), limits)
    weights = mix(other, 0.5)
    assert weights[(answered != NONE) & (answered != other.truths)].sum() < 2 * rate


def test_the_more_near_misses_are_expected_the_stricter_the_limit():
    few, many = (calibrated(near_misses=share).limits.answer for share in (0.0, 1.0))
    assert few < many
    assumed = calibrated().report.assumed
    assert [one.near_misses for one in assumed] == [0.1, 0.3, 1.0]
    assert [one.answer for one in assumed] == sorted(one.answer for one in assumed)


def test_the_default_share_of_near_misses_falls_with_the_number_of_prompts_and_can_be_stated():
    assert expected_near_misses(Tolerance(), 1) == 1.2
    assert expected_near_misses(Tolerance(), 100) == 0.1
    assert expected_near_misses(Tolerance(near_misses=0.0), 100) == 0.0


def test_the_mix_weighs_kinds_and_not_rows():
    held, _ = drawn(prompts=4, sentences=5, others=30)
    weights = mix(held, 0.5)
    shares = [weights[held.kinds == kind].sum() for kind in (IN, NEAR, STRANGE)]
    assert shares == pytest.approx([1 / 1.9, 0.5 / 1.9, 0.4 / 1.9])


def test_near_misses_that_cannot_be_held_out_count_as_strangers_and_the_report_says_so():
    first = [(0, 0.9, 0.9, 0)]
    held = held_out([(IN, 0, first)] * 5 + [(STRANGE, NONE, [(0, 0.2, 0.3, 0)])] * 5)
    assert mix(held, 1.2)[held.kinds == STRANGE].sum() == pytest.approx(1.6 / 2.6)
    report = calibrate(held, corpus(1), Tolerance(), contradicts=never).report
    assert report.store.near_misses_answered is None
    assert any(line.startswith("Near misses") for line in report.unknown)


def test_questions_back_without_the_right_prompt_stay_rare():
    report = calibrated(table=drawn(shift=0.5)).report
    assert 0 < report.store.empty_clarify.value <= EMPTY_CLARIFY + 1e-9
    assert report.limits.suggest <= report.limits.answer


def test_what_contradicts_its_phrasing_is_not_answered_and_does_not_tighten_the_limit():
    held, _ = drawn()
    wrong = {
        text
        for text, first, truth in zip(held.texts, held.candidates[:, 0], held.truths, strict=True)
        if first != truth
    }
    gated = calibrated(contradicts=lambda message, *_: message in wrong)
    assert gated.report.store.false_match.value == 0.0
    assert gated.limits.answer < calibrated().limits.answer


def test_limits_decide_as_the_gates_do():
    held = held_out(
        [
            (IN, 0, [(0, 0.9, 0.8, 0), (1, 0.3, 0.5, 5)]),  # answered
            (IN, 0, [(0, 0.9, 0.1, 0)]),  # too far from every phrasing
            (IN, 0, [(0, 0.9, 0.8, 0), (1, 0.85, 0.8, 5)]),  # too close to the next
            (IN, 0, [(0, 0.5, 0.8, 0), (1, 0.02, 0.8, 5)]),  # asked back, with one choice
            (IN, 0, [(0, 0.1, 0.8, 0)]),  # refused
            (IN, 0, []),  # nothing came near
            (IN, 0, [(0, 0.9, 0.8, 0)]),  # contradicted
        ]
    )
    stopped = np.array([False] * 6 + [True])
    limits = Limits(answer=0.8, suggest=0.3, margin=0.1, floor=0.5, follow_up=0.9)
    answered, offered = apply_limits(held, stopped, limits)
    assert answered.tolist() == [0, NONE, NONE, NONE, NONE, NONE, NONE]
    assert [[one for one in row if one != NONE] for row in offered.tolist()] == [[], [0], [0, 1], [0], [], [], [0]]


def test_what_a_counterexample_stops_is_no_answer_and_no_wrong_one():
    stopped = [(IN, 0, [(0, 0.95, 0.8, 0, 0.85)])] * 100 + [(COUNTER, 0, [(0, 0.94, 0.8, 0, 0.86)])] * 100
    rows = [(IN, 0, [(0, 0.9, 0.8, 0, 0.7)])] * 300 + stopped + [(STRANGE, NONE, [(0, 0.01, 0.1, 0)])] * 1000
    report = calibrate(held_out(rows), corpus(2), Tolerance(), contradicts=never).report
    assert report.limits.answer <= 0.9, "what is stopped does not tighten the limit"
    assert (report.store.coverage.value, report.store.clarify.value) == (0.75, 0.25)
    assert report.store.counterexamples_answered.value == 0.0


def test_a_counterexample_is_wrong_only_with_the_prompt_it_excludes():
    rows = [(IN, 0, [(0, 0.9, 0.9, 0)])] * 15
    rows += [(COUNTER, 1, [(1, 0.95, 0.9, 5)])] * 3 + [(COUNTER, 1, [(0, 0.95, 0.9, 0)])] * 3
    held = held_out(rows)
    report = calibrate(held, corpus(2), Tolerance(false_match_rate=0.2, near_misses=0.1), contradicts=never).report
    assert report.store.counterexamples_answered.value == 0.5


def test_colliding_prompts_and_phrasings_are_named_with_their_sentences():
    rows = [(IN, 0, [(1, 0.9, 0.95, 5), (0, 0.2, 0.6, 1)])] * 2 + [(IN, 1, [(1, 0.99, 0.9, 5)])] * 200
    report = calibrate(
        held_out(rows), corpus(2), Tolerance(false_match_rate=0.05, near_misses=0), contradicts=never
    ).report
    (pair,) = report.collisions
    assert (pair.prompt, pair.ranked_first, pair.sentences, pair.answered) == ("it.p0", "it.p1", 2, 2)
    assert pair.examples == ("held out 0", "held out 1")
    one = report.nearer_elsewhere[0]
    assert (one.prompt, one.similarity, one.other_prompt, one.other_similarity) == ("it.p0", 0.6, "it.p1", 0.95)
    assert one.other_phrasing == "sentence 0 of prompt 1"


def test_every_prompt_has_its_rates_and_what_is_wrongly_answered_with_it():
    rows = [(IN, 0, [(0, 0.99, 0.9, 0)])] * 3 + [(IN, 0, [(1, 0.99, 0.9, 5)])] + [(STRANGE, NONE, [(1, 0.99, 0.9, 5)])]
    report = calibrate(
        held_out(rows), corpus(2), Tolerance(false_match_rate=0.2, near_misses=0), contradicts=never
    ).report
    zero, one = report.prompts
    assert (zero.key, zero.sentences, one.sentences) == ("it.p0", 4, 0)
    assert one.coverage.low == 0
    assert one.coverage.high == 1


def test_a_store_whose_scores_say_nothing_answers_only_word_for_word():
    rows = [(IN, 0, [(1, 0.9, 0.9, 5)])] * 400
    calibration = calibrate(held_out(rows), corpus(2), Tolerance(), contradicts=never)
    assert calibration.limits == CAUTIOUS
    assert calibration.report.more_phrasings == 0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_no_rate_is_claimed_that_so_few_phrasings_could_not_show(rate):
    always_right = [(IN, 0, [(0, 0.9, 0.9, 0)])]
    enough = round(3 / rate)
    few, many = (
        calibrate(held_out(always_right * count), corpus(2), Tolerance(false_match_rate=rate), contradicts=never)
        for count in (enough - 1, enough)
    )
    assert few.report.more_phrasings == 1
    assert few.report.unknown[0].endswith("Write 1 more, or state a higher rate.")
    assert few.report.caveat.endswith("1 more phrasings would prove its rate")
    assert many.limits.answer == 0.9
    assert (many.report.more_phrasings, many.report.caveat) == (0, "")
    assert "phrasings to prove" not in " ".join(many.report.unknown)


def between(questions):
    """Too few questions for 1 %; sixty of a thousand strangers score like the questions."""
    rows = [(IN, 0, [(0, 0.5 + 0.49 * number / questions, 0.9, 0)]) for number in range(questions)]
    rows += [(STRANGE, NONE, [(0, 0.5 + 0.007 * number, 0.9, 0)]) for number in range(60)]
    return held_out(rows + [(STRANGE, NONE, [(0, 0.01, 0.1, 0)])] * 940)


@pytest.mark.parametrize("questions", [FEWEST_SENTENCES, 100, 200])
def test_a_rate_that_cannot_be_proven_is_aimed_at_by_half(questions, monkeypatch):
    held = between(questions)
    report = calibrate(held, corpus(2), Tolerance(near_misses=0.0), contradicts=never).report
    assert report.limits.answer < NEVER
    assert report.limits.suggest <= CAUTIOUS.suggest
    assert 0.003 < report.store.false_match.value < 0.01
    monkeypatch.setattr(calibration, "UNPROVEN_SHARE", 1.0)
    whole = calibrate(held, corpus(2), Tolerance(near_misses=0.0), contradicts=never).report
    assert whole.store.false_match.value > 1.3 * report.store.false_match.value
    assert 0.3 < report.store.coverage.value < 0.7
    assert report.more_phrasings > 0
    assert report.caveat.startswith("answers from limits that are not proven")
    assert "aim at half of it" in report.unknown[0]


def test_below_thirty_questions_only_word_for_word_is_answered():
    report = calibrate(between(FEWEST_SENTENCES - 1), corpus(2), Tolerance(near_misses=0.0), contradicts=never).report
    assert report.limits == CAUTIOUS
    assert report.caveat.startswith("answers word for word only")
    assert [one.answer for one in report.assumed] == [NEVER] * 3


def test_questions_made_from_one_template_are_one_question():
    held = between(100)
    known = corpus(2, 100)
    held = replace(held, texts=known.texts[:100] + held.texts[100:])
    template = replace(known, groups=np.arange(200) // 100)
    tolerance = Tolerance(near_misses=0.0)
    limits = [calibrate(held, one, tolerance, contradicts=never).limits for one in (known, template)]
    assert limits[0].answer < NEVER
    assert limits[1] == CAUTIOUS


def test_cautious_limits_ask_and_never_answer():
    held = held_out([(IN, 0, [(0, 1.0, 1.0, 0)]), (IN, 0, [(0, 0.3, 0.2, 0)]), (STRANGE, NONE, [(0, 0.1, 0.9, 0)])])
    answered, offered = apply_limits(held, np.zeros(3, dtype=np.bool_), CAUTIOUS)
    assert answered.tolist() == [NONE] * 3
    assert offered[:, 0].tolist() == [0, 0, NONE]


def test_sentences_of_one_template_and_counterexamples_do_not_add_up_to_enough_phrasings():
    known = corpus(2, 40)
    template = replace(known, groups=np.arange(80) // 40)

    def wanted(corpus_of, counters=0):
        rows = [(IN, row // 40, [(row // 40, 0.9, 0.9, 0)]) for row in range(80)]
        held = held_out(rows + [(COUNTER, 0, [(1, 0.1, 0.9, 0)])] * counters)
        texts = corpus_of.texts + held.texts[80:]
        tolerance = Tolerance(false_match_rate=0.05)
        return calibrate(replace(held, texts=texts), corpus_of, tolerance, contradicts=never).report.more_phrasings

    assert wanted(known) == 0
    assert wanted(template) == 58
    # Counterexamples stand for their own share of the messages and for no question: 28 phrasings for 5/11 of all.
    assert wanted(template, counters=100) == 26
    assert wanted(template, counters=10) == 60 - 2 - 10


def test_a_lone_prompt_is_asked_about_although_its_counterexamples_come_near():
    rows = [(IN, 0, [(0, 0.4 + 0.0015 * number, 0.9, 0)]) for number in range(400)]
    rows += [(COUNTER, 0, [(0, 0.9 - 0.003 * number, 0.8, 0)]) for number in range(100)]
    rows += [(STRANGE, NONE, [(0, 0.01, 0.1, 0)])] * 1000
    report = calibrate(held_out(rows), corpus(1), Tolerance(), contradicts=never).report
    assert CAUTIOUS.suggest < report.limits.answer < NEVER
    assert report.limits.suggest == CAUTIOUS.suggest
    assert report.store.coverage.value + report.store.clarify.value == 1.0


def test_an_empty_table_gives_limits_that_answer_nothing():
    calibration = calibrate(held_out([]), corpus(1, 1), Tolerance(), contradicts=never)
    assert calibration.limits.answer == NEVER
    assert calibration.report.store.false_match.high == 1.0
    assert not calibration.report.is_over_rate


def test_the_report_survives_its_file():
    report = calibrated().report
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
