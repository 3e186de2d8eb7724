"""How often visitors may call, with when the next call is taken."""

import pytest

from store.people import OPERATOR
from tests.administration import AdminWorld
from tests.widget_world import BASE, INTRANET, ask, make_site

pytestmark = pytest.mark.anyio


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
