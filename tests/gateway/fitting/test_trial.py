"""Measuring through the real matcher: every gate takes part, and labels of queries only count what came of them."""

import msgspec
import numpy as np
import pytest

from gateway.fitting.labelled import Kind, LabelledQuery, LabelledText
from gateway.fitting.trial import ASSISTANT, run_trial, trial_catalog, trial_corpus, trial_matcher
from models.embedding.batching import BatchingEmbedder
from models.errors import ModelRefused
from models.fakes import FakeEmbedder
from store.calibration import CAUTIOUS
from store.content import Tolerance
from store.learning.fit import HeldOutKind
from store.scoring import Limits, NearestScorer
from tests.store.learning.held_out_rows import NONE, held_out

SENTENCES = (
    LabelledText("how do I reset my password", "reset"),
    LabelledText("I forgot my password", "reset"),
    LabelledText("when is the office open", "hours"),
    LabelledText("opening hours of the office", "hours"),
)
QUERIES = (
    LabelledQuery("how do I reset my password please", "reset", Kind.IN_SCOPE),
    LabelledQuery("when is the office open today", "hours", Kind.IN_SCOPE),
    LabelledQuery("how do I reset the office printer", "oos", Kind.NEAR_MISS),
    LabelledQuery("sing a song about whales", "oos", Kind.STRANGER),
    LabelledQuery("I forgot my password", "reset", Kind.IN_SCOPE),
)


def silent(_phase, _done, _total):
    pass


def table(sentences):
    labels = range(len({one.intent for one in sentences}))
    right = [(HeldOutKind.IN_SCOPE, label, [(label, 0.95, 0.9, 0)]) for label in labels] * 10
    return held_out(right + [(HeldOutKind.STRANGER, NONE, [(0, 0.6, 0.5, 0)])] * 10)


def trial(queries=QUERIES, *, embedder=None, sentences=SENTENCES, languages=None, rate=0.01):
    return run_trial(
        sentences,
        queries,
        Tolerance(false_match_rate=rate, near_misses=0.0),
        embedder=embedder or FakeEmbedder(),
        scorer=NearestScorer(),
        held_out=table(sentences),
        languages=languages,
        progress=silent,
    )


def test_the_figures_are_those_of_the_messages():
    measured = trial().measured
    assert measured.queries == {"in_scope": 3, "near_miss": 1, "stranger": 1}
    assert measured.accuracy == 1.0
    assert measured.auroc == 1.0
    assert measured.coverage_at_false_match["0.01"] == 1.0
    assert measured.p95_ms >= measured.p50_ms > 0
    for own in measured.at_own_limits.values():
        for kind in (own.in_scope, own.near_miss, own.stranger):
            assert kind.right + kind.wrong + kind.clarify + kind.refused == pytest.approx(1.0)


def test_labels_of_queries_change_no_limit():
    relabelled = [LabelledQuery(one.text, "oos", Kind.STRANGER) for one in QUERIES]
    assert trial().calibration == trial(relabelled).calibration


def test_limits_are_reported_for_1_and_5_percent_and_the_stated_rate():
    assert set(trial(rate=0.02).measured.at_own_limits) == {"0.01", "0.02", "0.05"}


def test_a_phrasing_word_for_word_is_answered_and_not_timed():
    measured = trial([QUERIES[4]]).measured
    assert measured.at_own_limits["0.01"].in_scope.right == 1.0
    assert measured.p50_ms is None
    assert measured.accuracy == 1.0


def test_what_contradicts_the_phrasing_is_never_counted_as_answerable():
    negated = LabelledQuery("how do I not reset my password", "oos", Kind.NEAR_MISS)
    measured = trial([*QUERIES[:2], negated]).measured
    assert measured.at_own_limits["0.05"].near_miss.wrong == 0.0
    assert measured.coverage_at_false_match["0.01"] == 1.0


def test_a_sentence_under_two_intents_is_asked_back_word_for_word():
    shared = (*SENTENCES, LabelledText("I forgot my password", "hours"))
    measured = trial([QUERIES[4]], sentences=shared).measured
    own = measured.at_own_limits["0.01"].in_scope
    assert (own.clarify, own.clarify_with_right) == (1.0, 1.0)


def test_messages_refused_before_matching_are_refused_and_not_an_error():
    class Short(FakeEmbedder):
        def embed(self, texts):
            if any(len(text) > 200 for text in texts):
                raise ModelRefused("too long")
            return super().embed(texts)

    odd = [LabelledQuery(text, "reset", Kind.IN_SCOPE) for text in ("x" * 300, "y" * 5000, "hid\u202eden")]
    measured = trial(odd, embedder=Short()).measured
    assert measured.at_own_limits["0.05"].in_scope.refused == 1.0
    assert measured.accuracy == 0.0


def test_in_scope_messages_alone_have_no_auroc():
    measured = trial(QUERIES[:2]).measured
    assert measured.auroc is None
    assert measured.at_own_limits["0.01"].stranger is None
    assert msgspec.json.decode(msgspec.json.encode(measured))["auroc"] is None


def test_a_store_with_one_intent_is_measured():
    alone = trial(QUERIES[:1], sentences=SENTENCES[:2])
    assert alone.measured.accuracy == 1.0


def test_braces_in_a_sentence_are_not_blanks():
    odd = (LabelledText("what does {name} mean", "braces"), *SENTENCES)
    assert "what does (name) mean" in trial_corpus(odd).texts
    assert trial_catalog(odd).prompts["braces"].content.phrasings == ("what does (name) mean",)


def test_the_matcher_of_a_trial_knows_every_label():
    limits = Limits(answer=0.1, suggest=0.1, margin=0.0, floor=-1.0, follow_up=1.0)
    matcher = trial_matcher(SENTENCES, FakeEmbedder(), NearestScorer(), limits, languages=None)
    assert isinstance(matcher._embed.__self__, BatchingEmbedder), "what is measured is what serves"
    found = [matcher.match(one.text, ASSISTANT).prompt.key for one in QUERIES[:2]]
    assert found == ["reset", "hours"]
    assert np.isfinite([one.score for one in matcher.match(QUERIES[3].text, ASSISTANT).evidence.candidates]).all()


def test_every_rate_whose_limits_are_cautious_is_said_to_be():
    made = trial(rate=0.2)
    for rate in ("0.01", "0.05"):
        assert made.measured.at_own_limits[rate].limits == CAUTIOUS
        (said,) = [line for line in made.unknown if line.startswith(f"At own limits for {rate}: ")]
        assert "cautious" in said
