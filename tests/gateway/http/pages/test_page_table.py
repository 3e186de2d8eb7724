"""Every page, for every role: the table says who opens it, and nothing else does."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from litestar import get

from gateway.app import create_app
from gateway.http.pages.guard import is_page_path, require_page_table
from gateway.http.pages.handlers import PAGE_HANDLERS
from gateway.http.pages.page_table import OPEN_PAGES, PAGES
from gateway.http.pages.sign_in import safe_path
from gateway.http.pages.texts import LANGUAGES
from gateway.limit_settings import LimitSettings
from store.database import open_database
from store.people import Role
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.plain_browser import Page
from tests.samples import registry
from tests.samples.registry import MINE, SAMPLES, THEIRS, filled
from tests.world import World

pytestmark = pytest.mark.anyio
registry.load_samples()
STREAMS = {"GET /admin/audit/export"}
THINGS = (
    "assistant_name",
    "user_id",
    "key_id",
    "client_id",
    "decision_id",
    "prompt_key",
    "change_id",
    "cluster",
    "action",
    "suite_name",
    "import_id",
)
"""What pages are about, as far as their address names it."""


@pytest.fixture(scope="module")
def everything(policy, tmp_path_factory) -> Iterator[AdminWorld]:
    folder = tmp_path_factory.mktemp("pages")
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(World(policy, limits=LimitSettings(requests_per_minute=10**9)), database, folder)
    database.close()


async def ask(admin: AdminWorld, name: str, path: str, *, user=None, language="en", has_csrf=True, **headers):
    method = name.split(maxsplit=1)[0]
    fields = {}
    if user is not None:
        made = admin.session(user)
        headers["cookie"] = f"__Host-canongate={made.token}"
        fields = {"csrf": made.signed_in.csrf} if has_csrf else {}
    headers |= {"accept-language": language, "sec-fetch-site": headers.pop("site", "same-origin")}
    async with admin.browser() as client:
        if method == "GET":
            return await client.get(path, headers=headers)
        return await client.post(path, data=fields or {"x": "1"}, headers=headers)


def paths(admin: AdminWorld, names) -> Iterator[tuple[str, str]]:
    made = {one: SAMPLES[one](admin, MINE) for one in THINGS}
    for name in sorted(names):
        yield name, filled(name.split()[1], made)


def test_the_table_names_every_page_of_the_application(everything: AdminWorld) -> None:
    there = {
        f"{method} {route.path}"
        for route in everything.app.routes
        if is_page_path(route.path)
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    assert there == PAGES.keys() | OPEN_PAGES
    assert not PAGES.keys() & OPEN_PAGES


def test_a_page_that_the_table_lacks_keeps_the_gateway_from_starting() -> None:
    @get("/admin/forgotten")
    async def forgotten() -> str:
        return "open"

    with pytest.raises(TypeError, match="forgotten"):
        require_page_table((*PAGE_HANDLERS, forgotten))
    with pytest.raises(TypeError, match="people"):
        require_page_table([one for one in PAGE_HANDLERS if "/admin/people" not in one.paths])


async def test_a_page_that_was_added_behind_the_table_opens_to_nobody(everything: AdminWorld) -> None:
    @get("/admin/forgotten")
    async def forgotten() -> str:
        return "open"

    app = create_app(everything.components)
    app.register(forgotten)
    everything.app, kept = app, everything.app
    told = await ask(everything, "GET", "/admin/forgotten", user=everything.user("knows all", *Role))
    everything.app = kept
    assert told.status_code == 403


async def test_nobody_is_sent_to_sign_in_and_comes_back_to_where_they_wanted(everything: AdminWorld) -> None:
    for name, path in paths(everything, PAGES):
        told = await ask(everything, name, path)
        if name.startswith("GET"):
            assert told.status_code == 303, name
            assert told.headers["location"] == f"/admin/sign-in?next={path}", name
        else:
            assert told.status_code in (303, 401), name


async def test_open_pages_answer_without_a_session(everything: AdminWorld) -> None:
    for name, path in paths(everything, OPEN_PAGES):
        told = await ask(everything, name, path)
        assert told.status_code in (200, 303, 401, 422), (name, told.status_code)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_a_role_opens_the_pages_of_the_table_and_no_other(everything: AdminWorld, role, language) -> None:
    user = everything.user(f"page {role} {language}", *([role] if role else []))
    for name, path in paths(everything, PAGES):
        told = await ask(everything, name, path, user=user, language=language)
        assert told.status_code < 500, (role, name, told.text)
        if role in PAGES[name]:
            refused = "This page is not for you" in told.text
            assert not refused, (role, name)
        else:
            assert told.status_code == 403, (role, name)
        if told.headers["content-type"].startswith("text/html"):
            require_sound(told, language)


def require_sound(told, language: str) -> None:
    """What holds for every page, whoever sees it."""
    page = Page(told.text)
    html = next(values for tag, values in page.tags if tag == "html")
    assert (html["lang"], html["dir"]) == (language, LANGUAGES[language].direction)
    assert page.count("h1") == 1
    assert page.count("title") == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    labelled = {values["for"] for tag, values in page.tags if tag == "label" and "for" in values}
    ids = [values["id"] for _, values in page.tags if values.get("id")]
    assert len(ids) == len(set(ids)), "an id is there twice"
    assert labelled <= set(ids)
    for tag, values in page.tags:
        assert tag != "script" or (values["src"] or "").startswith("/static/")
        assert tag not in ("style", "object", "base", "embed")
        assert tag != "iframe" or (values["src"] or "").startswith("/embed/chat?client=")
        assert "style" not in values
        assert not [one for one in values if one.startswith("on")]
        for link in ("href", "src", "action", "formaction"):
            assert (values.get(link) or "/").startswith(("/", "#")), values
    policy = told.headers["content-security-policy"]
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.endswith("; frame-src 'self'") is bool(page.count("iframe")), "only a page with a frame may have one"
    assert policy.count("frame-src") == min(1, page.count("iframe"))
    assert told.headers["cache-control"] == "no-store"
    for form in page.forms:
        is_open = form["action"] in ("/admin/sign-in", "/admin/setup", "/admin/look")
        assert form["method"] == "get" or is_open or dict(form["fields"])["csrf"], form["action"]


async def test_a_form_without_the_sessions_token_does_nothing_on_any_page(everything: AdminWorld) -> None:
    user = everything.user("without the token", *Role)
    rows = everything.count("audit")
    for name, path in paths(everything, PAGES):
        if name.startswith("POST"):
            rows = everything.count("audit")
            told = await ask(everything, name, path, user=user, has_csrf=False)
            assert told.status_code == 403, name
            assert everything.count("audit") == rows, name


async def test_a_form_that_another_site_sends_does_nothing_on_any_page(everything: AdminWorld) -> None:
    user = everything.user("lured", *Role)
    for name, path in paths(everything, PAGES.keys() | OPEN_PAGES):
        if name.startswith("POST"):
            told = await ask(everything, name, path, user=user, site="cross-site")
            assert told.status_code == 403, name


async def test_an_api_key_opens_no_page(everything: AdminWorld) -> None:
    owner = everything.user("owner of a key", *Role)
    token = everything.key(*KeyScope, owner=owner.id)
    for name, path in paths(everything, PAGES):
        told = await ask(everything, name, path, authorization=f"Bearer {token}")
        assert told.status_code in (303, 401), name


async def test_a_page_of_another_tenant_is_not_there(everything: AdminWorld) -> None:
    theirs = {one: SAMPLES[one](everything, THEIRS) for one in THINGS}
    user = everything.user("of one tenant", *Role, assistants=(MINE,))
    for name in PAGES:
        if "{" in name and name.startswith("GET"):
            told = await ask(everything, name, filled(name.split()[1], theirs), user=user)
            assert told.status_code == 404, name


async def test_who_comes_from_another_site_gets_a_page_that_begins_anew(everything: AdminWorld) -> None:
    told = await ask(everything, "GET", "/admin/people?after=x", site="cross-site")
    assert told.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/admin/people?after=x">' in told.text


@pytest.mark.parametrize(
    ("sent", "leads_to"),
    [
        ("/admin/people?after=x", "/admin/people?after=x"),
        ("/admin", "/admin"),
        ("//evil.example", "/admin"),
        ("https://evil.example/admin/", "/admin"),
        ("/admin\\evil", "/admin"),
        ("/admin/../v1", "/admin"),
        ("/administrators", "/admin"),
        ("/admin/\r\nset-cookie:x", "/admin"),
        ("", "/admin"),
        ("/admin/" + "x" * 2000, "/admin"),
    ],
)
def test_signing_in_leads_to_no_other_site(sent: str, leads_to: str) -> None:
    assert safe_path(sent) == leads_to
