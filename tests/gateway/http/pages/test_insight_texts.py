"""Every closed set that review, analytics, feedback and test sets show has its words."""

from gateway.analysing import Period
from gateway.figures import STAGES
from gateway.http.pages.texts import LANGUAGES
from store.changes.evidence import RunState
from store.feedback import FeedbackReason, Verdict
from store.formats.suite import Expectation
from store.review.actions import KINDS
from store.review.types import QuestionState, Reason


def test_every_closed_set_of_these_pages_has_words() -> None:
    wanted = [f"unmatched.reason_{one.value}" for one in Reason]
    wanted += [f"unmatched.state_{one.value}" for one in QuestionState]
    wanted += [f"deed.{kind}" for kind in KINDS.values()]
    wanted += [f"feedback.reason_{one.value}" for one in FeedbackReason]
    wanted += [f"feedback.verdict_{one.value}" for one in Verdict]
    wanted += [f"expect.{one.value}" for one in Expectation] + [f"suites.run_{one.value}" for one in RunState]
    wanted += [f"analytics.stage_{one}" for one in STAGES] + [f"analytics.period_{one.value}" for one in Period]
    assert not [key for texts in LANGUAGES.values() for key in wanted if not texts.has(key)]
