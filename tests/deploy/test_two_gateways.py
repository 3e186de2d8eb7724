"""What `deploy/container/compose.yaml` runs, run by hand: two gateways, PostgreSQL and a Redis, a load, one killed.

The processes are real, with the start script and the settings of those files, and the packaged embedder; no model words
answers. While the load goes on, answers are published anew, one gateway is killed, the database gets the schema of the
next version, and the killed one comes back.
"""

import itertools
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
import yaml
from redis import Redis
from sqlalchemy import select

from gateway.access.keys import KeyWish
from gateway.content import import_folder
from gateway.opening import open_access, open_store
from gateway.settings import load_settings
from store.catalog import load_catalog, publish_onto
from store.content import CanonicalPrompt
from store.database import Database, open_database
from store.formats.bundle import Bundle
from store.people import OPERATOR
from store.plain import to_plain
from store.repositories.revisions import Published
from store.tables import DecisionRow
from store.types import KeyScope
from tests.gateway.content_files import write_content
from tests.next_schema import next_schema
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.postgres, pytest.mark.weights]
ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
KEYS = ("pepper", "audit-key", "access-key", "checkpoint-key")
QUESTION, PROMPT = "The fire alarm rings", "it.alarm"
NARROW = 3
"""Requests a minute of one key, over all gateways."""
CHANGED = ("prompts", "decisions")
"""Tables that the next version's migration adds columns to."""
SOON_S = 120.0
PAUSE_S = 0.02
SETTINGS = f"""
[matching]
tune = false
[model]
name = "none"
[rails]
rail_s = 10.0
stage_s = 30.0
[limits]
store = "{{redis}}"
store_s = 10.0
requests_per_minute = 1000000
rate_classes = {{{{ narrow = {NARROW} }}}}
"""


def until(condition: Callable[[], object], words: str) -> None:
    given_up = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < given_up, words
        time.sleep(0.05)


@dataclass(frozen=True)
class Asked:
    """One question and what came of it."""

    status: int
    """0 when the connection broke or there was none."""
    code: str = ""
    id: str = ""
    revision: int = 0
    text: str = ""


