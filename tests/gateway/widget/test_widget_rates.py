"""How often visitors may call, with when the next call is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RateLimited
from gateway.widget.rates import Counted, Rates
from store.people import OPERATOR
from tests.administration import AdminWorld
from tests.widget_world import BASE, INTRANET, ask, make_site

pytestmark = pytest.mark.anyio


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@given(st.integers(1, 200), st.lists(st.floats(0, 30), max_size=100))
def test_over_any_time_no_more_are_taken_than_a_burst_and_the_steady_rate(per_minute: int, pauses) -> None:
    time, waits = Time(), []
    rates = Rates(clock=time)
    calls = [*[0.0] * (per_minute + 2), *pauses]
    for pause in calls:
        time.at += pause
        try:
            rates.take(Counted("a", per_minute))
        except RateLimited as error:
            waits.append(error.retry_after_s)
            time.at += error.retry_after_s
            rates.take(Counted("a", per_minute))  # what Retry-After says is true
    assert all(0 < wait <= 60 / per_minute + 1e-3 for wait in waits)
    assert len(calls) <= per_minute + time.at * per_minute / 60 + 1


def test_of_several_names_none_is_counted_when_one_is_used_up() -> None:
    rates = Rates(clock=Time())
    rates.take(Counted("narrow", 1))
    for _ in range(5):
        with pytest.raises(RateLimited):
            rates.take(Counted("wide", 2), Counted("narrow", 1))
    rates.take(Counted("wide", 2))
    rates.take(Counted("wide", 2))


def test_names_that_are_many_take_no_more_room() -> None:
    rates = Rates(clock=Time())
    for number in range(60_000):
        rates.take(Counted(str(number), 1))
    assert len(rates._full_at) == 50_000


@pytest.mark.parametrize("kind", ["session", "address", "origin"])
async def test_each_class_ends_in_429_with_the_time_to_wait(admin: AdminWorld, kind: str) -> None:
    many = {"session": 1000, "address": 1000, "origin": 1000}
    site = make_site(admin, rates=many | {kind: 3}, sign_in="optional")
    async with site.browser() as page:
        for number in range(3):
            if kind != "session":  # another session each time: it is not what counts
                await site.visit(page, site.token(sub=f"person {number}"))
            elif number == 0:
                await site.visit(page)
            assert (await ask(page)).status_code == 200
        told = await ask(page)
    assert (told.status_code, told.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(told.headers["retry-after"]) <= 20
    assert told.headers["access-control-allow-origin"] == INTRANET
    assert "retry-after" in told.headers["access-control-expose-headers"]


async def test_sessions_cannot_be_begun_without_end(admin: AdminWorld) -> None:
    site = make_site(admin, rates={"session": 1000, "address": 2, "origin": 1000}, sign_in="none")
    async with site.browser() as page:
        codes = [(await page.post(f"{BASE}/sessions", json={"client": site.client})).status_code for _ in range(22)]
    assert codes == [201] * 20 + [429] * 2


async def test_a_person_cannot_get_more_by_another_session(admin: AdminWorld) -> None:
    site = make_site(admin, rates={"session": 2, "address": 1000, "origin": 1000})
    codes = []
    async with site.browser() as page:
        for _ in range(4):
            await site.visit(page)
            codes.append((await ask(page)).status_code)
    assert codes == [200, 200, 429, 429]


async def test_rates_can_be_changed_while_people_ask(admin: AdminWorld) -> None:
    site = make_site(admin, rates={"session": 1, "address": 1000, "origin": 1000}, sign_in="none")
    async with site.browser() as page:
        await site.visit(page, None)
        assert (await ask(page)).status_code == 200
        before = int((await ask(page)).headers["retry-after"])
        rates = type(admin.administration.widgets.get(OPERATOR, site.client).settings.rates)(session=100)
        admin.administration.widgets.change(OPERATOR, site.client, {"rates": rates}, rev=1)
        after = int((await ask(page)).headers["retry-after"])
    assert (before, after) == (60, 1)
