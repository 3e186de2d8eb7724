"""A database, a publisher that follows it, and a way to run both until something came true."""

from dataclasses import dataclass, field

import anyio
import msgspec

from gateway.live import Live
from gateway.publisher import Publisher
from gateway.settings import DataSettings, RailSettings, Settings
from models.errors import ModelUnavailable
from models.fakes import FakeEmbedder
from rails.definition import NO_SERVICES
from store.catalog import publish_bundle
from store.content import Assistant, CanonicalPrompt
from store.database import open_database
from store.formats.bundle import Bundle
from tests.building import ASSISTANT, POLICY, RESET, NearestMatchers
from tests.migrated import migrate_new


@dataclass
class CountingEmbedder:
    """A fake that counts what it embeds, and can be told to be gone."""

    inner: FakeEmbedder = field(default_factory=FakeEmbedder)
    texts: list[str] = field(default_factory=list)
    is_gone: bool = False
    fingerprint = "counting"
    dimension = 64
    max_tokens = 256

    def count_tokens(self, text):
        return self.inner.count_tokens(text)

    def embed(self, texts):
        if self.is_gone:
            raise ModelUnavailable("told to be gone")
        self.texts.extend(texts)
        return self.inner.embed(texts)


class Place:
    """A database, a publisher that follows it, and how to publish there."""

    def __init__(self, folder):
        # Patient with rails: a machine that is busy for a moment must not look like a rail that broke.
        rails = RailSettings(rail_s=10.0, stage_s=30.0)
        self.settings = Settings(data=DataSettings(directory=str(folder / "data")), rails=rails)
        migrate_new(self.settings.database_url)
        self.database = open_database(self.settings.database_url)
        self.embedder = CountingEmbedder()
        self.matchers = NearestMatchers(self.embedder, folder / "index")
        self.publisher = Publisher(self.settings, self.database, self.matchers, NO_SERVICES)

    def publish(self, phrasing="I forgot my password", policy=POLICY):
        prompt = msgspec.convert({**RESET, "phrasings": ["How do I reset it?", phrasing]}, CanonicalPrompt)
        assistant = msgspec.convert(ASSISTANT, Assistant)
        return publish_bundle(self.database, Bundle((prompt,), (assistant,), {"desk": policy}), author="tests")


async def until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await anyio.sleep(0.01)


def beside(publishing, live: Live, *steps) -> None:
    """Runs a part of the publisher, and each step (what to do, in a thread; what to wait for) beside it."""

    async def run():
        async with anyio.create_task_group() as group:
            group.start_soon(publishing, live)
            for act, condition in steps:
                await anyio.to_thread.run_sync(act)
                await until(condition)
            group.cancel_scope.cancel()

    anyio.run(run)


def follow(place: Place, live: Live, *steps) -> None:
    """Runs what follows newer revisions."""
    beside(place.publisher.follow, live, *steps)


def improve(place: Place, live: Live, *conditions) -> None:
    """Runs the improver until each condition came true, one after the other."""
    beside(place.publisher.improve, live, *((lambda: None, condition) for condition in conditions))
