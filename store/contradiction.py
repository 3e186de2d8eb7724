"""Whether a message says no where the phrasing that it resembles says yes, which nearness cannot tell."""

import re

_NEGATION = re.compile(
    r"\b(?:not|never|no|nor|neither|without|cannot|avoid|stop|round|around"
    r"|(?:can|won|don|doesn|didn|isn|aren|wasn|weren|haven|hasn|hadn|shouldn|wouldn|couldn)'?t)\b",
    re.IGNORECASE,
)
"""English words that turn a request round. `round` and `around` are how one asks to get round a rule."""


def contradicts(message: str, phrasing: str) -> bool:
    """Returns whether exactly one of the two is negated.

    Opposites have a median similarity of 0.89 with this embedder. Left out one at a time, 20 % of the example store's
    counterexamples were accepted without this gate and 16 % with it; it turns 2 % of right matches into a question.
    """
    return (_NEGATION.search(message) is None) is not (_NEGATION.search(phrasing) is None)
