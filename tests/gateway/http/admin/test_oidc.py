"""People sign in at a real provider; whatever is not right about its answer lets nobody in."""

from collections.abc import Iterator

import httpx
import pytest
from joserfc.jwk import RSAKey

from gateway.access_settings import OidcGrantSettings, OidcSettings
from gateway.settings import Settings
from store.people import OPERATOR, Role
from tests.administration import AdminWorld
from tests.oidc_server import CLIENT, REDIRECT, SECRET, OidcServer

pytestmark = pytest.mark.anyio
OIDC = "/v1/admin/oidc"
COOKIE = "__Host-canongate"
GRANTS = (
    OidcGrantSettings(value="editors", role=Role.EDITOR, areas=("it",), assistants=("helpdesk",)),
    OidcGrantSettings(value="shop", role=Role.EDITOR, areas=("it",), assistants=("shop",)),
    OidcGrantSettings(value="readers", role=Role.VIEWER, assistants=("shop",)),
    OidcGrantSettings(value="chiefs", role=Role.ADMIN),
)


@pytest.fixture
def provider() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture
def admin(make_admin, provider: OidcServer) -> AdminWorld:
    settings = OidcSettings(
        issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET, redirect_url=REDIRECT, grants=GRANTS
    )
    return make_admin(oidc=settings)


async def start(browser: httpx.AsyncClient, provider: OidcServer) -> dict[str, str]:
    begun = await browser.get(f"{OIDC}/start")
    assert begun.status_code == 303, begun.text
    return provider.sign_in(begun.headers["location"])


async def come_back(browser: httpx.AsyncClient, provider: OidcServer) -> httpx.Response:
    return await browser.get(f"{OIDC}/callback", params=await start(browser, provider))


async def test_somebody_new_signs_in_with_the_roles_that_their_groups_give(admin, provider) -> None:
    provider.claims |= {"email": "ada@tarnwick.example", "email_verified": True, "groups": ["editors", "shop", "x"]}
    async with admin.browser() as browser:
        assert (await browser.get(OIDC)).json() == {"is_on": True, "title": "Single sign-on"}
        told = await come_back(browser, provider)
        assert told.status_code == 200
        assert "/admin/" in told.text
        session = (await browser.get("/v1/admin/session")).json()
    user = session["user"]
    assert (user["name"], user["mail"], session["method"]) == ("ada", "ada@tarnwick.example", "oidc")
    assert user["grants"] == [{"role": "editor", "areas": ["it"]}]
    assert user["assistants"] == ["helpdesk", "shop"]
    done = [one.action for one in admin.audit.entries()]
    assert done == ["user.created", "session.started"]


async def test_the_cookie_of_the_way_there_is_lax_and_gone_afterwards_and_the_sessions_is_strict(
    admin, provider
) -> None:
    async with admin.browser() as browser:
        begun = await browser.get(f"{OIDC}/start")
        (cookie,) = begun.headers.get_list("set-cookie")
        assert "samesite=lax" in cookie.lower()
        assert "httponly" in cookie.lower()
        told = await browser.get(f"{OIDC}/callback", params=provider.sign_in(begun.headers["location"]))
        assert "samesite=strict" in told.headers.get_list("set-cookie")[0].lower()
        assert f"{COOKIE}-sign-in" not in browser.cookies


async def test_the_same_subject_is_the_same_person_and_roles_are_those_of_today(admin, provider) -> None:
    async with admin.browser() as browser, admin.browser() as other:
        await come_back(browser, provider)
        first = (await browser.get("/v1/admin/session")).json()["user"]
        provider.claims |= {"groups": "chiefs", "preferred_username": "renamed"}
        await come_back(other, provider)
        second = (await other.get("/v1/admin/session")).json()["user"]
        assert second["id"] == first["id"]
        assert second["grants"] == [{"role": "admin", "areas": []}]
        assert second["assistants"] == []
        assert (await browser.get("/v1/admin/session")).status_code == 401, "roles changed: the old session ended"


async def test_an_address_or_a_name_takes_nobodys_account(admin, provider) -> None:
    chief = admin.user("ada", Role.ADMIN, mail="ada@tarnwick.example")
    provider.claims |= {"email": "ada@tarnwick.example", "email_verified": True}
    async with admin.browser() as browser:
        await come_back(browser, provider)
        user = (await browser.get("/v1/admin/session")).json()["user"]
    assert user["id"] != chief.id
    assert user["mail"] is None
    assert user["name"].startswith("ada ")
    assert [one["role"] for one in user["grants"]] == ["editor"]


