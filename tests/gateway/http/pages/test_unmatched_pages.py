"""The review queue on pages: groups, what may be done about them, where the draft went, and the way back."""

import datetime as dt
import re

import pytest

from gateway.errors import NotServing
from store.people import Role
from store.review.clusters import Clusters
from store.review.intake import Intake
from store.review.types import Bounds, Noted, QuestionState, Reason
from tests.administration import AdminWorld
from tests.plain_browser import PlainBrowser
from tests.store.store_content import embed

pytestmark = pytest.mark.anyio
ROOM = Bounds(new_per_day=10_000, questions=10_000, days=30)
ASKED = "How do I set up the VPN at home?"


def ask(admin: AdminWorld, text: str = ASKED, times: int = 4, *, assistant: str = "helpdesk") -> None:
    now = dt.datetime.now(dt.UTC)
    noted = [
        Noted(decision=f"{text}-{number}", at=now, assistant=assistant, reason=Reason.NO_MATCH, text=text, gate="floor")
        for number in range(times)
    ]
    Intake(admin.database, ROOM).take(noted)
    Clusters(admin.database, embed, "words").place_some(now)


async def at_cluster(admin: AdminWorld, signed_in, *roles: Role, query: str = "") -> tuple[PlainBrowser, str]:
    admin.user("ada", *(roles or (Role.EDITOR,)))
    browser = await signed_in("ada")
    await browser.open(f"/admin/unmatched{query}")
    path = re.search(r'href="(/admin/unmatched/clusters/[^"?]+)', browser.reply.text)
    assert path is not None, browser.text
    await browser.open(path[1] + query)
    return browser, path[1]


def states(admin: AdminWorld) -> set[str]:
    with admin.database.reading() as session:
        return set(session.connection().exec_driver_sql("SELECT state FROM questions").scalars())


