"""A widget answers pages of the origins in its client's list, to the letter, on every route and method, and no other.

Routes come from the application itself: a new one is asked here without a line in this file.
"""

import re
from collections.abc import Iterator

import httpx
import pytest

from rails.engine import RailsPolicy
from store.database import open_database
from store.people import OPERATOR
from tests.administration import OWN_ORIGIN, AdminWorld
from tests.migrated import migrate_new
from tests.widget_world import BASE, INTRANET, PORTAL, VERBATIM, Site, ask, key, make_site
from tests.world import World

pytestmark = pytest.mark.anyio
LISTED = ["https://intranet.example", "https://intranet.example:8443", "http://localhost:8090"]
FOREIGN = {
    "suffix": "https://intranet.example.evil.test",
    "prefix": "https://evil-intranet.example",
    "subdomain": "https://a.intranet.example",
    "case": "https://INTRANET.example",
    "scheme": "http://intranet.example",
    "null": "null",
    "port": "https://intranet.example:444",
    "usual port": "https://intranet.example:443",
    "userinfo": "https://intranet.example@evil.test",
    "userinfo of ours": "https://evil.test@intranet.example",
    "trailing dot": "https://intranet.example.",
    "trailing slash": "https://intranet.example/",
    "path": "https://intranet.example/a",
    "punycode": "https://xn--ntranet-q2a.example",
    "regex dot": "https://intranetXexample",
    "two": "https://intranet.example https://evil.test",
    "list": "https://intranet.example, https://evil.test",
    "wildcard": "*",
    "empty": "",
    "blank before": "\thttps://intranet.example x",
    "other port of this machine": "http://localhost:8091",
    "address of this machine": "http://127.0.0.1:8090",
    "file": "file://",
    "extension": "chrome-extension://abcdefghijklmnop",
    "gateway over http": "http://gateway.test",
    "gateway's lookalike": "https://gateway.test.evil.test",
    "missing": None,
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PARAMETER = re.compile(r"\{(\w+):\w+\}")
IDS = {"client": "hr-portal", "key": "0190a0b0-0000-7000-8000-00000000dead", "conversation": "any"}


@pytest.fixture(scope="module")
def admin(policy: RailsPolicy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminWorld]:
    folder = tmp_path_factory.mktemp("widget-origins")
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(World(policy), database, folder)
    database.close()


@pytest.fixture(scope="module")
def site(admin: AdminWorld) -> Site:
    rates = {"session": 10**6, "address": 10**6, "origin": 10**6}
    return make_site(admin, origins=LISTED, sign_in="optional", rates=rates)


@pytest.fixture(scope="module")
def other(admin: AdminWorld) -> Site:
    return make_site(admin, "portal", origins=[PORTAL], sign_in="none")


def operations(admin: AdminWorld) -> list[tuple[str, str]]:
    paths = sorted(route.path for route in admin.app.routes if route.path.startswith("/widget/"))
    assert len(paths) >= 6
    return [(method, _PARAMETER.sub(lambda found: IDS[found[1]], path)) for path in paths for method in METHODS]


def sent_with(method: str, path: str, site: Site) -> dict[str, object]:
    if method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        return {}
    if path.endswith("/sessions"):
        return {"json": {"client": site.client, "token": site.token()}}
    return {"json": {"message": VERBATIM}}


@pytest.mark.parametrize("name", FOREIGN)
async def test_no_lookalike_of_a_listed_origin_is_let_in_anywhere(admin: AdminWorld, site: Site, name: str) -> None:
    async with site.browser() as page:
        session = (await site.visit(page))["session"]
    async with site.browser(FOREIGN[name]) as page:
        page.headers["authorization"] = f"Bearer {session}"
        before = len(admin.world.decisions.kept)
        for method, path in operations(admin):
            told = await page.request(method, path, headers=key(), **sent_with(method, path, site))
            assert told.status_code in (403, 405), (name, method, path, told.text)
            assert "access-control-allow-origin" not in told.headers
            assert "access-control-allow-methods" not in told.headers
            if told.status_code == 403 and method != "HEAD":
                assert told.json()["error"]["code"] == "origin_not_allowed"
    assert len(admin.world.decisions.kept) == before


async def test_a_listed_origin_is_let_in_and_told_back_alone(admin: AdminWorld, site: Site) -> None:
    for origin in LISTED:
        async with site.browser(origin) as page:
            await site.visit(page)
            told = await ask(page)
            assert told.status_code == 200
            assert told.headers.get_list("access-control-allow-origin") == [origin]
            for _, path in operations(admin):
                asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
                allowed = await page.options(path, headers=asked)
                assert allowed.status_code == 204
                assert allowed.headers["access-control-allow-origin"] == origin
                assert allowed.headers["access-control-max-age"] == "600"
                assert "authorization" in allowed.headers["access-control-allow-headers"]
                assert "access-control-allow-credentials" not in allowed.headers


async def test_two_origins_at_once_are_none(site: Site) -> None:
    for origins in ([INTRANET, INTRANET], [INTRANET, "https://evil.test"]):
        async with site.browser(None) as page:
            told = await page.get(f"{BASE}/clients/hr-portal", headers=[("origin", one) for one in origins])
            assert told.status_code == 403


async def test_another_clients_origin_opens_nothing_of_this_one(admin: AdminWorld, site: Site, other: Site) -> None:
    async with site.browser() as page:
        session = (await site.visit(page))["session"]
        answered = (await ask(page)).json()
    async with other.browser() as page:
        for wanted in (
            page.get(f"{BASE}/clients/hr-portal"),
            page.post(f"{BASE}/sessions", json={"client": "hr-portal", "token": site.token()}),
            page.post(f"{BASE}/sessions", json={"client": "hr-portal"}),
            page.get(f"{BASE}/clients/not-there"),
            page.post(f"{BASE}/sessions", json={"client": "not-there"}),
        ):
            told = await wanted
            assert (told.status_code, told.json()["error"]["code"]) == (403, "origin_not_allowed")
        page.headers["authorization"] = f"Bearer {session}"
        for method, path in operations(admin):
            if method == "OPTIONS" or path.endswith(("/sessions", "/hr-portal")):
                continue
            told = await page.request(method, path, headers=key(), **sent_with(method, path, site))
            assert told.status_code in (403, 405), (method, path)
        # and its own session reads nothing of the other's
        await other.visit(page, None)
        told = await page.get(f"{BASE}/conversations/{answered['conversation']}")
        assert told.status_code == 404


async def test_a_session_is_good_at_the_origin_alone_that_it_was_begun_for(site: Site) -> None:
    async with site.browser(LISTED[0]) as page:
        session = (await site.visit(page))["session"]
    for origin in LISTED[1:]:
        async with site.browser(origin) as page:
            page.headers["authorization"] = f"Bearer {session}"
            told = await ask(page)
            assert (told.status_code, told.json()["error"]["code"]) == (403, "origin_not_allowed")


@pytest.mark.parametrize(
    "token", ["", "cgw_", "cgw_" + "a" * 43, "cg_aaaaaaaa_" + "b" * 43, "x" * 47, "cgw_" + "a" * 42 + "\u00e9"]
)
async def test_without_a_session_nothing_is_asked(admin: AdminWorld, site: Site, token: str) -> None:
    async with site.browser() as page:
        for method, path in operations(admin):
            if method == "OPTIONS" or path.endswith(("/sessions", "/hr-portal")):
                continue
            headers = httpx.Headers(key() | {"authorization": f"Bearer {token}"}, encoding="latin-1")
            told = await page.request(method, path, headers=headers, **sent_with(method, path, site))
            assert told.status_code in (401, 405), (method, path, told.status_code)
            if told.status_code == 401 and method != "HEAD":
                assert told.json()["error"]["code"] == "session_expired"


async def test_neither_a_key_nor_a_session_of_people_opens_the_widget_and_the_other_way_round(
    admin: AdminWorld, site: Site
) -> None:
    async with site.browser() as page:
        await site.visit(page)
        token = page.headers["authorization"]
        page.headers["authorization"] = f"Bearer {admin.world.key()}"
        assert (await ask(page)).status_code == 401
        page.headers["authorization"] = token
        for path in ("/v1/models", "/v1/admin/widget-clients", "/v1/admin/whoami"):
            assert (await page.get(path)).status_code == 401


async def test_the_gateways_own_frame_counts_as_an_origin_and_no_other_name_of_it_does(site: Site) -> None:
    async with site.browser(None) as page:
        same = {"sec-fetch-site": "same-origin"}
        own = await page.get(f"{BASE}/clients/hr-portal", headers=same)
        assert own.status_code == 200
        assert "access-control-allow-origin" not in own.headers
        for headers in (
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"sec-fetch-site": "cross-site"},
            same | {"host": "rebound.evil.test"},
            same | {"host": "gateway.test:444"},
        ):
            assert (await page.get(f"{BASE}/clients/hr-portal", headers=headers)).status_code == 403
        begun = await page.post(
            f"{BASE}/sessions", json={"client": "hr-portal"}, headers={"origin": OWN_ORIGIN, **same}
        )
        assert begun.status_code == 201
        rebound = {"origin": "http://rebound.evil.test", "host": "rebound.evil.test", **same}
        told = await page.post(f"{BASE}/sessions", json={"client": "hr-portal"}, headers=rebound)
        assert told.status_code == 403


