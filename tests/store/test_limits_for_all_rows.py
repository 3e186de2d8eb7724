"""Limits for a whole held-out table decide as the gates do for one message, counterexamples and all."""

import numpy as np
from store_content import version

from store.calibration import apply_limits
from store.gates import decide
from store.learning.fit import HeldOutKind
from store.matches import Ambiguous, Candidate, Match
from store.scoring import Limits
from tests.store.learning.held_out_rows import NONE, held_out

IN = HeldOutKind.IN_SCOPE


def test_limits_decide_as_the_gates_do_whatever_the_sentence():
    random = np.random.default_rng(5)
    prompts = [version(f"it.p{letter}", phrasings=["How do I open the door?"]) for letter in "abcdefgh"]
    grid = np.round(np.arange(0.0, 1.001, 0.01), 2)  # coarse, so that values lie at the limits and are equal
    rows, stops = [], []
    for _ in range(4000):
        numbers = random.permutation(8)[: int(random.integers(0, 6))].tolist()
        scores = sorted(random.choice(grid, len(numbers)).tolist(), reverse=True)
        similarities = random.choice(grid[80:], len(numbers)).tolist()
        countered = [
            -1.0 if random.random() < 0.4 else round(float(one) + int(random.integers(-4, 5)) / 100, 2)
            for one in similarities
        ]
        rows.append((IN, 0, list(zip(numbers, scores, similarities, [0] * 5, countered, strict=False))))
        stops.append(bool(numbers) and bool(random.random() < 0.2))
    limits = Limits(answer=0.6, suggest=0.3, margin=0.05, floor=0.82, follow_up=0.9)
    answered, offered = apply_limits(held_out(rows), np.array(stops), limits)
    seen = set()
    for (_, _, row), is_stopped, first, others in zip(rows, stops, answered.tolist(), offered.tolist(), strict=True):
        candidates = [
            Candidate(prompts[number], score, "How do I open the door?", similarity, None if against < 0 else against)
            for number, score, similarity, _, against in row
        ]
        found = decide("How do I close the door?" if is_stopped else "How do I open a door?", candidates, limits)
        given = found.prompt.key if isinstance(found, Match) else None
        choices = [one.key for one in found.choices] if isinstance(found, Ambiguous) else []
        assert given == (None if first == NONE else prompts[first].key)
        assert choices == [prompts[one].key for one in others if one != NONE]
        seen.add((found.evidence.gate, type(found), len(choices)))
    assert len(seen) > 15
