"""Tells a request of our own pages from one that another site makes with somebody's browser."""

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from gateway.errors import NotAllowed


def require_same_origin(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuses what another site sent. Programs send neither header, and have no visitor to abuse."""
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin is None or urlsplit(origin).netloc == connection.headers.get("host")
    if not is_ours:
        raise NotAllowed("cross_site", "This can be sent only from this gateway's own pages.")
