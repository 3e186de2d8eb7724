import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from small_store import STRANGERS, TOPICS, WAYS, fitted, small_corpus
from store_content import embed

from store.learning.artefact import encode_fitted
from store.learning.corpus import corpus_of_pairs
from store.learning.errors import TooLittleToLearn
from store.learning.fit import HeldOutKind, fit
from store.learning.folds import make_folds
from store.learning.heads import fit_head


@pytest.fixture(scope="module")
def whole():
    corpus = small_corpus()
    countered = replace(
        corpus, counter_texts=("a new printer song", "lost badge number"), counter_labels=np.array([6, 7])
    )
    return countered, fitted(countered)


def of_kind(held_out, kind):
    return held_out.kinds == kind


def test_every_sentence_is_held_out_as_what_it_stands_for(whole):
    corpus, fit_ = whole
    kinds = np.bincount(fit_.held_out.kinds, minlength=4).tolist()
    assert kinds == [len(corpus.texts), len(corpus.texts), len(STRANGERS), 2]
    columns = [field.name for field in fields(fit_.held_out) if field.name != "contradicted"]
    assert {len(getattr(fit_.held_out, name)) for name in columns} == {sum(kinds)}


def test_held_out_phrasings_are_ranked_right_and_strangers_score_low(whole):
    _, fit_ = whole
    held_out = fit_.held_out
    asked = of_kind(held_out, HeldOutKind.IN_SCOPE)
    assert (held_out.candidates[asked, 0] == held_out.truths[asked]).mean() > 0.9
    assert np.median(held_out.scores[asked, 0]) > 0.5
    assert np.median(held_out.scores[of_kind(held_out, HeldOutKind.STRANGER), 0]) < 0.2


def test_a_near_miss_is_never_offered_its_own_prompt(whole):
    _, fit_ = whole
    held_out = fit_.held_out
    near = of_kind(held_out, HeldOutKind.NEAR_MISS)
    assert not (held_out.candidates[near] == held_out.labels[near, None]).any()
    assert (held_out.truths[near] == -1).all()


def test_a_held_out_sentence_is_never_its_own_evidence(whole):
    corpus, fit_ = whole
    held_out = fit_.held_out
    for text, rows in zip(held_out.texts, held_out.nearest, strict=True):
        assert text not in {corpus.texts[row] for row in rows if row >= 0}


def test_counterexamples_stand_with_the_prompt_that_they_are_not_of(whole):
    _, fit_ = whole
    counters = of_kind(fit_.held_out, HeldOutKind.COUNTEREXAMPLE)
    assert sorted(fit_.held_out.labels[counters].tolist()) == [6, 7]


def test_the_table_is_best_first_and_marks_what_is_missing():
    held_out = fitted(small_corpus(prompts=2)).held_out
    assert (np.diff(held_out.scores, axis=1) <= 0).all()
    missing = held_out.candidates == -1
    assert missing[:, 2].all()
    assert (held_out.nearest[missing] == -1).all()
    assert (held_out.scores[missing] == 0).all()
    assert (held_out.similarities[missing] == -1).all()


def test_the_same_inputs_give_the_same_model(whole):
    corpus, fit_ = whole
    again = fitted(corpus)
    key = "00" * 32
    assert encode_fitted(replace(again, seconds=0.0), key) == encode_fitted(replace(fit_, seconds=0.0), key)


@pytest.mark.parametrize(("prompts", "phrasings"), [(1, 2), (1, 6), (2, 2), (3, 2), (5, 2), (8, 3)])
def test_small_stores_can_be_fitted(prompts, phrasings):
    held_out = fitted(small_corpus(prompts, phrasings)).held_out
    assert of_kind(held_out, HeldOutKind.IN_SCOPE).sum() == prompts * phrasings
    assert np.isfinite(held_out.scores).all()
    assert of_kind(held_out, HeldOutKind.NEAR_MISS).any() == (prompts > 1)


@pytest.mark.parametrize("prompts", [0, 1, 8])
def test_a_store_with_nothing_to_spare_says_so(prompts):
    with pytest.raises(TooLittleToLearn):
        fitted(small_corpus(prompts, 1))


def test_a_prompt_with_one_phrasing_is_a_near_miss_but_never_in_scope():
    pairs = [(way.format(topic), topic) for topic in TOPICS[:3] for way in WAYS]
    held_out = fitted(corpus_of_pairs([*pairs, ("the only way to say it", "alone")])).held_out
    own = np.array(held_out.texts) == "the only way to say it"
    assert held_out.kinds[own].tolist() == [HeldOutKind.NEAR_MISS]


