"""The TypeScript client in a Node process, with the methods, the replies and the errors of the Python one."""

import atexit
import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest

import gateway.client
from gateway.client import Blocked, CanongateError, Done, Event, Retrying, Sentence, Stage, replies
from gateway.client.exchange import USUALLY, Lost, Received, Send

HERE = Path(__file__).parent
PACKAGE = HERE.parents[2] / "gateway" / "web" / "widget"
CLIENT = PACKAGE / "dist" / "client" / "index.js"
REPLIES = {
    "chat": replies.Answer,
    "match": replies.MatchTrial,
    "checks": replies.Check,
    "feedback": replies.Feedback,
    "models": tuple[replies.Model, ...],
}


class Node:
    """A process that does one thing after another."""

    def __init__(self) -> None:
        if not CLIENT.exists() or shutil.which("node") is None:
            (pytest.fail if os.geteuid() == 0 else pytest.skip)("the TypeScript client was not built: `make setup`")
        command = [shutil.which("node") or "node", str(HERE / "typescript_client.mjs"), CLIENT.as_uri()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def do(self, work: str, **told: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"work": work, **told}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise error_of(answer["error"])
        return answer["value"]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class TypeScriptCanongate:
    """Calls the TypeScript client as if it were `Canongate`."""

    def __init__(self, address: str, *, retrying: Retrying = USUALLY, **options: Any) -> None:
        self._node = Node()
        told = {"most": retrying.most, "chance": retrying.chance()}
        try:
            self._client = self._node.do("make", address=address, options={**camel(options), "retrying": told})
        except BaseException:
            self._node.close()
            raise

    def __getattr__(self, name: str) -> Any:
        def call(*values: str, **options: Any) -> Any:
            positional = [*values]
            told = self._node.do("call", client=self._client, name=name, values=positional, options=camel(options))
            return msgspec.convert(told, REPLIES[name], strict=False)

        return call

    def stream(self, message: str, **options: Any) -> Generator[Event, None, None]:
        stream = self._node.do("stream", client=self._client, values=[message], options=camel(options))
        try:
            while not (told := self._node.do("next", stream=stream))["done"]:
                yield event_of(told["value"])
        finally:
            self._node.do("leave", stream=stream)

    def stopped(self, message: str, *, after_ms: int) -> Any:
        return self._node.do("stop", client=self._client, values=[message], afterMs=after_ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.close()


def camel(options: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the options under the names that TypeScript has for them."""
    return {re.sub("_([a-z])", lambda one: one[1].upper(), name): value for name, value in options.items()}


def event_of(told: Mapping[str, Any]) -> Event:
    match told:
        case {"type": "stage", "stage": stage}:
            return Stage(stage)
        case {"type": "sentence", "text": text}:
            return Sentence(text)
        case {"type": "blocked", "outcome": outcome}:
            return Blocked(outcome)
        case {"type": "done", "answer": answer}:
            return Done(msgspec.convert(answer, replies.Answer))
    raise AssertionError(told)


def error_of(told: Mapping[str, Any]) -> Exception:
    """Gives the Python client's error of the same name, which must say the same."""
    if told["name"] not in gateway.client.__all__:
        return (ValueError if told["name"] == "TypeError" else RuntimeError)(told["words"])
    kind: type[CanongateError] = getattr(gateway.client, told["name"])
    error = kind(
        told["message"],
        code=told["code"],
        status=told["status"],
        param=told["param"],
        request_id=told["requestId"],
        retry_after_s=told["retryAfterS"],
        may_retry=told["mayRetry"],
    )
    assert told["words"] == str(error).replace("retry_after_s", "retryAfterS")
    return error


@cache
def node() -> Node:
    """Gives the process that plays replies, for as long as the tests run."""
    made = Node()
    atexit.register(made.close)
    return made


class TypeScriptPlayed:
    """Drives the TypeScript client with replies that are given in turn, as `Played` does the Python one."""

    def __init__(
        self,
        *heard: Received | Lost,
        most: int = 2,
        timeout_s: float = 30.0,
        chance: float = 0.0,
        took_s: float = 0.0,
        key: str | None = None,
    ) -> None:
        self.sent: list[Send] = []
        self.pauses: list[float] = []
        options = {"timeoutS": timeout_s} | ({"idempotencyKey": key} if key else {})
        self._told = {
            "heard": [played(one) for one in heard],
            "message": "Is it open?",
            "retrying": {"most": most, "chance": chance},
            "tookMs": took_s * 1000,
            "options": options,
        }

    def run(self) -> replies.Answer:
        told = node().do("play", **self._told)
        self.pauses = told["pauses"]
        self.sent = [
            Send(
                one["method"],
                one["path"],
                one["headers"],
                one["body"].encode(),
                one["timeoutMs"] / 1000,
                is_streamed=False,
            )
            for one in told["sent"]
        ]
        if "error" in told:
            raise error_of(told["error"])
        return msgspec.convert(told["value"], replies.Answer)


def read_typescript(*pieces: bytes) -> list[Event]:
    """Reads a stream that comes in these pieces with the TypeScript client."""
    sent = {"status": 200, "headers": {"x-request-id": "r-1"}, "pieces": [encoded(one) for one in pieces]}
    about = {"message": "x", "retrying": {"most": 0, "chance": 0}, "tookMs": 0, "options": {}, "isStreamed": True}
    told = node().do("play", heard=[sent], **about)
    if "error" in told:
        raise error_of(told["error"])
    return [event_of(one) for one in told["events"]]


def played(heard: Received | Lost) -> dict[str, Any]:
    if isinstance(heard, Lost):
        return {"isLost": not heard.is_late, "isLate": heard.is_late}
    return {"status": heard.status, "headers": dict(heard.headers), "pieces": [encoded(heard.body)]}


def encoded(sent: bytes) -> str:
    return base64.b64encode(sent).decode()
