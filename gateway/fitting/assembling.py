"""Puts a matcher together from a fit and an index, and keeps the last ones: what the gate tried is not made again."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Lock

from gateway.fitting.kept import Areas, Fit, Published
from models.embedding.batching import BatchingEmbedder
from rails.languages import unread_by
from store.calibration import Calibration, calibrate
from store.catalog import Catalog
from store.contradiction import contradicts
from store.follow_ups import follow_up_limit
from store.index import PromptIndex
from store.learning.artefact import fitted_key
from store.learning.corpus import background
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.pauses import uncollected
from store.plain import canonical_hash
from store.scoring import Limits, NearestScorer, Scope

EXACT_ONLY = Limits(answer=2.0, suggest=0.5, margin=0.0, floor=-1.0, follow_up=2.0)
"""Where there are too few phrasings to learn from: no similarity is enough, but near prompts are offered."""
_KEPT = 3
"""Matchers: of what serves, and of both sides of the last trial."""
_KEPT_CALIBRATIONS = 64

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A matcher, and what is known of how far it can be trusted."""

    matcher: Matcher
    calibrations: Mapping[str, Calibration]
    """By assistant; absent where the phrasings are too few to learn from."""
    fit: Fit

    @property
    def caveats(self) -> tuple[str, ...]:
        """In words: which assistants' limits rest on too few phrasings, and what that means."""
        known = {name: one.report.caveat for name, one in self.calibrations.items()}
        scopes = self.matcher.scopes.items()
        found = {name: known.get(name, f"answers {scope.limits.answers_from}") for name, scope in scopes}
        return tuple(f"{name} {caveat}" for name, caveat in found.items() if caveat)

    @property
    def over_rate(self) -> tuple[str, ...]:
        """In words: which assistants are beyond doubt answered wrongly more often than they tolerate."""
        reports = ((name, one.report) for name, one in self.calibrations.items() if one.report.is_over_rate)
        return tuple(
            f"{name} {report.store.false_match.value:.1%} (tolerated: {report.stated_rate:.1%})"
            for name, report in reports
        )


class Assembly:
    """Makes matchers and keeps the last ones, and the calibrations behind them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Assembled] = OrderedDict()
        self._calibrated: OrderedDict[str, Calibration] = OrderedDict()
        self._guard = Lock()

    def of(self, catalog: Catalog, published: Published, fit: Fit, open_index: Callable[[], PromptIndex]) -> Assembled:
        """Returns what matches in the catalog; made before for the same content, it is the same one."""
        key = _key(catalog, fit)
        with self._guard:
            if (known := self._made.get(key)) is not None:
                self._made.move_to_end(key)
                return known
        with uncollected():
            made = self._assembled(catalog, published, fit, open_index())
        with self._guard:
            self._made[key] = made
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def _assembled(self, catalog: Catalog, published: Published, fit: Fit, index: PromptIndex) -> Assembled:
        scorers = {areas: LearnedScorer(fitted.model) for areas, fitted in fit.fitted.items()}
        calibrated = self.calibrations(catalog, published, fit)
        scopes: dict[str, Scope] = {}
        for name, assistant in catalog.assistants.items():
            areas = frozenset(assistant.areas)
            limits = calibrated[name].limits if name in calibrated else EXACT_ONLY
            if not limits.is_word_for_word:
                enough = follow_up_limit(index, areas, assistant.match.false_match_rate)
                limits = replace(limits, follow_up=enough)
            scopes[name] = Scope(areas, scorers.get(areas, NearestScorer()), limits)
        embed = BatchingEmbedder(fit.embedder).embed
        is_unread = unread_by(fit.embedder.languages)
        matcher = Matcher(index, embed, scopes, is_unread=is_unread, fingerprint=fit.fingerprint)
        return Assembled(matcher, calibrated, fit)

    def calibrations(self, catalog: Catalog, published: Published, fit: Fit) -> Mapping[str, Calibration]:
        """Returns the limits of each assistant whose areas could be fitted, and what they are good for."""
        made: dict[str, Calibration] = {}
        for name, assistant in catalog.assistants.items():
            areas: Areas = frozenset(assistant.areas)
            if areas not in fit.fitted:
                continue
            corpus = published.corpora[areas]
            model = fitted_key(corpus, fit.embedder.fingerprint, background())
            key = f"{model} {fit.is_tuned} {canonical_hash(assistant.match)}"
            with self._guard:
                known = self._calibrated.get(key)
            made[name] = known or calibrate(
                fit.fitted[areas].held_out, corpus, assistant.match, contradicts=contradicts
            )
            with self._guard:
                self._calibrated[key] = made[name]
                self._calibrated.move_to_end(key)
                while len(self._calibrated) > _KEPT_CALIBRATIONS:
                    self._calibrated.popitem(last=False)
        return made


def _key(catalog: Catalog, fit: Fit) -> str:
    """Names everything that a matcher shows or decides by: fit, versions of prompts, assistants."""
    prompts = "".join(f"{key} {one.number} {one.sha256}\n" for key, one in sorted(catalog.prompts.items()))
    assistants = "".join(f"{name} {canonical_hash(one)}\n" for name, one in sorted(catalog.assistants.items()))
    text = f"{catalog.revision}\n{fit.fingerprint} {fit.embedder.fingerprint}\n{prompts}{assistants}"
    return sha256(text.encode()).hexdigest()
