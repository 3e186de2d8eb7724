"""The numbers beside the navigation are counted now and then, and anew once somebody did something."""

import datetime as dt

import pytest

from gateway.http.pages.navigation import badges
from gateway.http.pages.texts import LANGUAGES
from gateway.open_work import MOST, OpenWork
from store.feedback import Feedback, Verdict
from store.people import Actor, Role
from store.repositories.feedback import FeedbackStore
from store.review.clusters import Clusters
from store.review.intake import Intake
from store.review.types import Bounds, Noted, Reason
from tests.administration import AdminWorld, person
from tests.store.store_content import embed

ROOM = Bounds(new_per_day=10_000, questions=10_000, days=30)
EDITOR = person("ada", Role.EDITOR)


class Seconds:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def work(admin: AdminWorld, seconds: Seconds) -> OpenWork:
    desk = admin.administration.feedback
    return OpenWork(admin.changing, admin.review.reviewing, desk, now=admin.clock.now, clock=seconds.now)


def judge(
    admin: AdminWorld, decision: str, verdict: Verdict = Verdict.DOWN, *, days: int = 1, of: str = "helpdesk"
) -> None:
    at = admin.clock.at - dt.timedelta(days=days)
    given = Feedback(
        decision=decision,
        given_at=at,
        changed_at=at,
        principal="caller",
        assistant=of,
        prompt_key="it.vpn",
        prompt_version=1,
        verdict=verdict,
    )
    with admin.database.writing() as session:
        FeedbackStore(admin.database).put(given, session=session)


def ask(admin: AdminWorld, text: str, times: int) -> None:
    now = dt.datetime.now(dt.UTC)
    noted = [
        Noted(decision=f"{text}-{one}", at=now, assistant="helpdesk", reason=Reason.NO_MATCH, text=text, gate="floor")
        for one in range(times)
    ]
    Intake(admin.database, ROOM).take(noted)
    Clusters(admin.database, embed, "words").place_some(now)


def test_groups_count_as_the_list_has_them_and_feedback_that_did_not_help(admin: AdminWorld, work: OpenWork) -> None:
    ask(admin, "How do I set up the VPN at home?", 3)
    ask(admin, "Zebras?", 2)
    judge(admin, "d1")
    judge(admin, "d2", Verdict.UP)
    judge(admin, "d3", days=8)
    judge(admin, "d4", of="shop")
    assert work.of(EDITOR).numbers == {"changes": 0, "unmatched": 1, "feedback": 2}
    assert work.of(person("tess", Role.EDITOR, assistants=("shop",))).numbers == {
        "changes": 0,
        "unmatched": 0,
        "feedback": 1,
    }


@pytest.mark.parametrize(
    ("actor", "names"),
    [
        (person("vic", Role.VIEWER), set()),
        (person("olga", Role.AUDITOR), set()),
        (person("bob", Role.APPROVER), {"changes", "feedback"}),
        (EDITOR, {"changes", "feedback", "unmatched"}),
        (person("root", Role.ADMIN), {"changes", "feedback", "unmatched"}),
    ],
    ids=lambda one: one.name if isinstance(one, Actor) else "",
)
def test_nobody_is_told_of_work_that_they_cannot_do(work: OpenWork, actor: Actor, names: set[str]) -> None:
    assert work.of(actor).numbers.keys() == names


def test_what_was_counted_stands_for_some_seconds_or_until_somebody_did_something(
    admin: AdminWorld, work: OpenWork, seconds: Seconds
) -> None:
    assert not work.is_fresh(EDITOR)
    assert work.of(EDITOR).numbers["feedback"] == 0
    judge(admin, "d1")
    seconds.at = 14.0
    assert work.of(EDITOR).numbers["feedback"] == 0, "nothing was read"
    seconds.at = 16.0
    assert work.of(EDITOR).numbers["feedback"] == 1
    judge(admin, "d2")
    work.changed()
    assert work.kept(EDITOR).numbers["feedback"] == 1, "a page that waits for nothing has the last ones"
    assert work.of(EDITOR).numbers["feedback"] == 2
    assert work.is_fresh(EDITOR)


def test_no_more_is_counted_than_is_told(admin: AdminWorld, work: OpenWork) -> None:
    for number in range(MOST + 5):
        judge(admin, f"d{number}")
    numbers = work.of(EDITOR).numbers
    assert numbers["feedback"] == MOST + 1
    english, arabic = (badges(LANGUAGES[one], numbers) for one in ("en", "ar"))
    assert (english["feedback"].shown, arabic["feedback"].shown) == ("99+", "٩٩+")
    assert english["feedback"].said == "did not help in the last 7 days: \u206899+\u2069"
    assert english["changes"] == badges(LANGUAGES["en"], {"changes": 0})["changes"]
    assert english["changes"].shown == ""
