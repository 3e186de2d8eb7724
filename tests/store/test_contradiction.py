import pytest
from store_content import version

from store.content import MatchLimits
from store.contradiction import contradicts
from store.gates import Scored, decide
from store.matches import Ambiguous, Candidate, Gate


@pytest.mark.parametrize(
    ("message", "phrasing", "is_opposite"),
    [
        ("How do I not reset my password?", "How do I reset my password?", True),
        ("I don't want to cancel my leave", "I want to cancel my leave", True),
        ("how do I get round the approval", "how do I get the approval", True),
        ("I cannot log in", "I can't sign in", False),
        ("Where is the notice board?", "Where is the board?", False),
        ("what is new now", "what is new", False),
    ],
)
def test_exactly_one_negation_makes_an_opposite(message: str, phrasing: str, *, is_opposite: bool) -> None:
    assert contradicts(message, phrasing) is is_opposite


def test_an_opposite_is_asked_about_and_not_answered() -> None:
    near = Scored(Candidate(version("it.reset"), 0.95, "How do I reset my password?"), is_follow_up=False)
    limits = MatchLimits(limit=0.8, margin=0.1, suggest=0.5)
    result = decide("How do I avoid resetting my password?", [near], limits)
    assert isinstance(result, Ambiguous)
    assert result.evidence.gate is Gate.CONTRADICTION
