import numpy as np
import pytest
from small_store import TOPICS, fitted, hits, key_of, small_corpus
from store_content import embed

from store.learning.scorer import LearnedScorer
from store.scoring import MAX_RANKED


@pytest.fixture(scope="module")
def corpus():
    return small_corpus()


@pytest.fixture(scope="module")
def scorer(corpus):
    return LearnedScorer(fitted(corpus).model)


def rank(scorer, corpus, message, refused=()):
    allowed = [hit for hit in hits(corpus, message) if hit.row.prompt.key not in refused]
    return scorer.rank(message, embed([message]), allowed, refused)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_prompt_that_is_meant_comes_first(topic, scorer, corpus):
    best, *rest = rank(scorer, corpus, f"where can i see a {topic}")
    assert best.key == key_of(topic)
    assert 0.5 < best.score <= 1
    assert topic in best.phrasing
    assert corpus.phrasings[best.row] == best.phrasing
    assert [one.score for one in rest] == sorted((one.score for one in rest), reverse=True)
    assert len(rest) < MAX_RANKED
    assert len({one.key for one in (best, *rest)}) == 1 + len(rest)


def test_the_similarity_is_that_of_the_phrasing_shown(scorer, corpus):
    message = "is my supplier invoice gone"
    for one in rank(scorer, corpus, message):
        assert one.similarity == pytest.approx(float(embed([corpus.texts[one.row]])[0] @ embed([message])[0]), abs=1e-5)


def test_a_stranger_scores_low(scorer, corpus):
    assert rank(scorer, corpus, "what is the weather in Bergen")[0].score < 0.3


def test_a_refused_prompt_takes_no_part(scorer, corpus):
    message = "my printer toner is gone"
    assert rank(scorer, corpus, message)[0].key == "it.printer.toner"
    assert "it.printer.toner" not in {one.key for one in rank(scorer, corpus, message, {"it.printer.toner"})}
    unfiltered = scorer.rank(message, embed([message]), hits(corpus, message), {"it.printer.toner"})
    assert unfiltered == rank(scorer, corpus, message, {"it.printer.toner"})


def test_nothing_near_or_everything_refused_is_an_empty_ranking(scorer, corpus):
    message = "my printer toner is gone"
    assert scorer.rank(message, embed([message]), [], ()) == ()
    assert scorer.rank(message, embed([message]), hits(corpus, message), set(corpus.keys)) == ()


def test_prompts_that_were_not_learned_are_not_ranked(scorer):
    other = small_corpus(prompts=8)
    message = "my badge is gone"
    strange = hits(other, message)
    for hit in strange:
        hit.row.prompt.key = "hr." + hit.row.prompt.key
    assert scorer.rank(message, embed([message]), strange, ()) == ()


@pytest.mark.parametrize("message", ["???", "\U0001f600", "badge " * 400])
def test_any_message_can_be_ranked(message, scorer, corpus):
    found = rank(scorer, corpus, message)
    assert found
    assert all(0 <= one.score <= 1 and -1 <= one.similarity <= 1 for one in found)


def test_a_store_of_one_prompt_ranks_it():
    corpus = small_corpus(prompts=1)
    scorer = LearnedScorer(fitted(corpus).model)
    (only,) = rank(scorer, corpus, "who has my printer toner")
    stranger = rank(scorer, corpus, "sing me a song about Rome")[0]
    assert only.score > 0.5 > stranger.score
    assert np.isfinite(stranger.score)
