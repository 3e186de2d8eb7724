"""Style sheets, icons and scripts of the pages, read once at the start and served from memory."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from litestar import Request, Response, get

from gateway.errors import InvalidRequest
from gateway.http.templates import WEB

_MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}
_LIFETIME = "public, max-age=31536000, immutable"
_UNVERSIONED = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file and the address under which it never changes."""

    content: bytes
    media_type: str
    version: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "StaticFile":
        """Makes the file; its version is a hash of its content."""
        return cls(content, _MEDIA_TYPES[suffix], hashlib.sha256(content).hexdigest()[:12])

    def told(self, accepted: str, headers: Mapping[str, str]) -> Response[bytes]:
        """Returns the file, compressed where the request's `Accept-Encoding` takes that."""
        varied = {**headers, "vary": "accept-encoding"}
        if not _takes_gzip(accepted):
            return Response(self.content, media_type=self.media_type, headers=varied)
        packed = _packed(self.content)
        return Response(packed, media_type=self.media_type, headers={**varied, "content-encoding": "gzip"})


@cache
def _packed(content: bytes) -> bytes:
    """Compresses a file once, when somebody asks for it first; the largest takes a tenth of a second."""
    return gzip.compress(content, 9, mtime=0)


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


FILES = {
    path.name: StaticFile.of(path.read_bytes(), path.suffix)
    for folder in ("styles", "dist")
    for path in sorted((WEB / folder).glob("*"))
    if path.suffix in _MEDIA_TYPES
}
"""By name. Scripts are there where `make setup` built them; no page needs any."""


def address_of(name: str) -> str:
    """Returns the versioned address of a file."""
    return f"/static/{name}?v={FILES[name].version}"


def script_of(name: str) -> str | None:
    """Returns the versioned address of a script, None where scripts were not built."""
    return address_of(name) if name in FILES else None


@get("/static/{name:str}", operation_id="static_file")
async def static_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Returns a file; only names that were there at the start exist, so no path can lead elsewhere."""
    file = FILES.get(request.path_params["name"])
    if file is None:
        raise InvalidRequest("not_found", "There is no such file.")
    is_versioned = request.query_params.get("v") == file.version
    headers = {"cache-control": _LIFETIME if is_versioned else _UNVERSIONED}
    return file.told(request.headers.get("accept-encoding", ""), headers)
