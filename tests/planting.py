"""A gateway that is sent secrets everywhere and broken in every way, as a program: all of its output is seen.

`python -m tests.planting FOLDER COLLECTOR json|console` writes what was planted and what came back to FOLDER, logs to
standard error, and ends by an exception that nobody catches.
"""

import asyncio
import copy
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from gateway.errors import GatewayError
from gateway.http.admin.guard import PREFIX
from gateway.http.openapi import describe
from gateway.http.widget.origins import PREFIX as WIDGET
from gateway.limit_settings import LimitSettings
from gateway.logs import set_up_logging
from gateway.otlp import open_collector
from gateway.settings import LogSettings, load_settings
from gateway.telemetry_settings import TelemetrySettings
from gateway.tracing import Tracing
from rails.engine import compile_policy
from rails.fakes import FAKE_RAILS, FakeAct, FakeParams
from rails.policy import PolicyDocument, load_policy
from store.database import open_database
from store.errors import StoreError
from store.people import Role
from store.repositories.decision_writer import DecisionWriter
from store.types import KeyScope
from tests.administration import PRIVACY, AdminWorld, person
from tests.migrated import migrate_new
from tests.widget_world import INTRANET, make_site
from tests.world import PATIENT, POLICY, World

HEADERS = (
    *("authorization", "cookie", "user-agent", "referer", "origin", "accept", "accept-language", "content-type"),
    *("x-request-id", "traceparent", "tracestate", "baggage", "x-forwarded-for", "forwarded", "x-api-key", "if-match"),
    *("x-canongate-timeout-ms", "x-canongate-on-block", "x-canongate-csrf", "idempotency-key", "last-event-id"),
)
QUESTIONS = ("/v1/chat", "/v1/chat/completions", "/v1/match", "/v1/checks")
DATABASE = "admin.db"
JSON = {"content-type": "application/json"}
DOCUMENTS = ("prompt_key", "assistant_name", "policy_name", "suite_name")
SETTINGS = {
    "CANONGATE_OIDC__CLIENT_SECRET": "{}",
    "CANONGATE_OIDC__ISSUER": "http://{}.example",
    "CANONGATE_DATA__DATABASE_URL": "postgresql://me:{}@127.0.0.1:1/none",
    "CANONGATE_WEBHOOKS__ENDPOINTS": '[{{url = "https://me:{}@hooks.example", secret = "x", events = []}}]',
    "CANONGATE_TELEMETRY__ENDPOINT": "https://me:{}@collector.example",
    "CANONGATE_TELEMETRY__HEADERS": "{}",
    "CANONGATE_LIMITS__DEADLINE_S": "{}",
    "CANONGATE_LOG__LEVEL": "{}",
}


class Planting:
    """Plants secrets, each once, and keeps what is answered with an error."""

    def __init__(self, admin: AdminWorld) -> None:
        self.admin = admin
        self.planted: list[str] = []
        self.names: list[str] = []
        """Of these, those that were sent as the name of a field or of a document."""
        self.bodies: list[str] = []
        self.statuses: set[int] = set()
        self._numbers = count()
        everything = admin.authenticator.add(person("ada", *Role)).id
        key = admin.world.key(*KeyScope)
        rates = {"session": 10**6, "address": 10**6, "origin": 10**6}
        make_site(admin, "client", sign_in="optional", rates=rates)
        visit = admin.widget.visits.begin(admin.widget.book.page().clients["client"], INTRANET, None).token
        self._callers = {PREFIX: {"authorization": f"Bearer {everything}"}}
        self._callers[WIDGET] = {"authorization": f"Bearer {visit}", "origin": INTRANET}
        self._key = {"authorization": f"Bearer {key}"}

    def secret(self) -> str:
        self.planted.append(f"canary{next(self._numbers):04d}zq")
        return self.planted[-1]

    def name(self) -> str:
        self.names.append(self.secret())
        return self.names[-1]

    def caller(self, path: str) -> dict[str, str]:
        return next((headers for start, headers in self._callers.items() if path.startswith(start)), self._key)

    async def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        transport = httpx.ASGITransport(self.admin.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway.test") as client:
            sent = {name: value.encode() for name, value in headers.items()}
            reply = await client.request(method, path, content=body, headers=sent)
        self.statuses.add(reply.status_code)
        if reply.status_code >= 400:
            self.bodies.append(reply.text)

    async def everywhere(self, *, most_fields: int) -> None:
        """Asks each operation once for each of its fields, with a secret in that field and another in a header."""
        document = describe()
        names = iter(HEADERS * 1000)
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method == "parameters":
                    continue
                for wanted in self._requests(path, operation, document["components"]["examples"], most_fields):
                    place, headers, body = wanted
                    name = next(names)
                    kind = next(iter(operation.get("requestBody", {}).get("content", {})), None)
                    own = self.caller(path) | ({"content-type": kind} if kind else {})
                    await self.send(method.upper(), place, body, own | {name: f"my {self.secret()}"} | headers)

    def _requests(
        self, path: str, operation: dict[str, Any], examples: dict[str, Any], most_fields: int
    ) -> Iterator[tuple[str, dict[str, str], bytes | None]]:
        content = operation.get("requestBody", {}).get("content", {})
        kind, told = next(iter(content.items()), ("", {}))
        example = next((examples[name]["value"] for name in told.get("examples", {}) if name in examples), None)
        parameters = operation.get("parameters", [])
        plain = path
        for one in parameters:
            plain = plain.replace(f"{{{one['name']}}}", "it.password-reset")
        body = _encoded(kind, example)
        yield plain, {}, body
        for one in parameters:
            if one["in"] == "path":
                planted = self.name() if one["name"] in DOCUMENTS else self.secret()
                yield path.replace(f"{{{one['name']}}}", planted).replace("{", "").replace("}", ""), {}, body
            elif one["in"] == "query":
                yield f"{plain}?{urlencode({one['name']: self.secret()})}", {}, body
            else:
                yield plain, {one["name"]: self.secret()}, body
        for place in list(_leaves(example))[:most_fields]:
            planted = self.name() if place[-1] in ("key", "name") else self.secret()
            yield plain, {}, _encoded(kind, _planted(example, place, f"I forgot my password {planted}"))
        if isinstance(example, dict):
            yield plain, {}, _encoded(kind, example | {self.name(): self.secret()})
        elif isinstance(example, str):
            yield plain, {}, f"{example}\n{self.secret()}".encode()
        if content:
            yield plain, {}, f'{{"{self.secret()}'.encode()

    async def questions(self) -> None:
        """Asks on every surface, so that whatever is broken now is met."""
        for path in QUESTIONS:
            for stream in (False, True):
                words = f"I forgot my password {self.secret()}"
                messages = [{"role": "user", "content": words}]
                first = {"model": "helpdesk", "messages": messages, "stream": stream, "user": self.secret()}
                second = {"assistant": "helpdesk", "message": words, "conversation": self.secret()}
                check = {"assistant": "helpdesk", "stage": "input", "text": words}
                body = {"/v1/chat/completions": first, "/v1/checks": check}.get(path, second)
                accept = {"accept": "text/event-stream"} if stream else {}
                await self.send("POST", path, json.dumps(body).encode(), self._key | JSON | accept)

    def settings(self) -> None:
        """Reads settings with a secret in a field that may not be so."""
        for name, form in SETTINGS.items():
            try:
                settings = load_settings(None, {name: form.format(self.secret())})
                open_database(settings.database_url).close()
            except (GatewayError, StoreError) as error:
                self.bodies.append(str(error))


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*place, number))
    elif place:
        yield place


