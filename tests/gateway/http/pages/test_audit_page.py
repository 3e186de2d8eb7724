"""The audit trail on its page: people, keys, deeds and details by their names, and found by them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from gateway.access.keys import KeyWish
from gateway.http.pages.texts import LANGUAGES
from store.people import OPERATOR, Role
from store.types import KeyScope
from tests.administration import AdminWorld, person
from tests.gateway.http.pages.page_content import draft, fill, step

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]
SOURCES = [
    path
    for folder in ("gateway", "store")
    for path in (ROOT / folder).rglob("*.py")
    if "audit" in path.read_text("utf-8") and not {"http", "commands", "webhooks", "audit.py"} & set(path.parts)
]
HANDED = {"details", "told"}
"""What the sources call the details of a row."""
TOLD = {"_granted", "_told"}
"""Functions that return some of them."""
TRAILS = ("audit", "trail")


@pytest.fixture
def told(admin: AdminWorld) -> AdminWorld:
    fill(admin)
    admin.user("olga", Role.AUDITOR)
    return admin


async def test_ids_are_read_as_names(told: AdminWorld, signed_in) -> None:
    ada, olga = await signed_in("ada"), await signed_in("olga")
    change = await draft(ada, title="Other words")
    await step(ada, change, "submit", note="Nobody understood it.")
    made = told.access.keys.create(OPERATOR, KeyWish(name="intranet", client="intranet", scopes=(KeyScope.CHAT,)))
    user = told.access.users.named("ada").id
    trail = told.access.keys._audit
    with told.database.writing() as session:
        details = {"authors": [f"user:{user}"], "revision": 1234, "is_emergency": False}
        actor = told.access.users.named("ada").actor
        trail.append(actor, "change.published", "change x", details, session=session)
    await olga.open("/admin/audit")
    assert olga.status == 200
    assert "<dt>Edited by</dt><dd><bdi>ada</bdi></dd>" in olga.reply.text
    assert "<dt>Revision</dt><dd><bdi>1,234</bdi></dd>" in olga.reply.text
    assert "<dt>In an emergency</dt><dd><bdi>No</bdi></dd>" in olga.reply.text
    assert f"user:{user}" not in olga.text
    assert f"key {made.record.id}" not in olga.text
    assert "made a key intranet" in olga.text


async def test_a_change_is_told_by_its_title_with_its_number_among_the_details(told: AdminWorld, signed_in) -> None:
    ada, olga = await signed_in("ada"), await signed_in("olga")
    path = await draft(ada, title="Other words")
    await step(ada, path, "submit", note="Nobody understood it.")
    change = path.rpartition("/")[2]
    held = told.changing.drafts.page(told.access.users.named("ada").actor).changes[0]
    await olga.open("/admin/audit?action=change.")
    link = f'<a href="/admin/changes/{change}"><bdi>{held.title}</bdi></a>'
    assert olga.reply.text.count(link) >= 2
    assert f"<dt>Full number</dt><dd><bdi>{change}</bdi></dd>" in olga.reply.text
    assert f"<code>{change}</code>" not in olga.reply.text


async def test_another_tenants_auditor_reads_no_title(told: AdminWorld, signed_in) -> None:
    ada = await signed_in("ada")
    change = (await draft(ada, title="Other words")).rpartition("/")[2]
    titles = told.changing.finder.titles
    assert titles(told.access.users.named("ada").actor, {UUID(change)})
    assert titles(person("omar", Role.AUDITOR, assistants=("shop",)), {UUID(change)}) == {}


@pytest.mark.parametrize(("language", "said"), [("en", "Run of the gate"), ("ar", "تشغيل البوابة")])
async def test_details_have_words_and_settings_are_told_by_what_changed(
    told: AdminWorld, signed_in, language: str, said: str
) -> None:
    actor = told.access.users.named("ada").actor
    before = {"assistant": "helpdesk", "origins": [], "sign_in": "none", "algorithm": "HS256", "keys": []}
    with told.database.writing() as session:
        rows = (
            ("change.approved", "change x", {"gate_run": "r1"}),
            ("widget.changed", "widget site", {"before": before, "after": before | {"sign_in": "required"}}),
            ("session.started", "session s1", {"method": "password", "failures": 0}),
            ("session.refused", "unknown account", {"reason": "password", "failures": 1}),
            ("change.edited", "change x", {"items": ["prompt it.vpn", "without prompt it.old"], "count": 2}),
        )
        for action, target, details in rows:
            told.audit.append(actor, action, target, details, session=session)
    olga = await signed_in("olga", language=language)
    await olga.open("/admin/audit")
    assert f"<dt>{said}</dt><dd><bdi>r1</bdi></dd>" in olga.reply.text
    for code in (
        "gate_run",
        "sign_in",
        ">password<",
        "unknown account</td>" if language == "ar" else "gate_run",
        "HS256",
    ):
        assert code not in olga.reply.text, code
    texts = LANGUAGES[language]
    for words in (
        "widget.sign_in_none",
        "widget.sign_in_required",
        "refused.password",
        "target.session",
        "kind.prompt",
    ):
        assert texts(words) in olga.reply.text, words


def test_every_detail_that_the_trail_gets_has_words() -> None:
    """Read from the sources: names in dictionaries that are handed to the trail."""
    found = {name for path in SOURCES for name in detail_names(ast.parse(path.read_text("utf-8")))}
    assert {"gate_run", "sign_in", "scopes", "publish_at"} <= found
    for texts in LANGUAGES.values():
        missing = {
            one for one in found if not any(texts.has(label + one) for label in ("detail.", "document.", "field."))
        }
        assert not missing, texts.language


def detail_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Dict() as given) if name in HANDED:
                yield from keys_of(given)
            case ast.AnnAssign(target=ast.Name(name), value=ast.Dict() as given) if name in HANDED:
                yield from keys_of(given)
            case ast.FunctionDef(name=name) if name in TOLD:
                returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return))
                yield from (key for one in returned if isinstance(one, ast.Dict) for key in keys_of(one))
            case ast.Call(func=ast.Attribute(value=owner, attr="append")) if ast.unparse(owner).endswith(TRAILS):
                yield from (key for one in node.args if isinstance(one, ast.Dict) for key in keys_of(one))


def keys_of(given: ast.Dict) -> Iterator[str]:
    yield from (str(one.value) for one in given.keys if isinstance(one, ast.Constant))


@pytest.mark.usefixtures("told")
async def test_who_is_asked_for_by_name(signed_in) -> None:
    ada, olga = await signed_in("ada"), await signed_in("olga")
    await draft(ada, title="Other words")
    await olga.open("/admin/audit?actor=ada")
    assert "began a change" in olga.text
    await olga.open("/admin/audit?actor=bob")
    assert "began a change" not in olga.text
    await olga.open("/admin/audit?actor=nobody")
    assert "Nothing matches these filters." in olga.text