async def test_an_empty_queue_says_what_comes_there(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/unmatched")
    assert "No group has 3 messages or more" in browser.text
    await browser.open("/admin/unmatched?singles=1")
    assert "Every question found an answer" in browser.text
    await browser.open("/admin/unmatched?text=printer")
    assert "No result for “printer”" in browser.text
    await browser.open("/admin/unmatched/actions")
    assert "Nothing was done yet" in browser.text


async def test_single_questions_are_shown_when_they_are_asked_for(admin: AdminWorld, signed_in) -> None:
    ask(admin, times=1)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/unmatched")
    assert ASKED not in browser.text
    await browser.open("/admin/unmatched?singles=1")
    assert ASKED in browser.text


async def test_a_group_shows_candidates_with_scores_and_what_adding_would_do(admin: AdminWorld, signed_in) -> None:
    ask(admin, "I forgot my pass word")
    browser, _ = await at_cluster(admin, signed_in)
    assert "Reset a forgotten password" in browser.text
    assert "Answered from 0.80." in browser.text
    assert re.search(r"Score now 0\.\d\d\.", browser.text)
    assert 'value="add it.password-reset"' in browser.reply.text


async def test_a_viewer_reads_and_has_no_button(admin: AdminWorld, signed_in) -> None:
    ask(admin)
    browser, path = await at_cluster(admin, signed_in, Role.VIEWER)
    assert "Editors work on these questions." in browser.text
    assert f"{path}/act" not in browser.reply.text
    csrf = dict(browser.page.form("/admin/sign-out")["fields"])["csrf"]
    await browser.post(f"{path}/act", [("csrf", csrf), ("do", "discard")])
    assert browser.status == 403


async def test_a_matcher_that_is_away_leaves_the_questions(admin: AdminWorld, signed_in, monkeypatch) -> None:
    def away(*_args, **_more):
        raise NotServing("matcher_unavailable", "The question could not be matched.")

    monkeypatch.setattr(type(admin.administration.reviewing), "cluster_prospects", away)
    ask(admin)
    browser, path = await at_cluster(admin, signed_in)
    assert "Scores cannot be shown at the moment: —" in browser.text
    await browser.send(f"{path}/act", do="discard")
    assert states(admin) == {QuestionState.DISCARDED.value}


@pytest.mark.parametrize(
    ("typed", "told", "state"),
    [
        ({"do": "out"}, "Questions (1) that must be refused", QuestionState.DRAFTED),
        ({"do": "snooze", "days": "7"}, "Questions snoozed: 1.", QuestionState.SNOOZED),
        ({"do": "discard"}, "Questions discarded: 1.", QuestionState.DISCARDED),
    ],
)
async def test_a_deed_is_told_with_its_change_and_undone(
    admin: AdminWorld, signed_in, typed: dict[str, str], told: str, state: QuestionState
) -> None:
    ask(admin)
    browser, path = await at_cluster(admin, signed_in)
    await browser.send(f"{path}/act", **typed)
    assert browser.status == 200
    assert told in browser.text
    assert ("/admin/changes/change-1" in browser.reply.text) == (state is QuestionState.DRAFTED)
    assert states(admin) == {state.value}
    undo = next(form["action"] for form in browser.page.forms if form["action"].endswith("/undo"))
    await browser.send(undo)
    assert browser.status == 200
    assert "It is undone. The questions are back." in browser.text
    assert "Undone" in browser.text
    assert states(admin) == {"open"}
    await browser.open("/admin/unmatched")
    assert ASKED in browser.text


async def test_questions_become_a_prompt_in_a_real_change(make_admin) -> None:
    admin: AdminWorld = make_admin(keeps_changes=True)
    ask(admin)
    admin.user("bo", Role.EDITOR)
    browser = PlainBrowser(admin.browser())
    await browser.open("/admin/sign-in")
    await browser.send("/admin/sign-in", name="bo", password="nine patient otters")
    await browser.open("/admin/unmatched")
    path = re.search(r'href="(/admin/unmatched/clusters/[^"?]+)', browser.reply.text)[1]
    await browser.open(path)
    await browser.send(f"{path}/act", do="new")
    assert (browser.status, "Draft the prompt" in browser.text) == (200, True)
    form = dict(browser.page.form(f"{path}/act")["fields"])
    assert form["title"] == ASKED
    assert form["key"].endswith(".how-do-i-set-up-the-vpn-at-home")
    await browser.send(f"{path}/act", do="new", key="Not a key", owner="")
    assert browser.status == 422
    assert "Use small Latin letters" in browser.text
    assert "Say who answers for it." in browser.text
    await browser.send(f"{path}/act", do="new", key="it.vpn", area="it", owner="Network", answer="Open the app.")
    assert "New prompt from questions (1): it.vpn" in browser.text, browser.text
    (change,) = admin.changing.drafts.page(admin.access.users.named("bo").actor).changes
    assert [item.name for item in change.items] == ["it.vpn"]
    assert f"/admin/changes/{change.id}" in browser.reply.text
    await browser.open("/admin/unmatched?state=drafted")
    assert ASKED in browser.text


async def test_nothing_ticked_and_no_prompt_are_told_at_their_fields(admin: AdminWorld, signed_in) -> None:
    ask(admin)
    browser, path = await at_cluster(admin, signed_in)
    await browser.send(f"{path}/act", without=("target",), do="discard")
    assert (browser.status, "Tick at least one question." in browser.text) == (422, True)
    await browser.open(path)
    await browser.send(f"{path}/act", do="add", prompt="no key at all")
    assert (browser.status, "Give the key of a prompt" in browser.text) == (422, True)
    assert dict(browser.page.form(f"{path}/act")["fields"])["prompt"] == "no key at all"
    await browser.send(f"{path}/act", do="add", prompt="it.is-not-there")
    assert browser.status == 404
    assert states(admin) == {"open"}


async def test_two_people_at_one_question_do_not_undo_each_other(admin: AdminWorld, signed_in) -> None:
    ask(admin)
    browser, path = await at_cluster(admin, signed_in)
    fields = [*browser.page.form(f"{path}/act")["fields"], ("do", "snooze")]
    await browser.send(f"{path}/act", do="snooze")
    await browser.post(f"{path}/act?state=snoozed", fields)
    assert browser.status == 409
    assert "Nothing was saved yet." in browser.text


async def test_a_group_is_put_into_another(admin: AdminWorld, signed_in) -> None:
    ask(admin)
    ask(admin, "May dogs sleep under desks", times=3)
    browser, path = await at_cluster(admin, signed_in)
    await browser.send(f"{path}/act", do="merge")
    assert (browser.status, "Choose the group" in browser.text) == (422, True)
    into = re.search(r'<option value="([^":]+:\d+)"', browser.reply.text.split('id="f-into"')[1])[1]
    await browser.send(f"{path}/act", do="merge", into=into)
    assert "Groups put into another: 1." in browser.text
    assert browser.text.count("Different wordings: 2") == 1


async def test_words_of_people_stay_text(admin: AdminWorld, signed_in) -> None:
    ask(admin, '"><script>canary()</script>')
    browser, path = await at_cluster(admin, signed_in)
    assert "<script>canary" not in browser.reply.text
    assert "<script>canary()</script>" in browser.text
    await browser.send(f"{path}/act", do="new")
    assert "<script>canary" not in browser.reply.text


async def test_the_queue_of_another_tenant_is_not_there(admin: AdminWorld, signed_in) -> None:
    ask(admin, assistant="elsewhere")
    admin.user("all", Role.ADMIN)
    browser = await signed_in("all")
    await browser.open("/admin/unmatched")
    path = re.search(r'href="(/admin/unmatched/clusters/[^"?]+)', browser.reply.text)[1]
    admin.user("one", *Role, assistants=("helpdesk",))
    other = await signed_in("one")
    await other.open("/admin/unmatched")
    assert ASKED not in other.text
    await other.open(path)
    assert other.status == 404
