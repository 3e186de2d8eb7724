"""The audit trail on its page: people, keys, deeds and details by their names, and found by them."""

import pytest

from gateway.access.keys import KeyWish
from store.people import OPERATOR, Role
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import draft, fill, step

pytestmark = pytest.mark.anyio


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
