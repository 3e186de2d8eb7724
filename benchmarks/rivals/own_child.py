"""The gateway's own matcher as a child, so that its time and memory are those of a process of its own."""

from collections.abc import Callable, Sequence

from benchmarks.match_speed import LEARNED_UP_TO, LIMITS
from benchmarks.rivals.children import lines
from benchmarks.rivals.own_matching import EXPORTS
from benchmarks.rivals.venvs import ROOT
from gateway.fitting.corpora import fit_untuned
from gateway.fitting.labelled import LabelledText
from gateway.fitting.trial import ASSISTANT, trial_catalog
from models.embedding.batching import BatchingEmbedder
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.ports import Embedder
from rails.languages import unread_by
from store.calibration import calibrate
from store.catalog import Catalog
from store.content import Tolerance
from store.contradiction import contradicts
from store.index import PromptIndex
from store.learning.artefact import FittedFolder, fitted_key
from store.learning.corpus import background, corpus_of
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.phrases import rows_of
from store.scoring import NearestScorer, Scope

FITS = ROOT / "var" / "rivals" / "fits"


class Own:
    """A matcher over the sentences, with the embedder as it is."""

    def __init__(self) -> None:
        self._match: Callable[[str], object] | None = None

    def open(self, sentences: Sequence[Sequence[str]], **_others: object) -> lines.Said:
        """Fits, or reads the fit that is kept, and builds the index."""
        embedder = load_embedder(packaged_minilm(), EXPORTS, PACKAGED_MINILM_SHA256, lambda _line: None)
        catalog = trial_catalog(LabelledText(text, key) for text, key in sentences)
        index = PromptIndex.build(catalog, embedder.embed, dimension=embedder.dimension)
        is_learned = len(sentences) <= LEARNED_UP_TO
        scope = _learned(catalog, embedder) if is_learned else Scope(_AREAS, NearestScorer(), LIMITS)
        embed = BatchingEmbedder(embedder).embed
        matcher = Matcher(index, embed, {ASSISTANT: scope}, is_unread=unread_by(embedder.languages))
        self._match = lambda text: matcher.match(text, ASSISTANT)
        return {"sentences": len(sentences), "is_learned": is_learned}

    def time(self, messages: Sequence[str], *, warm_up: bool = False) -> lines.Said:
        """Returns the milliseconds of each match, embedding and every gate included."""
        if self._match is None:
            raise SystemExit("asked before it was opened")
        return {"ms": lines.timed(self._match, messages, warm_up=warm_up)}


_AREAS = frozenset({ASSISTANT})


def _learned(catalog: Catalog, embedder: Embedder) -> Scope:
    corpus = corpus_of(rows_of(catalog.prompts.values()), _AREAS)
    key, kept = fitted_key(corpus, embedder.fingerprint, background()), FittedFolder(FITS)
    fitted = kept.read(key)
    if fitted is None:
        fitted = fit_untuned(corpus, embedder, progress=lambda _phase, _done, _total: None)
        kept.write(key, fitted)
    limits = calibrate(fitted.held_out, corpus, Tolerance(), contradicts=contradicts).limits
    return Scope(_AREAS, LearnedScorer(fitted.model), limits)


if __name__ == "__main__":
    own = Own()
    lines.serve({"open": own.open, "time": own.time, "memory": lines.memory})
