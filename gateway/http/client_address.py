"""Who a request comes from, as far as the connection tells, or a proxy that the settings trust."""

from collections.abc import Collection
from typing import Any

from litestar.connection import ASGIConnection


def client_address(connection: ASGIConnection[Any, Any, Any, Any], proxies: Collection[str]) -> str:
    """Returns the address of the client: the last one in X-Forwarded-For that no proxy of ours has."""
    client = connection.scope.get("client")
    address = client[0] if client else ""
    if address not in proxies:
        return address
    passed = ",".join(connection.headers.getall("x-forwarded-for", [])).split(",")
    return next((one.strip() for one in reversed(passed) if one.strip() and one.strip() not in proxies), address)
