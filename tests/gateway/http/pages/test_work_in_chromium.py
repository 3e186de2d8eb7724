"""Pages about work that goes on, in a real browser: they follow it, and whoever is at work there stays in place."""

from collections.abc import Iterator

import pytest

from gateway.access_settings import AccessSettings
from store.changes.evidence import GateResult, GateRun
from store.changes.suite_runs import CaseResult, SuiteRuns
from store.changes.types import Change
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.test_page_scripts import needs_browser
from tests.gateway.http.pages.test_suite_pages import NAME, make_live
from tests.real_browser import Watched, watching

pytestmark = [pytest.mark.browser, needs_browser]
PATIENCE_MS = 60_000


@pytest.fixture
def admin(make_admin) -> AdminWorld:
    made: AdminWorld = make_admin(AccessSettings(plain_http=True))
    made.user("ada", Role.ADMIN, Role.EDITOR)
    make_live(made)
    return made


@pytest.fixture
def watched(admin: AdminWorld) -> Iterator[Watched]:
    with watching(admin.app) as found:
        found.page.set_default_timeout(PATIENCE_MS)
        yield found


def test_a_test_set_that_runs_leaves_the_focus_and_the_choice_beside_it(admin: AdminWorld, watched: Watched) -> None:
    page, runs, actor = watched.page, SuiteRuns(admin.database), admin.access.users.named("ada").actor
    came = tuple(CaseResult(case=one, expected="a", got="a", is_right=True) for one in ("vpn", "evil"))

    def begun():
        return runs.start(actor, NAME, "helpdesk", live_revision=1, total=2, at=admin.clock.at)[0].id

    for _ in range(3):
        admin.clock.pass_by(minutes=1)
        runs.finish(begun(), came, at=admin.clock.at)
    admin.clock.pass_by(minutes=1)
    running = begun()
    page.goto(f"{watched.address}/admin/suites/{NAME}")
    baseline = page.locator("#q-baseline")
    baseline.focus()
    baseline.select_option(index=1)
    chosen = baseline.input_value()
    runs.tell(running, 1, at=admin.clock.at)
    page.locator("progress[value='1']").wait_for()
    assert page.evaluate("document.activeElement.id") == "q-baseline"
    assert baseline.input_value() == chosen
    runs.finish(running, came, at=admin.clock.at)
    page.locator("progress").wait_for(state="detached")
    assert page.get_by_role("button", name="Run it against what is live").is_visible()


def drafted(admin: AdminWorld, watched: Watched) -> Change:
    """Gives a change with another title of a prompt."""
    page = watched.page
    page.goto(f"{watched.address}/admin/prompts/it.vpn/edit")
    page.locator("#f-title").press_sequentially(" of Zoe")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    (change,) = admin.changing.drafts.page(admin.access.users.named("ada").actor).changes
    return change


def begun(admin: AdminWorld, change: Change) -> GateRun:
    """Starts a run of the gate that only a test takes further."""
    actor = admin.access.users.named("ada").actor
    with admin.database.writing() as session:
        return admin.changing.runs.start(change, 1, actor, at=admin.clock.at, session=session)


def finish(admin: AdminWorld, run: GateRun) -> None:
    """Ends a run of the gate."""
    with admin.database.writing() as session:
        admin.changing.runs.finish(run.id, GateResult(problems=()), at=admin.clock.at, session=session)


def test_a_gate_is_followed_without_loading_its_page_again(admin: AdminWorld, watched: Watched) -> None:
    page, change = watched.page, drafted(admin, watched)
    run = begun(admin, change)
    page.goto(f"{watched.address}/admin/changes/{change.id}/gate")
    assert '<noscript><meta http-equiv="refresh"' in page.context.request.get(page.url).text()
    page.evaluate("window.isFirst = true")
    page.get_by_role("link", name="Back to the change").focus()
    admin.changing.runs.tell(run.id, "matching", 3, 9, at=admin.clock.at)
    page.get_by_text("3 / 9").wait_for()
    assert page.evaluate("window.isFirst && document.activeElement.textContent") == "Back to the change"
    with page.expect_navigation(timeout=PATIENCE_MS):
        finish(admin, run)
    assert page.get_by_text("Finished").is_visible()
    assert not page.locator("[data-work]").count()


def test_a_gate_that_a_refused_form_led_to_is_followed_and_the_form_is_sent_once(
    admin: AdminWorld, watched: Watched
) -> None:
    page, change, sent = watched.page, drafted(admin, watched), list[str]()
    page.goto(f"{watched.address}/admin/changes/{change.id}/gate")
    actor = admin.access.users.named("ada").actor
    run = begun(admin, admin.changing.drafts.describe(actor, change.id, rev=change.rev, note="Nobody understood it."))
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Run the gate").click()
    page.locator("[data-work]").wait_for()
    admin.changing.runs.tell(run.id, "matching", 3, 9, at=admin.clock.at)
    page.get_by_text("3 / 9").wait_for()
    finish(admin, run)
    page.get_by_text("Finished").wait_for()
    assert len(sent) == 1
    watched.complaints[:] = [one for one in watched.complaints if "409" not in one]
