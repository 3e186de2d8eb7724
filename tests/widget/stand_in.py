"""A gateway's stand-in that speaks docs/widget.md from scripts: it stalls, refuses and ends early when told to."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from gateway.widget_texts import widget_texts

DIST = Path(__file__).parents[2] / "gateway" / "web" / "dist"
Step = tuple[str, Any]
CONTACT = {
    "name": "HR desk",
    "email": "hr@example.test",
    "phone": "+44 131 555 0100",
    "url": "https://intranet.example.test/hr",
    "hours": "Mon to Fri, 9 to 17",
}
PLAIN = {
    "id": "d1",
    "outcome": "answered",
    "text": "You have **25 days** of annual leave.",
    "source": "verbatim",
    "prompt": {"id": "hr.leave", "title": "Annual leave policy", "version": 7},
    "suggestions": [],
    "slot": None,
    "contact": None,
    "reference": "r1",
}
CONFIGURATION = {
    "client": "hr-portal",
    "version": "0.1.0",
    "heading": "HR assistant",
    "greeting": "Hello! Ask me about leave, pay and benefits.",
    "sign_in": "none",
    "suggestions": [
        {"id": "hr.leave", "title": "How much annual leave do I have?"},
        {"id": "hr.sick", "title": "What do I do when I am ill?"},
        {"id": "hr.pay", "title": "When is payday?"},
    ],
    "contact": CONTACT,
    "theme": None,
    "max_length": 2000,
    "feedback": True,
    "languages": ["en", "de", "fr", "es", "ar"],
}


def answer(**values: Any) -> dict[str, Any]:
    """Gives an answer that differs from the plain one in these fields."""
    return PLAIN | values


def told(**values: Any) -> list[Step]:
    """Gives a script: two stages, then the answer."""
    return [("stage", {"stage": "matching"}), ("stage", {"stage": "verifying"}), ("done", answer(**values))]


@dataclass(slots=True)
class Refusal:
    """What is answered once in the place of a reply."""

    status: int
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Made:
    """An answer that is being made: events so far, and whether more come."""

    message: str
    conversation: str
    events: list[Step] = field(default_factory=list)
    is_over: bool = False


@dataclass(slots=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    query: dict[str, str] = field(default_factory=dict)


class StandIn:
    """The application. Tests change its fields between requests; `held` names the points at which scripts wait."""

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = dict(CONFIGURATION)
        self.scripts: dict[str, list[Step]] = {}
        self.refusals: defaultdict[str, list[Refusal]] = defaultdict(list)
        self.held: set[str] = set()
        self.forgotten: set[str] = set()
        self.asked: list[Asked] = []
        self.made: dict[str, Made] = {}
        self.session_s = 600
        self.is_closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, method: str, start: str) -> list[Asked]:
        """Gives the requests of a method whose path starts so."""
        return [one for one in self.asked if one.method == method and one.path.startswith(start)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path: str = scope["path"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part["body"]
            if not part["more_body"]:
                break
        query = dict(parse_qsl(scope["query_string"].decode()))
        request = Asked(scope["method"], path, headers, json.loads(body) if body else None, query)
        reply = Reply(send, headers.get("origin", "*"))
        if request.method == "OPTIONS":
            await reply.whole(204)
            return
        self.asked.append(request)
        waiting = self.refusals[f"{request.method} {path}"]
        if waiting:
            refusal = waiting.pop(0)
            await reply.json(refusal.status, {"error": {"code": refusal.code}}, refusal.headers)
            return
        await self._route(request, reply)

    async def _route(self, request: Asked, reply: "Reply") -> None:
        routes: dict[str, Callable[[Asked, Reply, str], Awaitable[None]]] = {
            r"GET /embed/v1/(loader\.js|widget\.js)": self._file,
            r"GET /widget/v1/clients/(.+)": self._configure,
            r"POST /widget/v1/(sessions)": self._session,
            r"POST /widget/v1/(chat)": self._chat,
            r"GET /widget/v1/chat/(.+)": self._follow,
            r"DELETE /widget/v1/(.+)": self._nothing,
            r"GET /widget/v1/conversations/(.+)": self._conversation,
            r"POST /widget/v1/(feedback)": self._feedback,
        }
        for pattern, handler in routes.items():
            if found := re.fullmatch(pattern, f"{request.method} {request.path}"):
                await handler(request, reply, found[1])
                return
        await reply.json(404, {"error": {"code": "not_found"}})

    async def _file(self, _: Asked, reply: "Reply", name: str) -> None:
        await reply.whole(200, (DIST / name).read_bytes(), {"content-type": "text/javascript"})

    async def _configure(self, request: Asked, reply: "Reply", client: str) -> None:
        language = request.query["lang"]
        await reply.json(200, {"lang": language, "strings": dict(widget_texts(language))} | self.configuration)

    async def _session(self, request: Asked, reply: "Reply", _: str) -> None:
        count = len(self.of("POST", "/widget/v1/sessions"))
        session = {"session": f"cgw_{count}", "expires_at": "", "expires_in": self.session_s}
        await reply.json(201, session | {"name": None, "is_anonymous": request.body["token"] is None})

    async def _chat(self, request: Asked, reply: "Reply", _: str) -> None:
        key = request.headers["idempotency-key"]
        if key not in self.made:
            conversation = request.body["conversation"] or f"c{len(self.made) + 1}"
            self.made[key] = Made(request.body["message"], conversation)
            task = asyncio.create_task(self._make(self.made[key]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await self._send(self.made[key], request, reply)

    async def _follow(self, request: Asked, reply: "Reply", key: str) -> None:
        if key not in self.made or key in self.forgotten:
            await reply.json(404, {"error": {"code": "answer_gone"}})
        else:
            await self._send(self.made[key], request, reply)

    async def _make(self, made: Made) -> None:
        made.events.append(("conversation", {"conversation": made.conversation}))
        for name, value in self.scripts.get(made.message, told()):
            if name == "hold":
                while value in self.held and not self.is_closing:  # noqa: ASYNC110 - let go by another thread
                    await asyncio.sleep(0.01)
            elif name == "done":
                made.events.append((name, value | {"conversation": made.conversation}))
            else:
                made.events.append((name, value))
        made.is_over = True

    async def _send(self, made: Made, request: Asked, reply: "Reply") -> None:
        if "text/event-stream" not in request.headers["accept"]:
            while not made.is_over and not self.is_closing:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            await reply.json(200, made.events[-1][1])
            return
        number = int(request.headers.get("last-event-id", "0"))
        is_first = number == 0
        await reply.begin(200, {"content-type": "text/event-stream", "cache-control": "no-store"})
        while (number < len(made.events) or not made.is_over) and not self.is_closing:
            if number == len(made.events):
                await asyncio.sleep(0.01)
                continue
            name, value = made.events[number]
            number += 1
            if name == "end":  # the stream ends early, for whoever had not got so far
                if is_first:
                    break
                continue
            await reply.more(f"id: {number}\nevent: {name}\ndata: {json.dumps(value)}\n\n".encode())
        await reply.more(b"", is_last=True)

    async def _conversation(self, _: Asked, reply: "Reply", conversation: str) -> None:
        turns = [
            {"key": key, "message": made.message, "answer": last[1] if (last := made.events[-1])[0] == "done" else None}
            for key, made in self.made.items()
            if made.conversation == conversation
        ]
        if turns:
            await reply.json(200, {"conversation": conversation, "turns": turns})
        else:
            await reply.json(404, {"error": {"code": "conversation_gone"}})

    async def _feedback(self, request: Asked, reply: "Reply", _: str) -> None:
        await reply.json(200, request.body)

    async def _nothing(self, _: Asked, reply: "Reply", __: str) -> None:
        await reply.whole(204)


class Reply:
    """Sends a reply with the headers that every reply to a known origin has."""

    def __init__(self, send: Any, origin: str) -> None:
        self._send = send
        self._shared = {
            "access-control-allow-origin": origin,
            "vary": "origin",
            "access-control-allow-methods": "GET, POST, DELETE",
            "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id",
            "access-control-expose-headers": "retry-after",
        }

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        named = {**self._shared, **headers}.items()
        pairs = [(name.encode(), value.encode()) for name, value in named]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def more(self, body: bytes, *, is_last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})

    async def whole(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        await self.begin(status, headers or {})
        await self.more(body, is_last=True)

    async def json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        await self.whole(status, body, {"content-type": "application/json", **(headers or {})})
