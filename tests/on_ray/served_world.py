"""The gateway on Ray in place of `tests.world.World`: as much of it as tests of the HTTP surface look at."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from uuid import uuid4

import httpx
from litestar import Litestar

from gateway.credentials import load_pepper, new_key
from store.database import Database, open_database
from store.repositories.decision_filters import DecisionFilter
from store.repositories.decisions import Decisions
from store.repositories.keys import Keys
from store.types import Decision, KeyScope
from tests.on_ray.application import OnRay


@dataclass(frozen=True)
class ServedWorld:
    """Whoever asks it asks over HTTP, through Ray's proxy."""

    on_ray: OnRay
    app: Litestar
    """For its table of routes; nobody is served by it."""
    database: Database
    since: dt.datetime

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.on_ray.url, headers=headers, timeout=120.0)

    def key(self, *scopes: KeyScope, assistants: tuple[str, ...] = (), is_expired: bool = False) -> str:
        pepper = load_pepper(self.on_ray.settings.data_directory / "pepper")
        made = new_key(
            f"test {uuid4()}", pepper, scopes=scopes or (KeyScope.CHAT, KeyScope.CHECKS), assistants=assistants
        )
        ended = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) if is_expired else None
        Keys(self.database).add(replace(made.record, expires_at=ended))
        return made.token

    @property
    def decisions(self) -> SimpleNamespace:
        """What was decided since the test began, as `kept`."""
        return SimpleNamespace(kept=self._decided())

    @property
    def model(self) -> SimpleNamespace:
        """Hashes of what the model was sent since then, as `prompts`."""
        return SimpleNamespace(prompts=[one.sent_sha256 for one in self._decided() if one.sent_sha256])

    def _decided(self) -> tuple[Decision, ...]:
        return Decisions(self.database).page(DecisionFilter(since=self.since), limit=100)


@contextmanager
def served_world(on_ray: OnRay, app: Litestar) -> Iterator[ServedWorld]:
    """Opens the database of the gateway beside it."""
    database = open_database(on_ray.settings.database_url)
    try:
        yield ServedWorld(on_ray, app, database, dt.datetime.now(dt.UTC))
    finally:
        database.close()
