"""Who a request comes from: the connection says so, and a proxy only where the settings trust it."""

import pytest
from litestar.connection import ASGIConnection

from gateway.http.client_address import client_address


def told(client: str | None, *forwarded: str, proxies: tuple[str, ...] = ("10.0.0.1", "10.0.0.2")) -> str:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    scope = {"type": "http", "headers": headers, "client": (client, 4711) if client else None}
    return client_address(ASGIConnection(scope), proxies)


@pytest.mark.parametrize(
    ("client", "forwarded", "found"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", (" , ",), "10.0.0.1"),
        (None, ("198.51.100.7",), ""),
    ],
)
def test_only_what_a_proxy_of_ours_added_is_believed(client, forwarded, found) -> None:
    assert told(client, *forwarded) == found
