"""What a gateway and the replicas of its model and embedder say to each other, as msgpack."""

from enum import StrEnum
from typing import TypeVar

import msgspec
import numpy as np

from models.errors import (
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    RequestCancelled,
)
from models.ports import ApprovedPrompt, Completion, Sampling, Vectors


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for an answer; `timeout_s` counts from its arrival, because the clocks of two machines differ."""

    prompt: ApprovedPrompt
    sampling: Sampling
    timeout_s: float
    sha256: str
    """Of the weights that have to answer: a replica with others refuses."""
    adapter: str
    """What has to be added to them for the assistant, as its hash and scale."""
    is_streamed: bool = False


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for vectors."""

    texts: tuple[str, ...]


class Text(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """More of a streamed answer: whole characters, none of a stop text."""

    text: str


class Done(msgspec.Struct, frozen=True, tag="done", forbid_unknown_fields=True):
    """The whole answer, always the last message."""

    completion: Completion


class Embedded(msgspec.Struct, frozen=True, tag="embedded", forbid_unknown_fields=True):
    """The vectors of a request's texts, in their order."""

    rows: int
    data: bytes
    """float32, row by row, as this kind of machine has it in memory."""

    @classmethod
    def of(cls, vectors: Vectors) -> "Embedded":
        """Packs vectors, which are (texts, dimension)."""
        return cls(len(vectors), np.ascontiguousarray(vectors, dtype="<f4").tobytes())

    def vectors(self, dimension: int) -> Vectors:
        """Unpacks them. Raises `ModelUnavailable` for anything but unit vectors of this length."""
        try:
            made = np.frombuffer(self.data, dtype="<f4").reshape(self.rows, dimension).astype(np.float32)
        except ValueError as error:
            raise ModelUnavailable("the embedder's replica returned something other than vectors") from error
        if not np.isfinite(made).all():
            raise ModelUnavailable("the embedder's replica returned something other than vectors")
        return made


class FailureKind(StrEnum):
    """Why there is no answer."""

    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """A request without an answer, although its replica is well."""

    kind: FailureKind
    message: str
    retry_after_s: float = 0.0

    @classmethod
    def of(cls, error: ModelError) -> "Failed":
        """Returns the message for an error of ours."""
        if isinstance(error, ModelBusy):
            return cls(FailureKind.BUSY, str(error), error.retry_after_s)
        kind = next((kind for kind, known in _KINDS.items() if isinstance(error, known)), FailureKind.UNAVAILABLE)
        return cls(kind, str(error))

    def error(self) -> ModelError:
        """Returns the error that the message stands for."""
        if self.kind is FailureKind.BUSY:
            return ModelBusy(self.retry_after_s)
        return _KINDS[self.kind](self.message)


_KINDS: dict[FailureKind, type[ModelUnavailable | ModelTimeout | ModelRefused | RequestCancelled]] = {
    FailureKind.UNAVAILABLE: ModelUnavailable,
    FailureKind.TIMEOUT: ModelTimeout,
    FailureKind.REFUSED: ModelRefused,
    FailureKind.CANCELLED: RequestCancelled,
}


class EmbedderFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an embedder is, and what counts word pieces without asking it."""

    fingerprint: str
    dimension: int
    max_tokens: int
    languages: tuple[str, ...] | None
    tokenizer: str


ModelAnswer = Text | Done | Failed
EmbedderAnswer = Embedded | Failed

_Message = TypeVar("_Message")

encode = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask)
_texts = msgspec.msgpack.Decoder(Texts)
_model_answer: msgspec.msgpack.Decoder[ModelAnswer] = msgspec.msgpack.Decoder(ModelAnswer)
_embedder_answer: msgspec.msgpack.Decoder[EmbedderAnswer] = msgspec.msgpack.Decoder(EmbedderAnswer)
_facts = msgspec.msgpack.Decoder(EmbedderFacts)


def read_ask(message: bytes) -> Ask:
    """Returns a request for an answer; raises `ModelUnavailable` for nonsense, as all that read here do."""
    return _read(_ask, message)


def read_texts(message: bytes) -> Texts:
    """Returns a request for vectors."""
    return _read(_texts, message)


def read_model_answer(message: object) -> ModelAnswer:
    """Returns what a replica of the model said."""
    return _read(_model_answer, message)


def read_embedder_answer(message: object) -> EmbedderAnswer:
    """Returns what a replica of the embedder said."""
    return _read(_embedder_answer, message)


def read_facts(message: object) -> EmbedderFacts:
    """Returns what the embedder is."""
    return _read(_facts, message)


def _read(decoder: msgspec.msgpack.Decoder[_Message], message: object) -> _Message:
    if not isinstance(message, bytes):
        raise ModelUnavailable("a replica said something that is no message")
    try:
        return decoder.decode(message)
    except msgspec.MsgspecError as error:
        raise ModelUnavailable("a message between gateway and replica makes no sense") from error
