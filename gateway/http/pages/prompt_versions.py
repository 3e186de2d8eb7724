"""Versions of a prompt."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.http.pages.documents import PROMPTS, prompt_crumbs, prompt_item, prompt_path
from gateway.http.pages.forms import Form
from gateway.http.pages.versions import Versioned, restore, show_versions
from gateway.http.pages.visit import Visit

_Asked = NamedDependency[SkipValidation[Visit]]
_VERSIONS = PROMPTS + "/{prompt_key:str}/versions"
_RESTORE = f"{_VERSIONS}/{{number:str}}/restore"


@get(_VERSIONS, operation_id="prompt_versions_page")
async def prompt_versions_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Lists the versions of a prompt, and what differs between two of them."""
    return await show_versions(visit, _versioned(prompt_key), Form())


@post(_RESTORE, status_code=200, operation_id="restore_prompt_version")
async def restore_prompt_version(prompt_key: FromPath[str], number: FromPath[str], visit: _Asked) -> Response[Any]:
    """Drafts an old version of a prompt."""
    return await restore(visit, _versioned(prompt_key), number)


def _versioned(key: str) -> Versioned:
    return Versioned(prompt_item(key), prompt_path, prompt_crumbs, _RESTORE)
