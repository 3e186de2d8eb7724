"""How each phrasing of a drafted prompt stands among the live ones: near its own kind, or nearer to another prompt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from gateway.errors import NotServing
from gateway.live import Live
from models.errors import ModelError, ModelRefused
from store.content import CanonicalPrompt, PromptVersion
from store.errors import StoreError
from store.index import Hit
from store.people import Actor
from store.phrases import Row, RowKind, fill_sample, fold
from store.plain import canonical_hash

MOST_CHECKED = 200
"""Phrasings of one prompt; each costs an embedding."""
_NEIGHBOURS = 24


@dataclass(frozen=True, slots=True)
class PhrasingCheck:
    """One phrasing among the others. Similarities are cosines, 1 for the same text."""

    text: str
    own: float | None
    """To the nearest other phrasing of the same prompt; None where it is the only one."""
    rival_key: str | None
    """The prompt of the nearest phrasing that is another's; None where no other prompt is live."""
    rival_phrasing: str
    rival: float
    is_taken: bool
    """Whether another prompt has this very phrasing: submitting is refused."""
    is_countered: bool
    """Whether the prompt itself has it as a counterexample: submitting is refused."""

    @property
    def collides(self) -> bool:
        """Whether it is at least as near to another prompt as to its own; the only one has none to be near to."""
        is_nearer = self.own is not None and self.rival_key is not None and self.rival >= self.own
        return self.is_taken or self.is_countered or is_nearer


class PhrasingChecks:
    """Looks at drafts with the live index; nothing is fitted or recorded. Blocks: use a thread."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def of(self, actor: Actor, document: Mapping[str, Any]) -> tuple[PhrasingCheck, ...] | None:
        """Returns a check of each phrasing, in their order, against the prompts that the actor may know of.

        None where no phrasing can be read yet. The rest of the document need not be complete: it is looked at while
        somebody still writes it. Raises `NotServing` when the embedder does not answer.
        """
        content = _read(document)
        if content is None:
            return None
        prompt = PromptVersion(0, content, canonical_hash(content))
        rows = [Row(prompt, RowKind.PHRASING, text) for text in content.phrasings[:MOST_CHECKED]]
        try:
            return self._checked(actor, content, rows)
        except (StoreError, ModelError, ModelRefused) as error:
            raise NotServing("matcher_unavailable", "Phrasings cannot be compared now. Try again shortly.") from error

    def _checked(self, actor: Actor, content: CanonicalPrompt, rows: list[Row]) -> tuple[PhrasingCheck, ...]:
        state = self._live.current
        index = state.matcher.index
        areas = self._areas(actor, content.area)
        vectors = state.matcher.vectors_of([fill_sample(row) for row in rows])
        own = vectors @ vectors.T
        np.fill_diagonal(own, -1.0)
        countered = set(map(fold, content.counterexamples))
        checks = []
        for number, row in enumerate(rows):
            hits = index.search(vectors[number][None], _NEIGHBOURS, areas)
            rival = next((hit for hit in hits if hit.row.prompt.key != content.key), None)
            same = [hit for hit in index.exact(row.text, areas) if hit.row.prompt.key != content.key]
            nearest = float(own[number].max()) if len(rows) > 1 else None
            is_taken = any(not hit.captured for hit in same)
            checks.append(_check(row.text, nearest, rival, is_taken=is_taken, is_countered=fold(row.text) in countered))
        return tuple(checks)

    def _areas(self, actor: Actor, area: str) -> frozenset[str]:
        """Returns the areas, of the actor's assistants, of which a message may mean one as well as this."""
        mine = (one for one in self._live.current.catalog.assistants.values() if actor.may_see(one.name))
        found = frozenset(one for assistant in mine if area in assistant.areas for one in assistant.areas)
        return found if actor.assistants else found | {area}


def _read(document: Mapping[str, Any]) -> CanonicalPrompt | None:
    """Returns the prompt; one that is not complete with stand-ins for all that says nothing about its phrasings."""
    written = document.get("slots")
    slots = [one for one in written if isinstance(one, Mapping)] if isinstance(written, list | tuple) else []
    blanks = " ".join(f"{{{one.get('name')}}}" for one in slots)
    stand_in = {
        **{
            name: document[name]
            for name in ("key", "area", "phrasings", "counterexamples", "slots")
            if name in document
        },
        "title": "-",
        "owner": "-",
        "language": "en",
        "review_by": "2000-01-01",
        "reply": {"mode": "verbatim", "answer": blanks or "-"},
    }
    for one in (dict(document), stand_in):
        try:
            return msgspec.convert(one, CanonicalPrompt)
        except msgspec.ValidationError:
            continue
    return None


def _check(text: str, own: float | None, rival: Hit | None, *, is_taken: bool, is_countered: bool) -> PhrasingCheck:
    return PhrasingCheck(
        text,
        own,
        rival.row.prompt.key if rival else None,
        rival.row.text if rival else "",
        rival.score if rival else 0.0,
        is_taken,
        is_countered,
    )
