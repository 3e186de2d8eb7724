"""Speaks HTTP with an upstream: one bounded pool, no redirects, no proxies, retries only before the first token."""

import asyncio
import contextlib
import email.utils
import random
import ssl
import time
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import aiohttp

from models.errors import ModelBusy, ModelError, ModelRefused, ModelUnavailable
from models.ports import Completion, OnText
from models.upstream.prompts import UpstreamRequest
from models.upstream.stream import StreamedAnswer, server_words
from models.upstream.target import UpstreamTarget

CONNECT_S = 3.0
SILENCE_S = 20.0
"""A server that says nothing for so long counts as broken, also when the caller would wait longer."""

IDLE_S = 4.0
"""An unused connection is closed by us before a llama-server closes it, which it does after 5 s."""

ATTEMPTS = 3
PAUSE_S = 0.1
"""Before the second attempt, doubled before the third; drawn between half and all of it, so that callers spread."""

PROBE_S = 2.0
MAX_SMALL_BODY = 1024 * 1024
"""Of an error, a health report or a text's tokens."""

ERROR_BODY_S = 1.0
PLAIN = {"accept-encoding": "identity"}
JSON_TYPE = {"content-type": "application/json", **PLAIN}
MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
BROKEN = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)


class _TryAgain(Exception):
    """An attempt failed before its first token, and another may not."""

    def __init__(self, error: ModelError, pause_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.pause_s = pause_s


class UpstreamClient:
    """The only one that knows aiohttp and the key. Made on any thread, used and closed on one event loop."""

    def __init__(self, target: UpstreamTarget, connections: int) -> None:
        self._target = target
        self._connections = connections
        try:
            self._trusted = ssl.create_default_context(cafile=str(target.ca_file) if target.ca_file else None)
        except (OSError, ssl.SSLError) as error:
            raise ModelRefused(f"upstream.ca_file {target.ca_file} holds no certificates: {error}") from error
        self._opened: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes every connection."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _http(self) -> aiohttp.ClientSession:
        """The pool; it belongs to the event loop of whoever asks first."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_S, ssl=self._trusted),
                headers={"user-agent": "canongate"}
                | ({"authorization": f"Bearer {self._target.key}"} if self._target.key else {}),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=SILENCE_S),
                auto_decompress=False,
                trust_env=False,
            )
        return self._opened

    def _request(self, url: str, body: bytes | None = None) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if body is None:
            return self._http.get(url, headers=PLAIN, allow_redirects=False)
        return self._http.post(url, data=body, headers=JSON_TYPE, allow_redirects=False)

    async def answer(self, request: UpstreamRequest, on_text: OnText, *, deadline_s: float) -> Completion:
        """Returns the streamed answer; what fails before the first token is tried again while the deadline allows it.

        Raises `ModelBusy`, `ModelUnavailable` or `ModelRefused`. Being cancelled closes the connection.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(request, on_text)
            except _TryAgain as failure:
                pause_s = _pause_s(attempt, failure.pause_s)
                if attempt == ATTEMPTS or time.monotonic() + pause_s >= deadline_s:
                    raise failure.error from failure
                await asyncio.sleep(pause_s)
        raise ModelUnavailable("no attempt was made. This is a bug.")

    async def fault(self) -> str | None:
        """Returns why the server is not ready, by its health route and its list of models; None when it is.

        Raises `ModelUnavailable` when it cannot be reached or does not answer.
        """
        statuses = []
        try:
            async with asyncio.timeout(PROBE_S):
                for url in (f"{self._target.root}/health", f"{self._target.base}/models"):
                    async with self._request(url) as response:
                        statuses.append(response.status)
                        with contextlib.suppress(ModelUnavailable):  # too long: the connection is not used again
                            await _small_body(response)
        except TimeoutError as error:
            if HTTPStatus.OK in statuses:
                return f"the upstream did not list its models within {PROBE_S:g} s"
            raise ModelUnavailable(f"the upstream did not answer within {PROBE_S:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(f"the upstream cannot be reached ({_why(error)})") from error
        # One of the two routes may be missing; a refused key or a model that is still loading is not ready.
        wrong = [status for status in statuses if status != HTTPStatus.OK and status not in MISSING]
        if not wrong and HTTPStatus.OK in statuses:
            return None
        return f"the upstream answered {(wrong or statuses)[0]}"

    async def json(self, path: str, body: bytes | None = None) -> bytes:
        """Returns the JSON text of a route beside OpenAI's, which changes nothing and may be asked again.

        Raises `ModelUnavailable` or `ModelRefused`. A connection that breaks is tried once more: a server may close an
        unused one at the moment at which it is used.
        """
        try:
            with contextlib.suppress(*BROKEN):
                return await self._json(path, body)
            return await self._json(path, body)
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(f"the upstream cannot be reached ({_why(error)})") from error

    async def _json(self, path: str, body: bytes | None) -> bytes:
        async with self._request(f"{self._target.root}/{path}", body) as response:
            if response.status != HTTPStatus.OK:
                raise ModelUnavailable(f"the upstream answered {response.status} to /{path}")
            return await _small_body(response)

    async def _attempt(self, request: UpstreamRequest, on_text: OnText) -> Completion:
        answer = StreamedAnswer(request, on_text)
        try:
            async with self._request(f"{self._target.base}/{request.path}", request.body) as response:
                await self._require_stream(response)
                # Read to its end, so that the connection can be used again.
                async for chunk in response.content.iter_any():
                    answer.add(chunk)
        except aiohttp.SocketTimeoutError as error:
            raise ModelUnavailable(f"the upstream was silent for {SILENCE_S:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            broken = ModelUnavailable(f"the connection to the upstream failed ({_why(error)})")
            if answer.is_done:
                return answer.completion()
            if answer.has_begun:
                raise broken from error
            raise _TryAgain(broken) from error
        return answer.completion()

    async def _require_stream(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status == HTTPStatus.OK:
            _require_type(response)
            return
        if status in AGAIN:
            pause_s = _retry_after_s(response.headers.get("retry-after"))
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                raise _TryAgain(ModelBusy(retry_after_s=pause_s or 1.0), pause_s)
            raise _TryAgain(ModelUnavailable(f"the upstream answered {status}"), pause_s)
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            words = server_words(await _error_body(response), self._target.key)
            raise ModelRefused(f"the upstream answered {status}: {words}")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ModelUnavailable(f"the upstream answered {status}: redirects are not followed, set upstream.url")
        raise ModelUnavailable(f"the upstream answered {status}")


def _why(error: BaseException) -> str:
    """Returns the kind of an error, what is wrong with the server's certificate, or how long it was silent."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        wrong = error.certificate_error
        return f"its certificate is not trusted: {getattr(wrong, 'verify_message', wrong)}"
    if isinstance(error, aiohttp.SocketTimeoutError):
        return f"it was silent for {SILENCE_S:g} s"
    return type(error).__name__


def _require_type(response: aiohttp.ClientResponse) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raise ModelUnavailable("the upstream answered 200 without a stream: is upstream.url right?")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ModelUnavailable("the upstream compressed its answer although it was asked not to")


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """Returns what there is of an error's body; late or broken, the status says enough."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ModelUnavailable):
        async with asyncio.timeout(ERROR_BODY_S):
            return await _small_body(response)
    return b""


async def _small_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_SMALL_BODY:
            raise ModelUnavailable("the upstream's answer is far too long; it was cut off")
    return bytes(body)


def _retry_after_s(value: str | None) -> float | None:
    """Returns the seconds of `Retry-After`, a number or a date (RFC 9110, 10.2.3); None when it is unreadable."""
    if value is None:
        return None
    if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004 - three centuries are enough
        return float(value)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _pause_s(attempt: int, asked_s: float | None) -> float:
    """Returns how long to wait after an attempt; what the server asked for is added to, never cut."""
    most_s = PAUSE_S * 2.0 ** (attempt - 1)
    return (asked_s or 0.0) + random.uniform(most_s / 2, most_s)  # noqa: S311 - spreads callers, keeps no secret
