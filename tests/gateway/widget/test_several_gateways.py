"""Two gateways on one database: a visitor who comes to the other one loses neither session, answer nor conversation."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from store.database import open_database
from tests.administration import AdminWorld, person
from tests.migrated import migrate_new
from tests.widget_world import APPROVED, BASE, GENERATED, Site, ask, events, key, make_site, until_asked

pytestmark = pytest.mark.anyio
STREAM = {"accept": "text/event-stream"}


@dataclass
class Pair:
    """A site and the two gateways that its visitors may come to."""

    one: Site
    other: Site

    async def visit(self, page: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
        """Begins a session at the first gateway, for both."""
        await self.one.visit(page)
        other.headers["authorization"] = page.headers["authorization"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def pair(request: pytest.FixtureRequest, make_world, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'admin.db'}"
    else:
        url = request.getfixturevalue("postgres_server")()
    migrate_new(url)
    databases = [open_database(url), open_database(url)]
    worlds = [AdminWorld(make_world(), database, tmp_path, shares_turns=True) for database in databases]
    one = make_site(worlds[0])
    yield Pair(one, Site(worlds[1], one.client, one.secret, one.origin))
    for database in databases:
        database.close()


async def test_a_session_and_a_conversation_go_on_at_the_other_gateway(pair: Pair) -> None:
    async with pair.one.browser() as page, pair.other.browser() as other:
        await pair.visit(page, other)
        first = (await ask(page)).json()
        second = await ask(other, GENERATED, conversation=first["conversation"])
        third = await ask(page, conversation=first["conversation"])
        told = [await one.get(f"{BASE}/conversations/{first['conversation']}") for one in (page, other)]
    assert second.json()["conversation"] == third.json()["conversation"] == first["conversation"]
    assert told[0].json() == told[1].json()
    assert [one["message"] for one in told[0].json()["turns"]][1] == GENERATED
    assert told[0].json()["turns"][0]["answer"]["text"] == APPROVED


async def test_an_answer_that_is_being_made_is_followed_at_the_other_gateway_and_made_once(pair: Pair) -> None:
    sent = key()
    model = pair.one.admin.world.model
    async with pair.one.browser() as page, pair.other.browser() as other:
        await pair.visit(page, other)
        model.delay_s = 1.0
        asked = asyncio.create_task(ask(page, GENERATED, headers=sent | STREAM))
        await until_asked(pair.one, asked)
        followed = asyncio.create_task(
            other.get(f"{BASE}/chat/{sent['idempotency-key']}", headers=STREAM | {"last-event-id": "3"})
        )
        again = asyncio.create_task(ask(other, GENERATED, headers=sent))
        answers = await asyncio.gather(asked, followed, again)
    last = events(answers[0].text)[-1]
    assert (last[1], last[2]["outcome"]) == ("done", "answered")
    assert events(answers[1].text) == [(4, "done", last[2])]
    assert answers[2].json() == last[2]
    assert len(model.prompts) == 1
    assert pair.other.admin.world.model.prompts == []


async def test_a_key_of_another_question_is_refused_at_the_other_gateway_too(pair: Pair) -> None:
    sent = key()
    async with pair.one.browser() as page, pair.other.browser() as other:
        await pair.visit(page, other)
        await ask(page, headers=sent)
        told = await ask(other, GENERATED, headers=sent)
        gone = await other.get(f"{BASE}/chat/{key()['idempotency-key']}")
    assert (told.status_code, told.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "answer_gone")


async def test_stopping_and_forgetting_reach_the_gateway_that_works(pair: Pair) -> None:
    model = pair.one.admin.world.model
    model.delay_s = 20.0
    async with pair.one.browser() as page, pair.other.browser() as other:
        await pair.visit(page, other)
        for way in ("stop", "forget"):
            model.prompts.clear()
            sent = key()
            asked = asyncio.create_task(ask(page, GENERATED, headers=sent))
            await until_asked(pair.one, asked)
            place = pair.one.admin.widget.conversations.shelf.values()[-1].id
            path = f"chat/{sent['idempotency-key']}" if way == "stop" else f"conversations/{place}"
            assert (await other.delete(f"{BASE}/{path}")).status_code == 204
            await pair.one.admin.widget.stop_unwanted()
            told = await asked
            assert told.json()["error"]["code"] == "client_closed_request"
        assert (await page.get(f"{BASE}/conversations/{place}")).status_code == 404


async def test_an_answer_that_was_forgotten_at_the_other_gateway_is_forgotten_here(pair: Pair) -> None:
    sent = key()
    async with pair.one.browser() as page, pair.other.browser() as other:
        await pair.visit(page, other)
        said = (await ask(page, headers=sent)).json()["conversation"]
        kept = await page.get(f"{BASE}/chat/{sent['idempotency-key']}")
        assert (await other.delete(f"{BASE}/conversations/{said}")).status_code == 204
        gone = await page.get(f"{BASE}/chat/{sent['idempotency-key']}")
        asked = await ask(page, GENERATED, headers=sent)
    assert kept.json()["text"] == APPROVED
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "answer_gone")
    assert asked.json()["outcome"] == "answered"


async def test_what_can_be_no_conversation_is_none(pair: Pair) -> None:
    async with pair.one.browser() as page:
        await pair.one.visit(page)
        told = await page.get(f"{BASE}/conversations/a%00b")
        forgotten = await page.delete(f"{BASE}/conversations/a%00b")
    assert (told.status_code, told.json()["error"]["code"]) == (404, "conversation_gone")
    assert forgotten.status_code == 204


async def test_what_is_shared_is_encrypted_and_goes_with_time_and_with_the_person(pair: Pair) -> None:
    admin = pair.one.admin
    async with pair.one.browser() as page:
        await pair.one.visit(page)
        await ask(page, "Where does the purple walrus sleep?")
        assert b"walrus" not in admin.dump()
        assert admin.count("widget_turns") == 1
        report = admin.purging.purge(person("root"), "ada")
        assert (report.counts["widget_turns"], admin.count("widget_turns")) == (1, 0)
    async with pair.one.browser() as page:
        await pair.one.visit(page)
        await ask(page)
    admin.clock.pass_by(minutes=29)
    await admin.widget.shared.expire()
    assert admin.count("widget_turns") == 1
    admin.clock.pass_by(minutes=2)
    await admin.widget.shared.expire()
    assert admin.count("widget_turns") == 0
