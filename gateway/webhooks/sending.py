"""Posts to a receiver: the only one that knows httpcore. No redirects, no proxies, no addresses of our own network."""

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import anyio
import httpcore

from gateway.access_settings import LOOPBACK

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class SendFailed(Exception):
    """The receiver was not reached, or did not answer in time."""


class Receiver:
    """One address to post to. Each request has a connection of its own: events are rare."""

    def __init__(self, url: str, *, timeout_s: float, ssl_context: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._ssl_context = ssl_context or ssl.create_default_context()
        self._backend = _CheckedBackend(urlsplit(url).hostname or "", timeout_s)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Returns the status of the answer, of which nothing else is read. Raises `SendFailed`."""
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            with anyio.fail_after(self._timeout_s):
                async with (
                    httpcore.AsyncConnectionPool(
                        ssl_context=self._ssl_context, network_backend=self._backend, max_connections=1
                    ) as pool,
                    pool.stream("POST", self._url, headers=sent, content=body) as answer,
                ):
                    return int(answer.status)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise SendFailed(type(error).__name__) from error


class _CheckedBackend(httpcore.AnyIOBackend):
    """Connects to the very addresses that were looked up and found to be allowed: no second look-up can change them.

    They are tried one after the other, and each but the last has an equal part of the time.
    """

    def __init__(self, host: str, timeout_s: float) -> None:
        self._host = host
        self._timeout_s = timeout_s

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's form
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await _addresses(host, port)
        allowed = [one for one in found if may_call(self._host, one)]
        if not allowed or len(allowed) != len(found):
            raise SendFailed("the name leads to an address that is not public")
        *others, last = allowed
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                part_s = self._timeout_s / len(allowed)
                return await super().connect_tcp(address, port, part_s, local_address, socket_options)
        return await super().connect_tcp(last, port, timeout, local_address, socket_options)


async def _addresses(host: str, port: int) -> list[str]:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def may_call(host: str, address: str) -> bool:
    """Whether a receiver with that host in the settings may be called at an address that it leads to."""
    found = ipaddress.ip_address(address.partition("%")[0])
    try:
        return ipaddress.ip_address(host) == found
    except ValueError:
        pass
    if host in LOOPBACK:
        return found.is_loopback
    return is_public(found)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of the internet, also by the IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo:
            return False
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
