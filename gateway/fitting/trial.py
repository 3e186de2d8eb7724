"""A store made of labelled sentences alone, to measure a matcher before anything is written or published."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.fitting.corpora import Progress
from gateway.fitting.labelled import LabelledQuery, LabelledText
from gateway.fitting.measuring import Measured, ask_all, measure
from models.embedding.batching import BatchingEmbedder
from models.ports import Embedder
from rails.languages import unread_by
from store.calibration import Calibration, calibrate
from store.catalog import Catalog
from store.content import CanonicalPrompt, PromptVersion, Tolerance, Verbatim
from store.contradiction import contradicts
from store.index import PromptIndex
from store.learning.corpus import Corpus, corpus_of_pairs
from store.learning.fit import HeldOut
from store.matcher import Matcher
from store.plain import canonical_hash
from store.scoring import Limits, Scope, Scorer

ASSISTANT = "all"
"""The one assistant of a trial, and its one area."""
_OWN_RATES = (0.01, 0.05)
_BRACES = str.maketrans("{}", "()")
"""Braces would be blanks in a phrasing; a labelled sentence has none."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a measurement leaves."""

    measured: Measured
    calibration: Calibration
    """For the stated rate."""
    unknown: tuple[str, ...]
    """What neither sentences nor queries could tell, at any of the rates, in words."""


def trial_corpus(sentences: Iterable[LabelledText]) -> Corpus:
    """Returns the corpus of the labelled sentences."""
    return corpus_of_pairs((row.text.translate(_BRACES), row.intent) for row in sentences)


def trial_catalog(sentences: Iterable[LabelledText]) -> Catalog:
    """Returns a catalog with a prompt for each label and its sentences as phrasings."""
    phrasings: dict[str, list[str]] = defaultdict(list)
    for row in sentences:
        phrasings[row.intent].append(row.text.translate(_BRACES))
    prompts = {}
    for intent, texts in phrasings.items():
        content = CanonicalPrompt(
            key=intent,
            title=intent,
            area=ASSISTANT,
            owner="trial",
            language="en",
            review_by=dt.date.max,
            phrasings=tuple(texts),
            reply=Verbatim(answer=intent),
        )
        prompts[intent] = PromptVersion(1, content, canonical_hash(content))
    return Catalog(1, MappingProxyType(prompts), MappingProxyType({}), MappingProxyType({}))


def run_trial(
    sentences: Sequence[LabelledText],
    queries: Sequence[LabelledQuery],
    tolerance: Tolerance,
    *,
    embedder: Embedder,
    scorer: Scorer,
    held_out: HeldOut,
    languages: frozenset[str] | None,
    progress: Progress,
) -> Trial:
    """Measures what was fitted on `sentences`, at limits for the stated rate and for 1 % and 5 %."""
    corpus = trial_corpus(sentences)
    calibrations = {
        rate: calibrate(
            held_out,
            corpus,
            Tolerance(false_match_rate=rate, near_misses=tolerance.near_misses),
            contradicts=contradicts,
        )
        for rate in sorted({tolerance.false_match_rate, *_OWN_RATES})
    }
    stated = calibrations[tolerance.false_match_rate]
    matcher = trial_matcher(sentences, embedder, scorer, stated.limits, languages=languages)
    asked = ask_all(matcher, ASSISTANT, queries, lambda done, total: progress("asking", done, total))
    numbers: Mapping[str, int] = {key: number for number, key in enumerate(corpus.keys)}
    limits = {rate: one.limits for rate, one in calibrations.items()}
    measured = measure(asked, numbers, limits)
    return Trial(measured, stated, (*_unknown(calibrations, tolerance.false_match_rate), *measured.unknown))


def _unknown(calibrations: Mapping[float, Calibration], stated: float) -> Iterator[str]:
    """Gives what the stated rate's report could not tell, and what the other rates' limits could not rest on."""
    yield from calibrations[stated].report.unknown
    for rate, one in calibrations.items():
        missing, is_cautious = one.report.more_phrasings, one.limits.is_word_for_word
        if rate == stated and missing:
            continue
        if is_cautious or missing:
            why = f"{missing} phrasings are missing to prove it" if missing else "no score is right often enough"
            what = "; they are cautious, which answer word for word only" if is_cautious else ""
            yield f"At own limits for {rate:g}: {why}{what}."


def trial_matcher(
    sentences: Sequence[LabelledText],
    embedder: Embedder,
    scorer: Scorer,
    limits: Limits,
    *,
    languages: frozenset[str] | None,
) -> Matcher:
    """Returns a matcher over the sentences whose one assistant, `all`, knows them all."""
    index = PromptIndex.build(trial_catalog(sentences), embedder.embed, dimension=embedder.dimension)
    embed = BatchingEmbedder(embedder).embed  # as it serves, so that times and refusals are those of a live message
    scope = Scope(frozenset({ASSISTANT}), scorer, limits)
    return Matcher(index, embed, {ASSISTANT: scope}, is_unread=unread_by(languages))
