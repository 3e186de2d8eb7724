"""The rail-failure matrix, column dialog: raises, hangs, wrong type, missing, slow. Each is a failure, never a pass."""

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.definition import RailServices
from rails.types import RailContext, RailStatus
from tests.rails.dialog_policies import dialog_policy, hurried

TEXT = "hello"
RELEASE = threading.Event()


@pytest.fixture(autouse=True)
def _let_go():
    RELEASE.clear()
    yield
    RELEASE.set()


def said(response: object) -> SimpleNamespace:
    return SimpleNamespace(response=response)


async def raises(**_: object) -> object:
    raise RuntimeError(f"broken on {TEXT}")


async def exits(**_: object) -> object:
    raise SystemExit(TEXT)


async def hangs(**_: object) -> object:
    await asyncio.sleep(3600)
    return said([{"role": "assistant", "content": "Hello. Ask away."}])


async def blocks_its_thread(**_: object) -> object:
    RELEASE.wait(5)
    return said([{"role": "assistant", "content": "Hello. Ask away."}])


async def spins(**_: object) -> object:
    while True:
        pass


async def is_slow(**_: object) -> object:
    await asyncio.sleep(0.6)
    return said([{"role": "assistant", "content": "Hello. Ask away."}])


def answering(value: object) -> Callable[..., Any]:
    async def generate(**_: object) -> object:
        return value

    return generate


NEMO = {
    "raises": raises,
    "ends its thread": exits,
    "hangs": hangs,
    "blocks its thread": blocks_its_thread,
    "spins": spins,
    "is slow": is_slow,
    "says None": answering(None),
    "says a text": answering("Hello. Ask away."),
    "says a mapping": answering({"role": "assistant", "content": "Hello. Ask away."}),
    "says nothing": answering(said([])),
    "says two messages": answering(said([{"role": "assistant", "content": "Hello. Ask away."}] * 2)),
    "says an exception": answering(said([{"role": "exception", "content": "Hello. Ask away."}])),
    "says an event": answering(said([{"role": "assistant", "content": {"text": "Hello. Ask away."}}])),
    "asks for no intent": answering(said([{"role": "assistant", "content": "Hello. Ask away."}])),
}


def failing(policy) -> None:
    report = asyncio.run(policy.dialog.converse(TEXT, RailContext()))
    assert report.has_failed
    assert report.reply is None
    assert report.record.status is RailStatus.ERROR
    assert report.record.reason.startswith("rail.")
    assert TEXT not in repr(report)


@pytest.mark.parametrize("generate", NEMO.values(), ids=NEMO.keys())
def test_whatever_nemo_does_instead_of_answering_is_a_failure(generate):
    policy = hurried(dialog_policy())
    rails, policy.dialog.engine._rails = policy.dialog.engine._rails, SimpleNamespace(generate_async=generate)
    started = time.monotonic()
    failing(policy)
    assert time.monotonic() - started < 2.0
    policy.dialog.engine._rails = rails
    report = asyncio.run(policy.dialog.converse(TEXT, RailContext()))
    assert report.reply is not None, report.record


class Saying:
    """NeMo, but with other words."""

    def __init__(self, rails: Any, text: str) -> None:
        self._rails = rails
        self._text = text

    async def generate_async(self, **asked: Any) -> object:
        await self._rails.generate_async(**asked)
        return said([{"role": "assistant", "content": self._text}])


@pytest.mark.parametrize(
    "text",
    [
        "Sure, here is how to pick a lock.",
        "",
        TEXT,
        "I'm sorry, an internal error has occurred.",
        "Hello. Ask away. And ignore the desk.",
        "Hello. Ask away.\nSure.",
    ],
)
def test_words_that_nobody_approved_are_a_failure(text):
    policy = dialog_policy()
    policy.dialog.engine._rails = Saying(policy.dialog.engine._rails, text)
    failing(policy)


class Embedding:
    """An embedder that works until the policy is compiled."""

    def __init__(self, then: Callable[[], Any]) -> None:
        self.is_live = False
        self._then = then

    def __call__(self, texts: Any) -> Any:
        return self._then() if self.is_live else FakeEmbedder().embed(texts)


def raising() -> None:
    raise RuntimeError(TEXT)


SERVICES: dict[str, Callable[[], Any]] = {
    "raises": raising,
    "hangs": lambda: RELEASE.wait(5),
    "returns None": lambda: None,
    "returns a text": lambda: TEXT,
    "returns nothing": list,
    "returns too much": lambda: FakeEmbedder().embed([TEXT, TEXT]),
    "returns another size": lambda: FakeEmbedder(dimension=8).embed([TEXT]),
}


@pytest.mark.parametrize("then", SERVICES.values(), ids=SERVICES.keys())
def test_an_embedder_that_fails_is_a_failure_and_not_a_message_without_a_topic(then):
    embed = Embedding(then)
    policy = hurried(
        dialog_policy(services=RailServices(embed=embed, neighbours=rail_services(FakeEmbedder).neighbours))
    )
    embed.is_live = True
    failing(policy)
    RELEASE.set()
    embed.is_live = False
    assert asyncio.run(policy.dialog.converse(TEXT, RailContext())).reply.topic == "greeting"


def test_a_vector_of_no_numbers_is_near_nothing():
    embed = Embedding(lambda: FakeEmbedder().embed([TEXT]) * float("nan"))
    policy = dialog_policy(services=RailServices(embed=embed, neighbours=rail_services(FakeEmbedder).neighbours))
    embed.is_live = True
    assert asyncio.run(policy.dialog.converse(TEXT, RailContext())).reply is None


def test_a_caller_that_leaves_takes_its_conversation_along():
    policy = dialog_policy()
    left = []

    async def generate(**_: object) -> object:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            left.append(True)
            raise

    policy.dialog.engine._rails = SimpleNamespace(generate_async=generate)

    async def leave():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await policy.dialog.converse(TEXT, RailContext())
        await asyncio.sleep(0.2)

    asyncio.run(leave())
    assert left == [True]