def test_a_fit_without_background_still_ranks():
    held_out = fitted(small_corpus(), strangers=()).held_out
    asked = of_kind(held_out, HeldOutKind.IN_SCOPE)
    assert (held_out.candidates[asked, 0] == held_out.truths[asked]).mean() > 0.9


def test_each_fold_is_looked_at_with_its_own_vectors():
    corpus = small_corpus()
    vectors, strangers = embed(corpus.texts), embed(STRANGERS)
    folds = make_folds(corpus, len(STRANGERS))
    blind = np.tile(embed(["nothing"]), (len(vectors), 1))
    tuned = [(blind if fold == 0 else vectors, strangers) for fold in range(folds.count)]
    held_out = fitted(corpus, fold_vectors=tuned).held_out
    asked = of_kind(held_out, HeldOutKind.IN_SCOPE)
    # What an embedder was tuned without is in scope only where its prompt was known to it.
    assert asked.sum() == (folds.rows != folds.prompts[corpus.labels]).sum()
    texts = np.array(held_out.texts)[asked]
    # All vectors of the first fold are the same.
    assert set(texts[held_out.similarities[asked, 0] > 1 - 1e-6]) == {
        text for row, text in enumerate(corpus.texts) if folds.rows[row] == 0 and folds.prompts[corpus.labels[row]] != 0
    }


def test_a_fit_ends_when_progress_raises():
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(small_corpus(), progress=stop)


def test_progress_is_told_to_the_end():
    told = []
    fitted(small_corpus(), progress=lambda *step: told.append(step))
    for phase in ("rehearsing", "learning"):
        steps = [(done, total) for found, done, total in told if found == phase]
        assert steps == [(done, steps[-1][1]) for done in range(steps[-1][1] + 1)]


def test_vectors_that_do_not_belong_to_the_corpus_are_a_bug():
    corpus = small_corpus()
    with pytest.raises(ValueError, match="one vector"):
        fit(
            corpus,
            embed(corpus.texts)[1:],
            embed(()),
            embed(STRANGERS),
            folds=make_folds(corpus, len(STRANGERS)),
            fold_vectors=None,
            progress=lambda *_: None,
            background_texts=STRANGERS,
        )


def test_held_out_sentences_meet_the_counterexamples_of_each_candidate_but_never_themselves(whole):
    corpus, fit_ = whole
    held_out, counters = fit_.held_out, embed(corpus.counter_texts)
    assert held_out.countered.max() > 0.5
    for row, text in enumerate(held_out.texts):
        for place, prompt in enumerate(held_out.candidates[row].tolist()):
            others = [
                number
                for number, label in enumerate(corpus.counter_labels.tolist())
                if label == prompt and corpus.counter_texts[number] != text
            ]
            expected = max((float(counters[other] @ embed([text])[0]) for other in others), default=-1.0)
            assert held_out.countered[row, place] == pytest.approx(expected, abs=1e-5)
    own = of_kind(held_out, HeldOutKind.COUNTEREXAMPLE)
    assert (held_out.candidates[own, 0] == held_out.labels[own]).any()
    assert (held_out.countered[own] == -1.0).all(), "each of the two is the only one of its prompt"


def test_a_store_too_large_for_regression_is_ranked_by_means(monkeypatch):
    monkeypatch.setattr("store.learning.heads.MOST_LEARNED", 10)
    corpus = small_corpus()
    held_out = fitted(corpus).held_out
    asked = of_kind(held_out, HeldOutKind.IN_SCOPE)
    assert (held_out.candidates[asked, 0] == held_out.truths[asked]).mean() > 0.9


def test_a_head_started_from_another_ends_at_the_same_place():
    corpus = small_corpus()
    vectors, strangers = embed(corpus.texts), embed(STRANGERS)
    cold = fit_head(vectors, corpus.labels, strangers, None)
    warm = fit_head(vectors, corpus.labels, strangers, fit_head(vectors[::-1], corpus.labels, strangers, None))
    one, other = (vectors @ head.weights.T + head.bias for head in (cold, warm))
    assert (one.argmax(axis=1) == other.argmax(axis=1)).all()


def test_what_serving_imports_is_without_scipy():
    code = "import sys, store.learning.artefact, store.learning.scorer; sys.exit('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)  # noqa: S603 - our own words
    assert done.returncode == 0