async def test_another_subject_is_another_person(admin, provider) -> None:
    ids = set()
    for subject in ("7", "8"):
        provider.claims["sub"] = subject
        async with admin.browser() as browser:
            await come_back(browser, provider)
            ids.add((await browser.get("/v1/admin/session")).json()["user"]["id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another client"},
        {"aud": None},
        {"aud": ["another", CLIENT], "azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 300},
        {"iat": None},
        {"at_hash": "bm90IGl0"},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_lets_nobody_in(admin, provider, changed) -> None:
    provider.changed = changed
    await refused(admin, provider, 401, "sign_in_failed")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS384"])
async def test_a_token_with_another_kind_of_signature_lets_nobody_in(admin, provider, algorithm) -> None:
    provider.algorithm = algorithm
    await refused(admin, provider, 401, "sign_in_failed")


async def test_a_token_that_somebody_else_signed_lets_nobody_in(admin, provider) -> None:
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
    await refused(admin, provider, 401, "sign_in_failed")


async def refused(admin: AdminWorld, provider: OidcServer, status: int, code: str) -> None:
    async with admin.browser() as browser:
        told = await come_back(browser, provider)
        assert (told.status_code, told.json()["code"]) == (status, code)
        assert COOKIE not in browser.cookies
    assert admin.count("sessions") == 0
    assert admin.count("users") == 0


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_first_used(admin, provider) -> None:
    async with admin.browser() as browser:
        assert (await come_back(browser, provider)).status_code == 200
        assert (await come_back(browser, provider)).status_code == 200
        assert provider.key_requests == 1
        keys = admin.access.oidc._provider
        keys._keys = (keys._keys[0] - 60, keys._keys[1])
        provider.rotate()
        assert (await come_back(browser, provider)).status_code == 200
        assert provider.key_requests == 2


async def test_unknown_keys_do_not_make_us_ask_all_the_time(admin, provider) -> None:
    async with admin.browser() as browser:
        await come_back(browser, provider)
        provider.key = RSAKey.generate_key(2048, parameters={"kid": "never published"})
        for _ in range(3):
            assert (await come_back(browser, provider)).status_code == 401
    assert provider.key_requests <= 2


async def test_a_state_is_good_once_and_in_the_browser_that_began(admin, provider) -> None:
    async with admin.browser() as browser, admin.browser() as other:
        query = await start(browser, provider)
        stolen = await other.get(f"{OIDC}/callback", params=query)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "sign_in_expired")
        query = await start(browser, provider)
        kept = httpx.Cookies(browser.cookies)
        assert (await browser.get(f"{OIDC}/callback", params=query)).status_code == 200
        browser.cookies = kept
        again = await browser.get(f"{OIDC}/callback", params=query)
        assert (again.status_code, again.json()["code"]) == (401, "sign_in_expired")


async def test_a_state_is_good_for_ten_minutes(admin, provider) -> None:
    async with admin.browser() as browser:
        query = await start(browser, provider)
        admin.clock.pass_by(minutes=10)
        assert (await browser.get(f"{OIDC}/callback", params=query)).json()["code"] == "sign_in_expired"


@pytest.mark.parametrize("query", [{}, {"state": "x"}, {"state": "x", "code": ""}, {"state": ["x", "y"], "code": "z"}])
async def test_a_way_back_without_what_is_needed_is_refused(admin, query) -> None:
    async with admin.browser() as browser:
        assert (await browser.get(f"{OIDC}/callback", params=query)).status_code == 400


async def test_a_code_that_the_provider_does_not_know_lets_nobody_in(admin, provider) -> None:
    async with admin.browser() as browser:
        query = await start(browser, provider)
        told = await browser.get(f"{OIDC}/callback", params={**query, "code": "guessed"})
    assert (told.status_code, told.json()["code"]) == (401, "sign_in_failed")


async def test_who_has_no_group_of_ours_and_who_is_disabled_is_not_let_in(admin, provider) -> None:
    async with admin.browser() as browser:
        provider.claims["groups"] = ["strangers", 7, None]
        told = await come_back(browser, provider)
        assert (told.status_code, told.json()["code"]) == (403, "no_grants")
        provider.claims["groups"] = ["editors"]
        await come_back(browser, provider)
        user = admin.access.users.named("ada")
        admin.access.users.disable(OPERATOR, user.id, rev=user.rev)
        assert (await come_back(browser, provider)).status_code == 403
    reasons = [one.details["reason"] for one in admin.audit.entries() if one.action == "session.refused"]
    assert reasons == ["no grants", "disabled"]


async def test_a_role_for_one_assistant_never_reaches_those_of_another_group(admin, provider) -> None:
    for groups in (["editors", "readers"], ["chiefs", "readers"]):
        async with admin.browser() as browser:
            provider.claims["groups"] = groups
            told = await come_back(browser, provider)
            assert (told.status_code, told.json()["code"]) == (403, "no_grants")
            assert "different roles for different assistants" in told.json()["detail"]


async def test_a_provider_that_is_away_or_calls_itself_otherwise_is_told(admin, provider) -> None:
    async with admin.browser() as browser:
        provider.is_away = True
        told = await browser.get(f"{OIDC}/start")
        assert (told.status_code, told.json()["code"]) == (503, "provider_unavailable")
        provider.is_away, provider.said_issuer = False, "https://evil.example"
        assert (await browser.get(f"{OIDC}/start")).status_code == 503


async def test_without_a_provider_there_is_no_way_to_one(make_admin) -> None:
    admin = make_admin()
    async with admin.browser() as browser:
        assert (await browser.get(OIDC)).json() == {"is_on": False, "title": None}
        assert (await browser.get(f"{OIDC}/start")).status_code == 404
        assert (await browser.get(f"{OIDC}/callback", params={"state": "x", "code": "y"})).status_code == 404


def test_the_settings_take_no_provider_that_others_can_listen_to() -> None:
    good = {"client_id": "x", "redirect_url": REDIRECT, "grants": GRANTS}
    assert Settings(oidc=OidcSettings(issuer="https://id.tarnwick.example", **good))
    for bad in ("http://id.tarnwick.example", "id.tarnwick.example", "ftp://127.0.0.1"):
        with pytest.raises(ValueError, match="https"):
            OidcSettings(issuer=bad, **good)
    with pytest.raises(ValueError, match=r"oidc\.grants"):
        OidcSettings(issuer="https://id.tarnwick.example", client_id="x", redirect_url=REDIRECT)
    with pytest.raises(ValueError, match=r"oidc\.issuer"):
        OidcSettings(client_id="x")
    assert "secret" not in repr(OidcSettings(issuer="https://x.example", client_secret="a secret", **good))


@pytest.mark.parametrize(
    ("query", "status", "words", "arabic"),
    [
        ({"error": "access_denied"}, 401, "The provider did not let you in", "لم يسمح لك المزوّد"),
        ({"state": "x", "code": "y"}, 401, "This sign-in took too long", "استغرق تسجيل الدخول"),
    ],
)
async def test_a_person_who_is_not_let_in_reads_why_on_a_page(admin, query, status, words, arabic) -> None:
    async with admin.browser() as browser:
        for language, wanted in (("en", words), ("ar", arabic)):
            headers = {"accept": "text/html,*/*;q=0.8", "accept-language": language}
            told = await browser.get(f"{OIDC}/callback", params=query, headers=headers)
            assert (told.status_code, told.headers["content-language"]) == (status, language)
            assert told.headers["content-type"].startswith("text/html")
            assert "script-src 'self'" in told.headers["content-security-policy"]
            assert wanted in told.text
            assert 'href="/v1/admin/oidc/start"' in told.text
        plain = await browser.get(f"{OIDC}/callback", params=query)
        assert plain.headers["content-type"].startswith("application/problem+json")


async def test_a_person_whom_no_group_lets_in_reads_it_on_a_page(admin, provider) -> None:
    page = {"accept": "text/html"}
    provider.claims["groups"] = ["nobody"]
    async with admin.browser() as browser:
        told = await browser.get(f"{OIDC}/callback", params=await start(browser, provider), headers=page)
        assert (told.status_code, "your groups give nothing here" in told.text) == (403, True)


async def test_a_provider_that_is_away_is_told_on_a_page(admin, provider) -> None:
    provider.is_away = True
    async with admin.browser() as browser:
        told = await browser.get(f"{OIDC}/start", headers={"accept": "text/html"})
    assert (told.status_code, "does not answer as it should" in told.text) == (503, True)
