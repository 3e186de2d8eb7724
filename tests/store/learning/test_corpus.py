import numpy as np
import pytest
from store_content import version

from store.learning.corpus import Corpus, background, corpus_of, corpus_of_pairs
from store.phrases import rows_of

SITE = {
    "slots": [{"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds"}, {"value": "Gdansk"}]}],
    "reply": {"mode": "verbatim", "answer": "{site} is open."},
}


def rows(*versions):
    return rows_of(versions)


def test_a_corpus_holds_the_phrasings_of_its_areas_by_prompt():
    corpus = corpus_of(
        rows(version("it.b", phrasings=["two", "three"]), version("hr.x", phrasings=["other"]), version("it.a")),
        {"it"},
    )
    assert corpus.keys == ("it.a", "it.b")
    assert corpus.texts == ("tell me about it.a", "two", "three")
    assert corpus.labels.tolist() == [0, 1, 1]


def test_sentences_of_one_template_are_one_group():
    corpus = corpus_of(rows(version(phrasings=["When is {site} open?", "opening hours"], **SITE)), {"it"})
    assert corpus.texts == ("When is Leeds open?", "When is Gdansk open?", "opening hours")
    assert corpus.phrasings[:2] == ("When is {site} open?",) * 2
    assert corpus.groups.tolist() == [0, 0, 1]


def test_spellings_that_differ_in_nothing_are_one_group():
    assert corpus_of_pairs([("Where is it?", "a"), ("where is  it", "a")]).groups.tolist() == [0, 0]


def test_counterexamples_stand_apart_and_follow_ups_are_left_out():
    corpus = corpus_of(
        rows(version("it.a"), version("it.b", counterexamples=["not this"], follows=["it.a"], follow_ups=["and then"])),
        {"it"},
    )
    assert corpus.counter_texts == ("not this",)
    assert corpus.counter_labels.tolist() == [1]
    assert "and then" not in corpus.texts


def test_an_area_without_prompts_is_an_empty_corpus():
    assert corpus_of(rows(version()), {"hr"}).keys == ()


def test_the_fingerprint_tells_corpora_apart():
    one = corpus_of_pairs([("ab", "x"), ("c", "y")])
    assert one.fingerprint() == corpus_of_pairs([("c", "y"), ("ab", "x")]).fingerprint()
    others = [[("ab", "x"), ("d", "y")], [("a", "x"), ("bc", "y")], [("ab", "x"), ("c", "z")], [("ab", "x")]]
    assert one.fingerprint() not in {corpus_of_pairs(pairs).fingerprint() for pairs in others}


def test_a_corpus_cannot_be_changed_or_wrong():
    corpus = corpus_of_pairs([("a", "x")])
    with pytest.raises(ValueError, match="read-only"):
        corpus.labels[0] = 3
    with pytest.raises(ValueError, match="one label"):
        Corpus(("x",), ("a",), ("a",), np.array([0, 0]), np.array([0]), (), np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match="in the order"):
        Corpus(("x", "y"), ("a",), ("a",), np.array([0]), np.array([0]), (), np.array([], dtype=np.int64))


def test_the_packaged_background_is_many_different_sentences():
    sentences = background()
    assert len(sentences) > 200
    assert len(set(sentences)) == len(sentences)
    assert all(sentence == sentence.strip() and sentence for sentence in sentences)


def test_every_line_of_the_background_but_remarks_at_its_top_is_a_sentence():
    sentences = background()
    assert len(sentences) == 1000
    assert sum(one.startswith("#") for one in sentences) == 1, "a number with its mark is something people write"
