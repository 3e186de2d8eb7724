"""The assistants that a key may talk to, and the embedder where it may embed, as OpenAI clients list models."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.credentials import Principal
from gateway.http.access import principal_of
from gateway.http.embeddings import EMBEDDER
from store.content import Assistant
from store.types import KeyScope


class AssistantReply(msgspec.Struct, frozen=True):
    """What a person may want to know before choosing an assistant."""

    title: str
    greeting: str
    languages: tuple[str, ...]


class ModelReply(msgspec.Struct, frozen=True):
    """OpenAI's model; `created` is 0, because an assistant has no date of its own."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    canongate: AssistantReply | None
    """Null for the embedder."""


class ModelsReply(msgspec.Struct, frozen=True):
    """OpenAI's list of models."""

    object: Literal["list"]
    data: tuple[ModelReply, ...]


@get("/v1/models", operation_id="list_models")
async def list_models(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[ModelsReply]:
    """Lists the assistants that the key may use, and the embedder if it may embed."""
    principal = principal_of(request)
    assistants = components.live.current.catalog.assistants
    usable = [_model(assistants[name]) for name in sorted(assistants) if principal.may_use(name)]
    usable += [_EMBEDDER] if _may_embed(principal) else []
    return Response(ModelsReply("list", tuple(usable)), media_type="application/json")


@get("/v1/models/{model:str}", operation_id="get_model")
async def get_model(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[ModelReply]:
    """Returns one assistant, or the embedder; what the key may not use does not exist for it."""
    name = request.path_params["model"]
    if name == EMBEDDER and _may_embed(principal_of(request)):
        return Response(_EMBEDDER, media_type="application/json")
    state = components.live.current
    assistant = state.assistant(name, principal_of(request))
    return Response(_model(assistant), media_type="application/json")


def _model(assistant: Assistant) -> ModelReply:
    about = AssistantReply(assistant.title, assistant.greeting, assistant.languages)
    return ModelReply(assistant.name, "model", 0, "canongate", about)


def _may_embed(principal: Principal) -> bool:
    return KeyScope.EMBEDDINGS in principal.scopes


_EMBEDDER = ModelReply(EMBEDDER, "model", 0, "canongate", None)
