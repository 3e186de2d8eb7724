"""Which names requests may call the gateway by: an exact list, and the very address that they came in at."""

import re
from collections.abc import Collection

from litestar.types import HTTPScope

from gateway.errors import InvalidRequest
from gateway.proxies import plain_address

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE | re.ASCII)
_LARGEST_PORT = 65535
_LONGEST = 263
"""Characters of the longest name with a port."""


class Hosts:
    """The names that the Host header may have; they may change while the gateway runs.

    Names are compared to the letter, without regard to case and port: no patterns, no dot at the end. X-Forwarded-Host
    has no say.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.replace(names)

    def replace(self, names: Collection[str]) -> None:
        """Answers to these from now on, and to no other."""
        self._names = frozenset(map(_same, names))

    def refusal(self, scope: HTTPScope) -> InvalidRequest | None:
        """Returns what is wrong with a request's host, or None."""
        sent = [value for name, value in scope["headers"] if name == b"host"]
        found = _HOST.fullmatch(sent[0].decode("latin-1")) if len(sent) == 1 and len(sent[0]) <= _LONGEST else None
        if found is None or (found[2] is not None and not 0 < int(found[2]) <= _LARGEST_PORT):
            return InvalidRequest("bad_request", "A request names its host once, as name or name:port.")
        name = _same(found[1])
        if name in self._names or name == _arrived_at(scope):
            return None
        return InvalidRequest(
            "host_not_allowed",
            "This gateway does not answer under that host name. Its operator lists names in server.allowed_hosts.",
        )


def _same(name: str) -> str:
    """Returns one spelling of a name: addresses have several."""
    address = plain_address(name.strip("[]"))
    return str(address) if address is not None else name.lower()


def _arrived_at(scope: HTTPScope) -> str | None:
    server = scope.get("server")
    address = plain_address(server[0]) if server else None
    return str(address) if address is not None else None
