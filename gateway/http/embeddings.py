"""OpenAI's embeddings, made by the gateway's own embedder, for keys with the scope `embeddings`."""

import base64
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.embeddings import Embedded, Embeddings
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import TIMEOUT_HEADER, deadline_of, watched
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described
from gateway.http.problems import rate_headers

EMBEDDER = "canongate.embedder"
"""The only value of `model`. No assistant can have this name: theirs have no dot."""
MOST_TEXTS = 256
MOST_CHARS = 8000
MOST_BYTES = 1024 * 1024
_Text = Annotated[str, Meta(min_length=1, max_length=MOST_CHARS)]


class EmbeddingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OpenAI's request for embeddings, of texts only: the numbers of another tokenizer mean nothing here."""

    model: str
    input: _Text | Annotated[list[_Text], Meta(min_length=1, max_length=MOST_TEXTS)]
    encoding_format: Literal["float", "base64"] | None = None
    """`base64` is that of float32, little-endian: a third of the size, and what OpenAI's clients ask for."""
    user: Annotated[str, Meta(max_length=256)] | None = None
    """Accepted without effect: nothing is kept of the texts or of who sent them."""

    @property
    def texts(self) -> list[str]:
        """The texts, also where there is only one."""
        return [self.input] if isinstance(self.input, str) else self.input


class EmbeddingReply(msgspec.Struct, frozen=True):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str
    """Of length 1, so that a scalar product is the cosine."""


class EmbeddingUsageReply(msgspec.Struct, frozen=True):
    """Word pieces that were read."""

    prompt_tokens: int
    total_tokens: int


class EmbedderReply(msgspec.Struct, frozen=True):
    """What made the vectors. Those of another fingerprint cannot be compared with them."""

    fingerprint: str
    dimension: int
    max_tokens: int
    """Word pieces of the longest text that is read."""


class EmbeddingsReply(msgspec.Struct, frozen=True):
    """OpenAI's list of embeddings, in the order of the texts."""

    object: Literal["list"]
    data: tuple[EmbeddingReply, ...]
    model: str
    usage: EmbeddingUsageReply
    canongate: EmbedderReply


@post(
    "/v1/embeddings",
    status_code=200,
    operation_id="create_embeddings",
    request_max_body_size=MOST_BYTES,
    changes_nothing=True,
)
async def create_embeddings(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[EmbeddingsReply]:
    """Embeds texts; nothing is matched, answered or kept."""
    asked = _checked(await read_object(request))
    deadline = deadline_of(request, components.settings.limits.deadline_s)
    made = await watched(components.embeddings.embed(principal_of(request), asked.texts, deadline), request.receive)
    headers = rate_headers(made.rate)
    return Response(_reply(asked, made, components.embeddings), media_type="application/json", headers=headers)


def _checked(sent: dict[str, Any]) -> EmbeddingRequest:
    """Returns the request. Raises `InvalidRequest` that names what to change."""
    if sent.pop("dimensions", None) is not None:
        words = "`dimensions` asks for shorter vectors, which this embedder does not make. Remove it."
        raise InvalidRequest("unsupported_parameter", words, param="dimensions")
    given = sent.get("input")
    if isinstance(given, list) and given and all(isinstance(one, int | list) for one in given):
        words = "`input` takes texts: token numbers are those of another tokenizer. Have your client send texts."
        raise InvalidRequest("unsupported_parameter", words, param="input")
    if isinstance(given, list) and len(given) > MOST_TEXTS:
        words = f"`input` takes at most {MOST_TEXTS} texts at once. Send them in several requests."
        raise InvalidRequest("invalid_value", words, param="input")
    asked = convert(sent, EmbeddingRequest, code="invalid_value")
    if asked.model != EMBEDDER:
        words = f"The only model that makes embeddings here is `{EMBEDDER}`."
        raise InvalidRequest("model_not_found", words, param="model")
    return asked


def _reply(asked: EmbeddingRequest, made: Embedded, embedder: Embeddings) -> EmbeddingsReply:
    rows = made.vectors.astype(np.dtype("<f4"))
    is_packed = asked.encoding_format == "base64"
    return EmbeddingsReply(
        object="list",
        data=tuple(
            EmbeddingReply("embedding", index, base64.b64encode(row.tobytes()).decode() if is_packed else row.tolist())
            for index, row in enumerate(rows)
        ),
        model=EMBEDDER,
        usage=EmbeddingUsageReply(made.tokens, made.tokens),
        canongate=EmbedderReply(embedder.fingerprint, embedder.dimension, embedder.max_tokens),
    )


EMBEDDINGS_OPERATION = Described(
    "/v1/embeddings",
    "post",
    "create_embeddings",
    "Turn texts into vectors",
    {JSON: EmbeddingsReply},
    (400, 401, 403, 404, 413, 415, 429, 500, 503, 504),
    EmbeddingRequest,
    (TIMEOUT_HEADER,),
    text="Needs the scope `embeddings`. The gateway's own embedder turns texts into vectors of length 1. A text beyond "
    "what it reads is refused, never cut.",
)
