"""Places before parsing: a slow sender holds none, a full line refuses unread, and leaving frees everything."""

import asyncio
import json
from contextlib import ExitStack

import pytest

from gateway.limit_settings import LimitSettings
from gateway.pressure import Stage
from models.fakes import FakeModel
from tests.gateway.http.test_client_leaves import WatchedModel
from tests.world import World

pytestmark = pytest.mark.anyio
BODY = json.dumps({"assistant": "helpdesk", "message": "I forgot my password"}).encode()


class Caller:
    """One request by hand: its body comes, and its client leaves, when the test says so."""

    def __init__(self, world: World, path: str = "/v1/chat", *, length: int = len(BODY)) -> None:
        self._inbox: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.sent: list[dict[str, object]] = []
        self.reads = 0
        headers = {"authorization": f"Bearer {world.key()}", "content-type": "application/json"}
        headers |= {"content-length": str(length)}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
            "state": {},
            "app": None,
        }
        self.work = asyncio.create_task(world.app(scope, self._receive, self._send))

    def body(self, data: bytes = BODY, *, more: bool = False) -> None:
        self._inbox.put_nowait({"type": "http.request", "body": data, "more_body": more})

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int | None:
        return next((int(one["status"]) for one in self.sent if one["type"] == "http.response.start"), None)

    @property
    def code(self) -> str:
        body = b"".join(one.get("body", b"") for one in self.sent)
        return json.loads(body)["error"]["code"]

    async def done(self) -> int | None:
        await asyncio.wait([self.work], timeout=10)
        return self.status

    async def _receive(self):
        self.reads += 1
        return await self._inbox.get()

    async def _send(self, message) -> None:
        self.sent.append(message)


async def until(is_so) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.002)


def is_free(world: World) -> bool:
    return all((line.in_work, line.in_line) == (0, 0) for line in world.admission.lines.named().values())


async def test_a_sender_that_is_slow_holds_no_place(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0))
    slow = [Caller(world) for _ in range(20)]
    for one in slow:
        one.body(BODY[:10], more=True)
    await until(lambda: all(one.reads == 2 for one in slow))
    quick = Caller(world)
    quick.body()
    assert await quick.done() == 200
    slow[0].body(BODY[10:])
    assert await slow[0].done() == 200
    for one in slow[1:]:
        one.leave()
        await one.done()
    assert is_free(world)


async def test_beyond_the_line_a_request_is_refused_before_its_body_is_read(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0))
    with world.admission.lines.chat.place_now():
        late = Caller(world)
        assert await late.done() == 503
    assert (late.code, late.reads) == ("queue_full", 0)


async def test_one_in_line_is_answered_when_its_turn_comes(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=1))
    line = world.admission.lines.chat
    with line.place_now():
        waiting = Caller(world)
        waiting.body()
        await until(lambda: line.in_line == 1)
        late = Caller(world)
        assert await late.done() == 503
    assert await waiting.done() == 200
    assert is_free(world)


async def test_one_that_waits_too_long_is_told_when_to_come_back(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=1, queue_s=0.02))
    with world.admission.lines.chat.place_now():
        waiting = Caller(world)
        waiting.body()
        assert await waiting.done() == 503
    headers = dict(waiting.sent[0]["headers"])
    assert int(headers[b"retry-after"]) >= 1


@pytest.mark.parametrize("stage", ["body", "line", "model line", "model"])
async def test_leaving_in_any_stage_frees_everything(make_world, stage: str) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=1))
    model = WatchedModel()
    world.pipeline._model = model
    lines = world.admission.lines
    caller = Caller(world)
    with ExitStack() as stack:
        if stage == "line":
            stack.enter_context(lines.chat.place_now())
        if stage == "model line":
            for _ in range(lines.model.places):
                stack.enter_context(lines.model.place_now())
        caller.body(BODY[:5] if stage == "body" else BODY, more=stage == "body")
        reached = {
            "body": lambda: caller.reads == 2,
            "line": lambda: lines.chat.in_line == 1,
            "model line": lambda: lines.model.in_line == 1,
            "model": model.began.is_set,
        }
        await until(reached[stage])
        caller.leave()
        await caller.done()
        assert caller.work.done()
        await until(lambda: (lines.chat.in_line, lines.model.in_line) == (0, 0))
    await until(lambda: is_free(world))
    if stage == "model":
        assert model.ended.wait(10)
        assert model.cancelled == [True]
    assert world.decisions.kept == []
    world.pipeline._model = FakeModel(answer="Open https://id.tarnwick.example and choose Forgot password.")
    again = Caller(world)
    again.body()
    assert await again.done() == 200


async def test_a_question_that_waits_for_the_model_leaves_its_place_to_others(make_world) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0))
    model = WatchedModel()
    world.pipeline._model = model
    slow = Caller(world)
    slow.body()
    await until(model.began.is_set)
    other = Caller(world)
    other.body(json.dumps({"assistant": "helpdesk", "message": "Zebras graze near quiet volcanoes"}).encode())
    assert await other.done() == 200
    slow.leave()
    await slow.done()
    await until(lambda: is_free(world))


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_whoever_watches_the_gateway_never_waits(make_world, path: str) -> None:
    world = make_world(limits=LimitSettings(concurrent=1, waiting=0, admin_concurrent=1, admin_waiting=0))
    lines = world.admission.lines
    with lines.chat.place_now(), lines.admin.place_now():
        async with world.client() as client:
            assert (await client.get(path)).status_code in (200, 401)


async def test_a_full_admin_surface_does_not_hold_up_questions(make_world) -> None:
    world = make_world(limits=LimitSettings(admin_concurrent=1, admin_waiting=0))
    with world.admission.lines.admin.place_now():
        async with world.client(world.key()) as client:
            assert (await client.get("/v1/admin/keys")).status_code == 503
        caller = Caller(world)
        caller.body()
        assert await caller.done() == 200


async def test_under_pressure_the_approved_fallback_is_given_and_says_so(make_world) -> None:
    world = make_world()
    line = world.admission.lines.chat
    while line.pressure.stage is Stage.CALM:
        line.pressure.waited(0.05)
        await asyncio.sleep(0.01)
    asked = Caller(world)
    asked.body()
    assert await asked.done() == 200
    reply = json.loads(asked.sent[-1]["body"] or asked.sent[-2]["body"])
    assert (reply["outcome"], reply["source"], world.admission.skipped.count) == ("degraded", "fallback", 1)
    assert world.model.prompts == []
