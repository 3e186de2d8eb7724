"""Analytics on a page: every drawing has its figures as a table, in every period, with much, little and nothing."""

import dataclasses
import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.pages.charts import Plane, nice_top
from store.matches import Gate
from store.people import Role
from store.repositories.decisions import Decisions
from store.types import Decision, Outcome
from tests.administration import AdminWorld

pytestmark = pytest.mark.anyio


def keep(admin: AdminWorld, count: int, outcome: Outcome = Outcome.ANSWERED, **more) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"assistant": "helpdesk", "principal": "caller", "source": "generate", "message_chars": 5, "slots": {}}
    fields |= {"has_quoted_text": False, "rails": (), "policy": "p", "store_revision": 1, "policy_revision": 1}
    fields |= {"prompt_tokens": 0, "completion_tokens": 0, "failed": False}
    fields |= {"timings_ms": {"input_rails": 2.0, "match": 8.0, "total": 20.0}}
    for number in range(count):
        at = admin.clock.at - dt.timedelta(minutes=7 * number)
        made = {"id": f"{outcome}-{more.get('score')}-{number}", "at": at, "outcome": outcome}
        Decisions(admin.database).add(Decision(**(fields | made | more)))


async def test_nothing_says_since_when_there_is_nothing(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/analytics?period=24h")
    assert "No question in this period" in browser.text
    assert "28 Nov 2026" in browser.text
    assert "Show 30 days" in browser.text
    assert "What another limit would do" in browser.text, "the control stays"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
async def test_every_chart_stands_over_its_table(admin: AdminWorld, signed_in, period: str, language: str) -> None:
    keep(admin, 30, prompt_key="it.password-reset", score=0.91, gate=Gate.ACCEPTED, method="similar")
    keep(admin, 10, Outcome.NO_MATCH, score=0.42, gate=Gate.BELOW_LIMIT)
    stopped = ({"name": "secrets", "stage": "input", "status": "blocked"},)
    keep(admin, 5, Outcome.BLOCKED_INPUT, rails=stopped)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada", language=language)
    await browser.open(f"/admin/analytics?period={period}")
    assert browser.status == 200
    charts = browser.reply.text.count('role="img"')
    assert charts == 3
    for drawing in re.findall(r'<svg class="chart.*?(?=<svg class="chart|\Z)', browser.reply.text, re.DOTALL):
        assert "<table" in drawing
    if language == "en":
        assert "45 questions in all" in browser.reply.text.replace("\u2068", "").replace("\u2069", "")
        assert "Reset a forgotten password" in browser.text
        assert "Secrets" in browser.text
        assert "67 %" in browser.text


async def test_another_limit_is_counted_from_the_scores(admin: AdminWorld, signed_in) -> None:
    keep(admin, 6, score=0.91, gate=Gate.ACCEPTED, method="similar", prompt_key="it.password-reset")
    keep(admin, 4, Outcome.CLARIFY, score=0.72, gate=Gate.BELOW_LIMIT)
    keep(admin, 3, Outcome.NO_MATCH, score=0.31, gate=Gate.BELOW_LIMIT)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/analytics?assistant=helpdesk&limit=0.7")
    assert "Answered from 0.80." in browser.text
    assert "0.80 live 643" in browser.text
    assert "0.70 10 +40 \N{MINUS SIGN}43 ±0" in browser.text
    await browser.open("/admin/analytics?limit=nonsense")
    assert browser.status == 200


async def test_what_cannot_be_asked_for_is_told(admin: AdminWorld, signed_in) -> None:
    keep(admin, 2)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/analytics?assistant=gone")
    assert "No question in this period" in browser.text
    await browser.open("/admin/analytics?period=forever")
    assert (browser.status, "Clear the filters" in browser.text) == (400, True)


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=2, max_size=2), min_size=1, max_size=40), st.booleans())
def test_columns_stay_on_their_plane_and_do_not_overlap(rows: list[list[int]], is_mirrored) -> None:
    drawn = Plane(is_mirrored).columns([[("a", row[0]), ("b", row[1])] for row in rows])
    assert drawn.top >= max(map(sum, rows))
    for part in drawn.parts:
        assert -1e-6 <= part.x <= part.x + part.width <= 100 + 1e-6
        assert -1e-6 <= part.y <= part.y + part.height <= 100 + 1e-6
    assert sum(part.height for part in drawn.parts) == pytest.approx(sum(map(sum, rows)) / drawn.top * 100)


def test_a_line_leaves_a_gap_where_nothing_was_measured() -> None:
    assert Plane().line([1.0, None, 2.0, 4.0], 4.0) == "M9.50 75.00h6.00M62.50 50.00L87.50 0.00"
    assert Plane().line([None, 2.0], 4.0) == "M72.00 50.00h6.00"
    assert Plane().line([2.0], 4.0) == "M47.00 50.00h6.00"
    assert Plane().spark([0, 1, 2]) == "M50.0 100V50M83.3 100V0"
    assert [nice_top(one) for one in (0, 1, 3, 10, 11, 4999, 5001)] == [1, 1, 3, 10, 15, 5000, 6000]


async def test_where_nothing_was_answered_there_are_words_in_place_of_a_line(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    keep(admin, 2, Outcome.BLOCKED_INPUT, timings_ms={})
    await browser.open("/admin/analytics")
    assert "No answers in this time, so that there is nothing to measure." in browser.text
    keep(admin, 3)
    await browser.open("/admin/analytics")
    assert "Where there is no line, there were no answers in this time." in browser.text
    assert "there is nothing to measure" not in browser.text