async def test_who_may_frame_the_page_is_the_clients_list_with_the_gateway_and_nobody_for_an_unknown_one(
    site: Site,
) -> None:
    async with site.browser(None) as page:
        known = await page.get("/embed/chat", params={"client": "hr-portal", "lang": "en"})
        unknown = await page.get("/embed/chat", params={"client": "not-there"})
        none = await page.get("/embed/chat")
    assert known.status_code == 200
    policy = dict(part.strip().partition(" ")[::2] for part in known.headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"].split() == [*LISTED, OWN_ORIGIN], "the gateway's own pages preview it"
    assert (policy["default-src"], policy["require-trusted-types-for"]) == ("'none'", "'script'")
    assert f'client="hr-portal" lang="en" data-origins="{" ".join(LISTED)}">' in known.text, "no other page is asked"
    for told in (unknown, none):
        assert told.status_code == 404
        assert "frame-ancestors 'none'" in told.headers["content-security-policy"]


async def test_an_origin_that_is_taken_from_the_list_ends_its_sessions(admin: AdminWorld) -> None:
    site = make_site(admin, "moving", origins=["https://old.example", "https://new.example"])
    async with site.browser() as page:
        await site.visit(page)
        assert (await ask(page)).status_code == 200
        given = {"origins": ("https://new.example",)}
        admin.administration.widgets.change(OPERATOR, "moving", given, rev=1)
        told = await ask(page)
    assert (told.status_code, told.json()["error"]["code"]) == (403, "origin_not_allowed")
