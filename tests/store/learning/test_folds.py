import numpy as np
import pytest
from small_store import small_corpus

from store.learning.corpus import corpus_of_pairs
from store.learning.folds import Folds, make_folds


def test_the_sentences_of_every_prompt_are_dealt_out_evenly():
    corpus = small_corpus()
    folds = make_folds(corpus, 10, count=3)
    for label in range(len(corpus.keys)):
        assert np.bincount(folds.rows[corpus.labels == label], minlength=3).tolist() == [2, 2, 2]
    assert sorted(np.bincount(folds.prompts, minlength=3).tolist()) == [2, 3, 3]
    assert sorted(np.bincount(folds.background, minlength=3).tolist()) == [3, 3, 4]


def test_sentences_of_one_group_share_a_fold():
    corpus = corpus_of_pairs([(text, "a") for text in ("one", "One?", "ONE", "two", "three")])
    folds = make_folds(corpus, 0)
    assert len(set(folds.rows[:3].tolist())) == 1


def test_the_same_seed_gives_the_same_folds_and_another_one_others():
    corpus = small_corpus()
    assert np.array_equal(make_folds(corpus, 9, seed=4).rows, make_folds(corpus, 9, seed=4).rows)
    assert not np.array_equal(make_folds(corpus, 9, seed=4).rows, make_folds(corpus, 9, seed=5).rows)


def test_an_embedder_of_a_fold_knows_neither_its_sentences_nor_its_prompts():
    corpus = small_corpus()
    folds = make_folds(corpus, 10)
    for fold in range(folds.count):
        known = folds.known_rows(fold, corpus.labels)
        assert len(known)
        assert fold not in folds.rows[known]
        assert fold not in folds.prompts[corpus.labels[known]]
        assert fold not in folds.background[folds.known_background(fold)]


def test_a_fold_outside_the_count_is_a_bug():
    with pytest.raises(ValueError, match="numbered from 0"):
        Folds(2, np.array([0, 2]), np.array([0]), np.array([0]))
