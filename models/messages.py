"""What the gateway and its model worker say to each other: length-prefixed msgpack over two pipes."""

from enum import StrEnum
from typing import IO, TypeVar

import msgspec

from models.errors import ModelUnavailable
from models.formats import Segment
from models.ports import Completion, Sampling

MAX_FRAME = 16 * 1024 * 1024
"""Bytes; far above any prompt, so that a damaged length is noticed instead of waited for."""

_LENGTH_BYTES = 4


class Load(msgspec.Struct, frozen=True, tag="load", forbid_unknown_fields=True):
    """The first message to a worker: which file to load, and how."""

    path: str
    sha256: str
    context_tokens: int
    threads: int
    gpu_layers: int
    begin_of_sequence: bool
    control_markers: tuple[str, ...]


class Generate(msgspec.Struct, frozen=True, tag="generate", forbid_unknown_fields=True):
    """One job; `timeout_s` counts from its arrival, because the clocks of two processes need not agree."""

    job_id: int
    segments: tuple[Segment, ...]
    sampling: Sampling
    stop: tuple[str, ...]
    timeout_s: float


class Cancel(msgspec.Struct, frozen=True, tag="cancel", forbid_unknown_fields=True):
    """Asks the worker to give up a job, running or waiting."""

    job_id: int


class Ready(msgspec.Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """The model is loaded and warm."""

    can_offload_to_gpu: bool
    """Whether the installed llama.cpp was built for a GPU at all."""
    load_ms: float


class Refused(msgspec.Struct, frozen=True, tag="refused", forbid_unknown_fields=True):
    """The model will not be loaded, now or at the next try."""

    message: str


class Beat(msgspec.Struct, frozen=True, tag="beat", forbid_unknown_fields=True):
    """The worker process is alive."""


class Done(msgspec.Struct, frozen=True, tag="done", forbid_unknown_fields=True):
    """The answer to a job."""

    job_id: int
    completion: Completion


class FailureKind(StrEnum):
    """Why a job has no answer although its worker is well."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """A job without an answer."""

    job_id: int
    kind: FailureKind
    message: str


ToWorker = Load | Generate | Cancel
FromWorker = Ready | Refused | Beat | Done | Failed

_Message = TypeVar("_Message")

_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def encode_frame(message: ToWorker | FromWorker) -> bytes:
    """Returns the message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def read_to_worker(stream: IO[bytes]) -> ToWorker | None:
    """Returns the next message for the worker, None when the gateway is gone."""
    body = _read_frame(stream)
    return None if body is None else _decode(_to_worker, body)


def read_from_worker(stream: IO[bytes]) -> FromWorker | None:
    """Returns the worker's next message, None when it is gone; raises `ModelUnavailable` for nonsense."""
    body = _read_frame(stream)
    return None if body is None else _decode(_from_worker, body)


def _decode(decoder: msgspec.msgpack.Decoder[_Message], body: bytes) -> _Message:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ModelUnavailable("a message of the worker's pipe makes no sense") from error


def _read_frame(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH_BYTES or length > MAX_FRAME:
        raise ModelUnavailable("a message of the worker's pipe is damaged")
    body = stream.read(length)
    if len(body) < length:
        raise ModelUnavailable("a message of the worker's pipe is cut off")
    return body
