"""The assistants that a key may talk to, as OpenAI clients list models."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.access import principal_of
from store.content import Assistant


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
    canongate: AssistantReply


class ModelsReply(msgspec.Struct, frozen=True):
    """OpenAI's list of models."""

    object: Literal["list"]
    data: tuple[ModelReply, ...]


@get("/v1/models", operation_id="list_models")
async def list_models(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[ModelsReply]:
    """Lists the assistants that the key may use."""
    principal = principal_of(request)
    assistants = components.live.current.catalog.assistants
    usable = (assistants[name] for name in sorted(assistants) if principal.may_use(name))
    return Response(ModelsReply("list", tuple(map(_model, usable))), media_type="application/json")


@get("/v1/models/{model:str}", operation_id="get_model")
async def get_model(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[ModelReply]:
    """Returns one assistant; one that the key may not use does not exist for it."""
    name = request.path_params["model"]
    state = components.live.current
    assistant = state.assistant(name, principal_of(request))
    return Response(_model(assistant), media_type="application/json")


def _model(assistant: Assistant) -> ModelReply:
    about = AssistantReply(assistant.title, assistant.greeting, assistant.languages)
    return ModelReply(assistant.name, "model", 0, "canongate", about)
