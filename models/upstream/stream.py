"""Reads an upstream's streamed answer, strictly: bounded, in order, ended by a reason and a count, or broken."""

import time

import msgspec

from models.errors import ModelRefused, ModelUnavailable
from models.ports import Completion, FinishReason, OnText, SentRequest
from models.upstream.prompts import UpstreamRequest
from models.worker.answer import AnswerText

MAX_LINE = 256 * 1024
BASE_BYTES = 512 * 1024
BYTES_PER_TOKEN = 8 * 1024
"""An event holds one token and some 300 bytes around it; a server may add figures of its own to each."""

MAX_WORDS = 200
DONE = b"[DONE]"
CALLERS_FAULT = range(400, 500)
MOST_TOKENS = 2**31

BROKEN_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON, no UTF-8, or nested without end."""

FINISH = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: msgspec.Raw | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class _Fault(msgspec.Struct):
    message: str = ""
    code: int | str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Fault | str | None = None


_events = msgspec.json.Decoder(_Event)


class StreamedAnswer:
    """Takes the bytes of one answer as they come; `completion` is what they came to."""

    def __init__(self, request: UpstreamRequest, on_text: OnText) -> None:
        self._request = request
        self._on_text = on_text
        self._started_s = time.monotonic()
        self._first_s: float | None = None
        self._room = BASE_BYTES + BYTES_PER_TOKEN * request.sampling.max_tokens
        self._line = b""
        # A server that does not know `stop` would otherwise speak on.
        self._text = AnswerText(request.sampling.stop)
        self._is_stopped = False
        self._pieces = 0
        self._finish: FinishReason | None = None
        self._usage: _Usage | None = None
        self.is_done = False

    @property
    def has_begun(self) -> bool:
        """Whether a first token came: from then on nothing is tried again."""
        return self._first_s is not None

    def add(self, chunk: bytes) -> None:
        """Takes some bytes; raises `ModelUnavailable` for what is no such stream, `ModelRefused` for a late no."""
        self._room -= len(chunk)
        if self._room < 0:
            raise ModelUnavailable("the upstream's answer is far too long; it was cut off")
        *lines, self._line = (self._line + chunk).split(b"\n")
        if len(self._line) > MAX_LINE:
            raise ModelUnavailable("the upstream's answer has a line that does not end")
        for line in lines:
            if not self.is_done:
                self._take(line.rstrip(b"\r"))

    def completion(self) -> Completion:
        """Returns the answer; raises `ModelUnavailable` when the stream ended before the answer did."""
        if self._finish is None or not self.is_done:
            raise ModelUnavailable("the upstream's answer ended in the middle")
        if self._usage is None:
            raise ModelUnavailable("the upstream did not count its tokens (stream_options.include_usage)")
        self._tell(self._text.rest())
        duration_ms = (time.monotonic() - self._started_s) * 1000
        first_s = self._first_s
        sent = SentRequest(self._request.sha256, self._usage.prompt_tokens)
        return Completion(
            text=self._text.text,
            finish_reason=FinishReason.STOP if self._is_stopped else self._finish,
            prompt_tokens=self._request.tokens,
            completion_tokens=self._usage.completion_tokens,
            first_token_ms=duration_ms if first_s is None else (first_s - self._started_s) * 1000,
            duration_ms=duration_ms,
            sent_request=None if self._request.tokens else sent,
        )

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.strip()
        if field == b"data" and value == DONE:
            self.is_done = True
        elif field == b"data":
            self._hear(_decoded(value))
        elif field == b"error":  # older llama-servers
            self._hear(_Event(error=_decoded_fault(value)))
        # Comments keep the connection alive; `event`, `id` and `retry` mean nothing here.

    def _hear(self, event: _Event) -> None:
        if event.error is not None:
            raise _fault(event.error)
        if event.usage is not None:
            self._usage = _checked(event.usage)
        if len(event.choices) > 1 or any(choice.index != 0 for choice in event.choices):
            raise ModelUnavailable("the upstream gave several answers at once")
        for choice in event.choices:
            self._choose(choice)

    def _choose(self, choice: _Choice) -> None:
        text = choice.text or (choice.delta.content if choice.delta else None)
        if text:
            if self._finish is not None:
                raise ModelUnavailable("the upstream spoke on after the end of its answer")
            if self._first_s is None:
                self._first_s = time.monotonic()
            self._pieces += 1
            if self._pieces > self._request.sampling.max_tokens:
                raise ModelUnavailable("the upstream does not keep to max_tokens")
            if not self._is_stopped:
                self._is_stopped = self._text.add(text.encode())
                self._tell(self._text.news())
        if choice.finish_reason is not None:
            # A call of a tool, a filter's cut or an abort is no whole answer.
            if choice.finish_reason not in FINISH:
                raise ModelUnavailable("the upstream ended its answer for a reason that is neither stop nor length")
            self._finish = FINISH[choice.finish_reason]

    def _tell(self, text: str) -> None:
        if text:
            self._on_text(text)


def server_words(body: bytes, secret: str = "") -> str:
    """Returns what an error's body says, cut, on one line, and without the key, which some servers repeat."""
    try:
        words = _words(msgspec.json.decode(body))
    except BROKEN_JSON:
        words = body.decode("utf-8", "replace")
    if secret:
        words = words.replace(secret, "***")
    printable = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(printable.split())[:MAX_WORDS]


def _words(said: object) -> str:
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and name in said:
            return _words(said[name])
    return said if isinstance(said, str) else msgspec.json.encode(said).decode()


def _decoded(data: bytes) -> _Event:
    try:
        return _events.decode(data)
    except BROKEN_JSON as error:
        raise ModelUnavailable("the upstream's answer is not the JSON that its route promises") from error


def _decoded_fault(data: bytes) -> _Fault:
    try:
        return msgspec.json.decode(data, type=_Fault)
    except BROKEN_JSON:
        return _Fault()


def _fault(error: _Fault | str) -> ModelRefused | ModelUnavailable:
    fault = _Fault(error) if isinstance(error, str) else error
    if fault.code in CALLERS_FAULT:
        return ModelRefused(f"the upstream refused the request: {server_words(fault.message.encode())}")
    return ModelUnavailable("the upstream broke off its answer with an error")


def _checked(usage: _Usage) -> _Usage:
    if not (0 <= usage.prompt_tokens < MOST_TOKENS and 0 <= usage.completion_tokens < MOST_TOKENS):
        raise ModelUnavailable("the upstream's token counts make no sense")
    return usage
