"""A request that is sent again with its Idempotency-Key is done once and answered as the first time."""

import anyio
import pytest

from gateway.access.repeats import Repeats
from gateway.access.sealing import Seals
from gateway.errors import InvalidRequest
from store.errors import StoreUnavailable
from store.people import Role
from store.types import KeyScope
from tests.administration import ACCESS_KEY, AdminWorld, person

pytestmark = pytest.mark.anyio
USERS = "/v1/admin/users"
CHANGES = "/v1/admin/changes"
ADA = person("ada", Role.ADMIN)
KEY = {"idempotency-key": '"3f2a"'}
FORGOTTEN = "I forgot my password"


async def test_the_second_time_gives_the_first_reply_and_does_nothing(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        first = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        second = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        listed = (await client.get(USERS)).json()["users"]
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(listed) == 1


async def test_a_secret_in_a_kept_reply_is_not_readable_in_the_database(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = await client.post("/v1/admin/keys", json={"name": "tool"}, headers=KEY)
    assert made.json()["token"].rpartition("_")[2].encode() not in admin.dump()


async def test_a_key_of_another_request_is_refused(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        await client.post(USERS, json={"name": "bob"}, headers=KEY)
        for reply in (
            await client.post(USERS, json={"name": "eve"}, headers=KEY),
            await client.post("/v1/admin/keys", json={"name": "bob"}, headers=KEY),
            await client.post(f"{USERS}?x=1", json={"name": "bob"}, headers=KEY),
        ):
            assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_whoever_sent_it(admin: AdminWorld) -> None:
    async with admin.client(ADA) as hers, admin.client(person("eve", Role.ADMIN)) as others:
        await hers.post(USERS, json={"name": "bob"}, headers=KEY)
        told = await others.post(USERS, json={"name": "bob"}, headers=KEY)
    assert told.status_code == 409
    assert "idempotency-replayed" not in told.headers


async def test_an_error_that_was_the_answer_is_the_answer_again(admin: AdminWorld) -> None:
    admin.user("bob")
    async with admin.client(ADA) as client:
        first = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        second = await client.post(USERS, json={"name": "bob"}, headers=KEY)
    assert (first.status_code, second.status_code) == (409, 409)
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_request_that_broke_gives_its_key_back(admin: AdminWorld, monkeypatch) -> None:
    async with admin.client(ADA) as client:
        with monkeypatch.context() as broken:
            broken.setattr(admin.access.users._users, "add", lambda *_: 1 / 0)
            assert (await client.post(USERS, json={"name": "bob"}, headers=KEY)).status_code == 500
        assert (await client.post(USERS, json={"name": "bob"}, headers=KEY)).status_code == 201


async def test_a_database_that_goes_away_meanwhile_takes_nobodys_reply(admin: AdminWorld, monkeypatch) -> None:
    async with admin.client(ADA) as client:
        with monkeypatch.context() as broken:
            broken.setattr(admin.access.repeats._replies, "finish", away)
            first = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        second = await client.post(USERS, json={"name": "bob"}, headers=KEY)
    assert (first.status_code, first.json()["user"]["name"]) == (201, "bob")
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")


async def test_a_key_that_could_not_be_given_back_is_taken_by_the_next_try(admin: AdminWorld, monkeypatch) -> None:
    async with admin.client(ADA) as client:
        with monkeypatch.context() as broken:
            broken.setattr(admin.access.users._users, "add", away)
            broken.setattr(admin.access.repeats._replies, "release", away)
            first = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        second, third = [await client.post(USERS, json={"name": "bob"}, headers=KEY) for _ in range(2)]
    assert (first.status_code, first.json()["code"]) == (503, "store_unavailable")
    assert (second.status_code, third.status_code) == (201, 201)
    assert third.headers["idempotency-replayed"] == "true"


def test_a_key_given_back_in_vain_is_held_by_whoever_took_it_after(admin: AdminWorld, monkeypatch) -> None:
    repeats = admin.access.repeats
    held = repeats.begin("user:ada", "k", [b"x"])
    with monkeypatch.context() as broken:
        broken.setattr(repeats._replies, "release", away)
        repeats.release(held)
    admin.clock.pass_by(minutes=1)
    other = Repeats(admin.database, Seals(ACCESS_KEY), now=admin.clock.now)
    with pytest.raises(InvalidRequest):
        other.begin("user:ada", "k", [b"x"])
    assert repeats.begin("user:ada", "k", [b"x"]) == held
    with pytest.raises(InvalidRequest):
        repeats.begin("user:ada", "k", [b"x"])


def away(*_, **__):
    raise StoreUnavailable("the database is away")


async def test_what_is_too_large_to_be_repeated_is_told_to_be_done_for_a_day(admin: AdminWorld, monkeypatch) -> None:
    monkeypatch.setattr("gateway.http.repeats._MOST_BYTES", 64)
    editor = person("edda", Role.EDITOR)
    async with admin.client(editor) as client:
        change = (await client.post(CHANGES, json={"title": "Mine"})).headers["location"]
        sent = {"json": {"text": "Why?"}, "headers": KEY}
        first = await client.post(f"{change}/comments", **sent)
        again = [await client.post(f"{change}/comments", **sent)]
        for hours in (0.5, 23):
            admin.clock.pass_by(hours=hours)
            again.append(await client.post(f"{change}/comments", **sent))
        told_of = [one["kind"] for one in (await client.get(change)).json()["events"]]
    assert first.status_code == 201
    for told in again:
        assert (told.status_code, told.json()["code"]) == (409, "idempotency_reply_gone")
        assert (told.headers["x-should-retry"], "retry-after" in told.headers) == ("false", False)
    assert told_of == ["created", "commented"]


async def test_vectors_that_are_too_large_to_be_kept_are_made_again(admin: AdminWorld, monkeypatch) -> None:
    monkeypatch.setattr("gateway.http.repeats._MOST_BYTES", 64)
    headers = {"authorization": f"Bearer {admin.world.key(KeyScope.EMBEDDINGS)}", **KEY}
    sent = {"model": "canongate.embedder", "input": FORGOTTEN}
    async with admin.browser() as client:
        first, second = [await client.post("/v1/embeddings", json=sent, headers=headers) for _ in range(2)]
    assert (first.status_code, second.content) == (200, first.content)
    assert "idempotency-replayed" not in second.headers
    assert admin.count("kept_replies") == 0


async def test_of_many_at_once_one_is_done(admin: AdminWorld) -> None:
    statuses: list[int] = []

    async def send() -> None:
        reply = await client.post(USERS, json={"name": "bob"}, headers=KEY)
        statuses.append(reply.status_code)

    async with admin.client(ADA) as client:
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(send)
        assert len((await client.get(USERS)).json()["users"]) == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


async def test_a_key_at_work_is_told_until_it_is_surely_dead(admin: AdminWorld) -> None:
    repeats = admin.access.repeats
    repeats.begin("user:ada", "k", [b"x"])
    async with admin.client(ADA) as client:
        headers = {"idempotency-key": "k"}
        told = await client.post(USERS, json={"name": "bob"}, headers=headers)
        assert (told.status_code, told.json()["code"]) == (422, "idempotency_key_reused")
    with pytest.raises(InvalidRequest) as at_work:
        repeats.begin("user:ada", "k", [b"x"])
    assert at_work.value.code == "idempotency_in_progress"
    admin.clock.pass_by(minutes=15)
    repeats.begin("user:ada", "k", [b"x"])


async def test_a_key_is_forgotten_after_a_day(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        await client.post(USERS, json={"name": "bob"}, headers=KEY)
        admin.clock.pass_by(hours=23)
        assert (await client.post(USERS, json={"name": "bob"}, headers=KEY)).status_code == 201
        admin.clock.pass_by(hours=1)
        assert (await client.post(USERS, json={"name": "bob"}, headers=KEY)).status_code == 409


@pytest.mark.parametrize("sent", ['""', "", '"a"b"', "x" * 256, "ä", '"two", "keys"'])
async def test_what_is_no_key_is_refused(admin: AdminWorld, sent: str) -> None:
    async with admin.client(ADA) as client:
        told = await client.post(USERS, json={"name": "bob"}, headers=[("idempotency-key", sent.encode())])
    assert (told.status_code, told.json()["code"]) == (400, "invalid_idempotency_key")


async def test_nobody_without_a_credential_leaves_a_key(admin: AdminWorld) -> None:
    async with admin.browser() as browser:
        for path in (USERS, "/v1/admin/session", "/v1/chat"):
            await browser.post(path, json={"name": "bob", "password": "x"}, headers=KEY)
    assert admin.count("kept_replies") == 0


async def test_chat_is_repeated_too_and_the_model_asked_once(admin: AdminWorld) -> None:
    token = admin.world.key(KeyScope.CHAT)
    sent = {"assistant": "helpdesk", "message": FORGOTTEN}
    async with admin.browser() as client:
        headers = {"authorization": f"Bearer {token}", **KEY}
        first = await client.post("/v1/chat", json=sent, headers=headers)
        second = await client.post("/v1/chat", json=sent, headers=headers)
        streamed = await client.post("/v1/chat", json=sent, headers={**headers, "accept": "text/event-stream"})
    assert first.status_code == 200
    assert second.content == first.content
    assert len(admin.world.decisions.kept) == 1
    assert streamed.status_code == 422


async def test_a_stream_is_repeated_as_it_was(admin: AdminWorld) -> None:
    token = admin.world.key(KeyScope.CHAT)
    sent = {"assistant": "helpdesk", "message": FORGOTTEN}
    async with admin.browser() as client:
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream", **KEY}
        first = await client.post("/v1/chat", json=sent, headers=headers)
        second = await client.post("/v1/chat", json=sent, headers=headers)
    assert second.headers["content-type"].startswith("text/event-stream")
    assert second.content == first.content
    assert b"event: done" in second.content


@pytest.mark.parametrize(
    ("path", "sent", "end"),
    [
        ("/v1/chat", {"assistant": "helpdesk", "message": FORGOTTEN}, b"event: done"),
        (
            "/v1/chat/completions",
            {"model": "helpdesk", "messages": [{"role": "user", "content": FORGOTTEN}], "stream": True},
            b"[DONE]",
        ),
    ],
)
async def test_a_stream_that_ended_in_an_error_gives_its_key_back(
    admin: AdminWorld, monkeypatch, path: str, sent: dict, end: bytes
) -> None:
    monkeypatch.setattr("gateway.http.openai.HOLD_S", 0.0)
    live = admin.world.live

    class Broken:
        scopes = live.current.matcher.scopes
        fingerprint = None

        def match(self, *_, **__):
            raise TimeoutError

        word_for_word = match

    token = admin.world.key(KeyScope.CHAT)
    async with admin.browser() as client:
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream", **KEY}
        with monkeypatch.context() as broken:
            state = live.current
            broken.setattr(live, "current", type(state)(state.catalog, Broken(), state.policies))
            first = await client.post(path, json=sent, headers=headers)
        second, third = [await client.post(path, json=sent, headers=headers) for _ in range(2)]
    assert (first.status_code, b"matcher_unavailable" in first.content) == (200, True)
    assert end in second.content
    assert "idempotency-replayed" not in second.headers
    assert third.content == second.content
