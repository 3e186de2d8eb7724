"""What the gateway and its model worker say to each other: length-prefixed msgpack over two pipes."""

from enum import StrEnum
from typing import IO, TypeVar

import msgspec

from models.errors import ModelUnavailable
from models.formats import Place, Segment
from models.ports import Completion, Sampling

MAX_FRAME = 16 * 1024 * 1024
"""Bytes; far above any prompt, so that a damaged length is noticed instead of waited for."""

_LENGTH_BYTES = 4


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A low-rank adapter (LoRA) over the model's weights, for the requests of one assistant."""

    assistant: str
    path: str
    sha256: str
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Everything that decides what it does to the weights: its hash, and its scale where that is not 1."""
        return self.sha256 if self.scale == 1.0 else f"{self.sha256}*{self.scale!r}"


class Load(msgspec.Struct, frozen=True, tag="load", forbid_unknown_fields=True):
    """The first message to a worker: which file to load, and how."""

    path: str
    sha256: str
    context_tokens: int
    """Most tokens of one request, prompt and answer together."""
    threads: int
    gpu_layers: int
    begin_of_sequence: bool
    control_markers: tuple[str, ...]
    end_tokens: tuple[str, ...] = ()
    """Those of them that end an answer, whatever the file says about it."""
    parallel: int = 1
    """Most requests at once."""
    cells: int = 0
    """Tokens that the KV cache holds for all requests and kept prefixes; 0 means as many as one request may have."""
    source_path: str = ""
    """The registered file that `path` was rewritten from; loaded in its place when that one is gone or damaged."""
    source_sha256: str = ""
    prefix_cells: int = 0
    """Most of the cells that kept prefixes may take while no request needs them."""
    prefix_folder: str = ""
    """Where prefixes are kept over a restart; empty: nowhere."""
    adapters: tuple[Adapter, ...] = ()


class Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt as the worker gets it, and how much of its beginning others may share."""

    segments: tuple[Segment, ...]
    shared: tuple[Place, ...]
    """Up to where others may have the same, shortest first; what follows the last one may be a slot's value."""
    assistant: str
    """Prefixes are shared inside one assistant only: how soon an answer comes tells what was asked before."""


class Generate(msgspec.Struct, frozen=True, tag="generate", forbid_unknown_fields=True):
    """One job; `timeout_s` counts from its arrival, because the clocks of two processes need not agree."""

    job_id: int
    prompt: Prompt
    sampling: Sampling
    stop: tuple[str, ...]
    timeout_s: float
    is_streamed: bool = False


class Warm(msgspec.Struct, frozen=True, tag="warm", forbid_unknown_fields=True):
    """Asks the worker to have a prompt's beginning ready, when it has nothing else to do."""

    prompt: Prompt


class Cancel(msgspec.Struct, frozen=True, tag="cancel", forbid_unknown_fields=True):
    """Asks the worker to give up a job, running or waiting."""

    job_id: int


class Ready(msgspec.Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """The model is loaded and warm."""

    can_offload_to_gpu: bool
    """Whether the installed llama.cpp was built for a GPU at all."""
    load_ms: float


class Refused(msgspec.Struct, frozen=True, tag="refused", forbid_unknown_fields=True):
    """The model cannot be loaded; where it never was before, it is not tried again."""

    message: str


class Beat(msgspec.Struct, frozen=True, tag="beat", forbid_unknown_fields=True):
    """The worker process is alive."""

    prefixes: int = 0
    """Beginnings of prompts that it has ready."""
    prefix_cells: int = 0


class Text(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """More of the answer to a streamed job: whole characters, none of a stop text."""

    job_id: int
    text: str


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


ToWorker = Load | Generate | Warm | Cancel
FromWorker = Ready | Refused | Beat | Text | Done | Failed

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
