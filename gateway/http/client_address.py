"""Who a request comes from, as far as the connection tells, or a proxy that the settings trust.

Nothing else reads forwarding headers: X-Forwarded-Host, X-Forwarded-Proto and X-Real-IP have no effect.
"""

import re
from typing import Any

from litestar.connection import ASGIConnection

from gateway.access.tries import network_of
from gateway.limits import Admission
from gateway.proxies import TrustedProxies, plain_address

_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;"\s]*)\s*(?:;|$)', re.IGNORECASE)
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


def client_address(connection: ASGIConnection[Any, Any, Any, Any], proxies: TrustedProxies) -> str:
    """Returns the client's address: the last one that proxies of ours were told of and that is none of theirs.

    Where X-Forwarded-For and Forwarded say different things, one of them is the client's own invention: neither counts.
    """
    client = connection.scope.get("client")
    address = client[0] if client else ""
    if address not in proxies:
        return address
    lists = (
        _elements(connection, "x-forwarded-for"),
        [_named_for(element) for element in _elements(connection, "forwarded")],
    )
    told = {_last_foreign(one, address, proxies) for one in lists if one}
    return told.pop() if len(told) == 1 else address


async def count_unknown(
    admission: Admission, proxies: TrustedProxies, connection: ASGIConnection[Any, Any, Any, Any]
) -> None:
    """Counts a request whose key has to be looked up, by where it comes from. Raises `RateLimited`, `NotServing`."""
    await admission.look_up(network_of(client_address(connection, proxies)))


def _elements(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> list[str]:
    sent = ",".join(connection.headers.getall(name, []))
    return [one.strip() for one in sent.split(",") if one.strip()]


def _named_for(element: str) -> str:
    found = _FOR.search(element)
    return found[1].strip('"') if found else ""


def _last_foreign(passed: list[str], address: str, proxies: TrustedProxies) -> str:
    """Goes back from the nearest proxy; whoever passed on what is no address is the last one that is known."""
    for text in reversed(passed):
        bare = _WITH_PORT.fullmatch(text)
        found = plain_address(bare[1] or bare[2] if bare else text)
        if found is None:
            return address
        address = str(found)
        if address not in proxies:
            return address
    return address