def _planted(example: Any, place: tuple[Any, ...], secret: str) -> Any:
    changed = copy.deepcopy(example)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = secret
    return changed


def _encoded(kind: str, value: Any) -> bytes | None:
    if value is None:
        return None
    if "json" in kind:
        return json.dumps(value).encode()
    return urlencode(value).encode() if isinstance(value, dict) else str(value).encode()


async def attack(planting: Planting, world: World) -> None:
    """Sends everything once to a sound gateway, then breaks one part after the other."""
    await planting.everywhere(most_fields=12)
    planting.settings()
    await planting.questions()
    live = world.live.current
    sound = dict(live.policies), world.model.answer, live.matcher.word_for_word

    def raises(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError(f"broke at {planting.secret()}")

    rails = (FakeParams(does=FakeAct.RAISE),)
    broken = PolicyDocument(name="helpdesk", input=rails, output=rails, refusals={"en": {"default": "No."}})
    live.policies["helpdesk"] = compile_policy(broken, 6, definitions=FAKE_RAILS)
    await planting.questions()
    live.policies.update(sound[0])
    world.model.answer = raises
    await planting.questions()
    world.model.answer, world.model.is_unavailable = sound[1], True
    await planting.questions()
    world.model.is_unavailable = False
    object.__setattr__(live.matcher, "word_for_word", raises)
    await planting.questions()
    object.__setattr__(live.matcher, "word_for_word", sound[2])
    with closing(sqlite3.connect(planting.admin.folder / DATABASE)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (table,) in connection.execute(tables).fetchall():
            connection.execute(f'DROP TABLE "{table}"')
        connection.commit()
    await planting.questions()
    await planting.everywhere(most_fields=2)
    task = asyncio.create_task(asyncio.to_thread(raises))
    await asyncio.sleep(0.1)
    del task


def main(folder: Path, collector_url: str, form: str) -> None:
    """Runs all of it."""
    set_up_logging(LogSettings(format=form, level="debug"))
    url = f"sqlite:///{folder / DATABASE}"
    migrate_new(url)
    with ExitStack() as stack:
        database = open_database(url)
        stack.callback(database.close)
        collector = stack.enter_context(open_collector(TelemetrySettings(endpoint=collector_url, waiting=10000)))
        tracing = Tracing(collector, 1.0, provider="llama.cpp", model="fake", privacy=PRIVACY)
        limits = LimitSettings(requests_per_minute=10**9, address_requests_per_minute=10**9)
        writer = DecisionWriter(database)
        stack.callback(writer.close)
        policy = compile_policy(load_policy(POLICY), 5, runner=PATIENT)
        world = World(policy, limits=limits, decisions=writer, tracing=tracing)
        planting = Planting(AdminWorld(world, database, folder))
        asyncio.run(attack(planting, world))
        thread = threading.Thread(target=lambda: int(planting.secret()))
        thread.start()
        thread.join()
        last = planting.secret()
        report = {
            "planted": planting.planted,
            "names": planting.names,
            "bodies": planting.bodies,
            "statuses": sorted(planting.statuses),
            "metrics": world.telemetry.text().decode(),
        }
        (folder / "report.json").write_bytes(msgspec.json.encode(report))
    raise RuntimeError(f"the end, with {last}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
