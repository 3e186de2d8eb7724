"""Reads a form that has a file: its fields as those of any form, and the file, which lies on the disk meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException

from gateway.errors import InvalidRequest
from gateway.http.pages.forms import Form, form_of_pairs
from gateway.importing import LONGEST_NAME

UPLOADS: Final = frozenset({"POST /admin/prompts/import", "POST /admin/begin/bundle"})
"""Pages that take a form with a file, as the table names them."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of such a form. Larger files come over REST or the command line, which take a stream."""
MULTIPART: Final = "multipart/form-data"
_PIECE = 64 * 1024
_STATE_KEY = "upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent with a form."""

    name: str
    """As the sender's disk has it, without folders, cut to what an import keeps."""
    file: UploadFile

    async def pieces(self) -> AsyncIterator[bytes]:
        """Gives the content."""
        while piece := await self.file.read(_PIECE):
            yield piece


async def read_upload(request: Request[Any, Any, Any]) -> Form:
    """Reads the body, and puts its file aside for `upload_of`. Raises `InvalidRequest`."""
    try:
        sent = list((await request.form()).multi_items())
    except (ClientException, UnicodeDecodeError, LookupError) as error:
        if getattr(error, "status_code", 400) != 400:  # noqa: PLR2004 -- too large is told as such
            raise
        raise InvalidRequest("invalid_form", "The form is malformed.") from error
    files = [value for _, value in sent if isinstance(value, UploadFile)]
    if files:
        request.scope["state"][_STATE_KEY] = Upload(_plain_name(files[0].filename), files[0])
    return form_of_pairs((name, value) for name, value in sent if isinstance(value, str))


def upload_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Upload | None:
    """Returns the file that came with the form, if one did."""
    found = connection.scope["state"].get(_STATE_KEY)
    return found if isinstance(found, Upload) else None


async def drop_upload(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Removes the file that came with a form from the disk."""
    if found := upload_of(connection):
        await found.file.close()


def is_multipart(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether a form with a file is sent."""
    return connection.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable()).strip()[:LONGEST_NAME] or "file"