@dataclass
class Gateway:
    """A container without the container: its start script, its data folder, its process."""

    folder: Path
    program: list[str]
    environment: dict[str, str]
    logs: itertools.count = field(default_factory=lambda: itertools.count(1))
    log: Path = Path()
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.log = self.folder / f"log-{next(self.logs)}"
        with self.log.open("wb") as writing:
            self.process = subprocess.Popen(  # noqa: S603 - our own script
                self.program, cwd=ROOT, env=self.environment, stdout=writing, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def address(self) -> str:
        found = re.search(r"listening on (http://\S+)\n", self.said)
        return found[1] if found else ""

    def parts(self) -> dict[str, dict[str, str]]:
        """What it says of its parts, nothing while it does not answer."""
        try:
            told = httpx.get(f"{self.address}/readyz", timeout=SOON_S)
        except httpx.HTTPError:
            return {}
        return told.json()["parts"] if told.status_code == 200 else {}

    def until_ready(self) -> None:
        until(lambda: self.address or (self.process is not None and self.process.poll() is not None), "it listens")
        until(self.parts, "it is ready")

    def ask(self, client: httpx.Client, key: str) -> Asked:
        headers = {"authorization": f"Bearer {key}"}
        asked = {"assistant": "helpdesk", "message": QUESTION}
        try:
            reply = client.post(f"{self.address}/v1/chat", json=asked, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Asked(0, type(error).__name__)
        told = reply.json()
        if reply.status_code != 200:
            return Asked(reply.status_code, told["error"]["code"])
        return Asked(200, told["outcome"], told["id"], told["store_revision"], told["text"])


@dataclass
class Load:
    """Somebody who asks one gateway again and again."""

    gateway: Gateway
    key: str
    asked: list[Asked] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        with httpx.Client(timeout=SOON_S) as client:
            while not self.is_over.is_set():
                self.asked.append(self.gateway.ask(client, self.key))
                time.sleep(PAUSE_S)

    def end(self) -> None:
        self.is_over.set()
        self.thread.join(SOON_S)

    def failed(self, since: int = 0) -> Counter[str]:
        return Counter(f"{one.status} {one.code}" for one in self.asked[since:] if one.status != 200)

    def until_answered_by(self, revision: int) -> None:
        until(lambda: any(one.revision == revision for one in self.asked[-20:]), f"nobody gives revision {revision}")

    def until_more(self, count: int) -> None:
        wanted = len(self.asked) + count
        until(lambda: len(self.asked) >= wanted, "the load stands still")


@dataclass
class Town:
    """Both gateways and what they share."""

    url: str
    gateways: tuple[Gateway, Gateway]
    database: Database
    key: str
    narrow: str

    def publish(self, words: str) -> int:
        live = load_catalog(self.database)
        document = to_plain(live.prompts[PROMPT].content)
        document["reply"] = {**document["reply"], "answer": words}
        bundle = Bundle((msgspec.convert(document, CanonicalPrompt),))
        return publish_onto(self.database, live, bundle, Published("test")).revision

    def decisions(self) -> set[str]:
        with self.database.reading() as session:
            return set(session.scalars(select(DecisionRow.id)))


@pytest.fixture
def town(postgres_server, redis_server: RedisServer, embedder_cache: Path, tmp_path: Path) -> Iterator[Town]:
    """Prepares the database on a machine of the operator's, and both containers."""
    url, keys = postgres_server(), tmp_path / "keys"
    keys.mkdir()
    for name in KEYS:
        (keys / name).write_bytes(secrets.token_bytes(32))
        (keys / name).chmod(0o600)
    settings = tmp_path / "canongate.toml"
    settings.write_text(SETTINGS.format(redis=redis_server.url))
    mine = load_settings(settings, {"CANONGATE_DATA__DIRECTORY": str(keys), "CANONGATE_DATA__DATABASE_URL": url})
    with open_store(mine) as store:
        import_folder(store.database, write_content(tmp_path / "content"))
    with open_access(mine) as access:
        wishes = [KeyWish(name=rate, scopes=(KeyScope.CHAT,), rate_class=rate) for rate in ("standard", "narrow")]
        tokens = [access.keys.create(OPERATOR, wish).token for wish in wishes]
    with ExitStack() as stack:
        database = open_database(url)
        stack.callback(database.close)
        make = partial(container, tmp_path, url=url, keys=keys, settings=settings, embedder=embedder_cache)
        gateways = make("gateway-1"), make("gateway-2")
        for gateway in gateways:
            stack.callback(gateway.kill)
            gateway.start()
        for gateway in gateways:
            gateway.until_ready()
        yield Town(url, gateways, database, *tokens)


def container(folder: Path, name: str, *, url: str, keys: Path, settings: Path, embedder: Path) -> Gateway:
    """Makes what the image has: the start script, the prepared embedder, the program; and the settings of compose."""
    mine, service = folder / name, yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"][name]
    for one in ("data", "bin", "prepared"):
        (mine / one).mkdir(parents=True)
    (mine / "prepared" / "embedder").symlink_to(embedder)
    program = mine / "bin" / "canongate"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gateway.cli "$@"\n')
    program.chmod(0o755)
    script = mine / "start"
    text = (CONTAINER / "start").read_text()
    script.write_text(text.replace("/data/", f"{mine}/data/").replace("/opt/canongate/prepared", f"{mine}/prepared"))
    environment = {
        **service["environment"],
        "SHARED_KEYS": str(keys),
        "CANONGATE_DATA__DIRECTORY": str(mine / "data"),
        "CANONGATE_DATA__DATABASE_URL": url,
        "PATH": f"{program.parent}:{os.defpath}",
        "HOME": str(mine),
        "HF_HUB_OFFLINE": "1",
    }
    return Gateway(mine, ["/bin/sh", str(script), "serve", "--config", str(settings), "--port", "0"], environment)


def test_one_of_two_gateways_is_killed_and_nothing_is_lost(town: Town, redis_server: RedisServer) -> None:
    first, second = town.gateways
    count_a_narrow_rate_together(town, redis_server)
    loads = [Load(first, town.key), Load(second, town.key)]
    for load in loads:
        load.until_more(20)
        assert not load.failed(), "both answer from the first question on"

    second_revision = town.publish("Leave by the nearest door.")
    for load in loads:
        load.until_answered_by(second_revision)

    since = len(loads[1].asked)
    first.kill()
    loads[1].until_more(50)
    assert loads[1].failed(since) == Counter(), "the other one goes on as if nothing had happened"
    assert loads[0].asked[-1].status == 0

    number = next_schema(town.url, changed=CHANGED)
    loads[1].until_more(50)
    assert loads[1].failed(since) == Counter(), "nor does a schema that is one step newer stop it"
    assert second.parts()["database"] == degraded(number)

    third_revision = town.publish("Leave by the stairs, and take nobody's coat.")
    loads[1].until_answered_by(third_revision)

    first.start()
    first.until_ready()
    loads[0].until_answered_by(third_revision)
    assert first.parts()["database"] == degraded(number)
    assert re.search(rf"schema_is_newer.*the database has schema {number}", first.said)
    for load in loads:
        load.end()
    judge(
        town,
        loads,
        {second_revision: "Leave by the nearest door.", third_revision: "Leave by the stairs, and take nobody's coat."},
    )


def degraded(number: str) -> dict[str, str]:
    ours = f"{int(number) - 1:04}"
    told = f"the database has schema {number}, a step newer than {ours} of this canongate. Upgrade it soon."
    return {"state": "degraded", "reason": told}


def count_a_narrow_rate_together(town: Town, redis_server: RedisServer) -> None:
    """Of a rate's burst each gateway lets in what the other one has not."""
    began_s = time.monotonic()
    with httpx.Client(timeout=SOON_S) as client:
        asked = [town.gateways[number % 2].ask(client, town.narrow) for number in range(4 * NARROW)]
    taken = sum(one.status == 200 for one in asked)
    came_back = int((time.monotonic() - began_s) * NARROW / 60)
    assert NARROW <= taken <= NARROW + came_back
    assert {one.code for one in asked if one.status != 200} == {"rate_limit_exceeded"}
    for gateway in town.gateways:
        assert gateway.parts()["rates"] == {"state": "ready", "reason": "rates are counted in Redis"}
    with Redis.from_url(redis_server.url) as redis:
        assert redis.keys("{canongate}:rate:*")


def judge(town: Town, loads: list[Load], texts: dict[int, str]) -> None:
    """Every acknowledged decision is kept, and every answer is the one that its revision approves."""
    answers = [one for load in loads for one in load.asked if one.status == 200]
    assert {one.id for one in answers} <= town.decisions()
    for one in answers:
        assert one.code == "answered"
        assert one.text == texts.get(one.revision, "Leave the building by the stairs.")
    # `replicas.superseded_s` of the file: rather than give an old answer, a gateway pauses until it has the new one.
    assert set(loads[1].failed()) <= {"503 revision_not_confirmed"}
    assert {key for key in loads[0].failed() if not key.startswith("0 ")} <= {"503 revision_not_confirmed"}
