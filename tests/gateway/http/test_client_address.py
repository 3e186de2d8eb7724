"""Who a request comes from: the connection says so, and a proxy only where the settings trust it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.connection import ASGIConnection

from gateway.http.client_address import client_address
from gateway.proxies import TrustedProxies


def told(
    client: str | None, *forwarded: str, proxies: tuple[str, ...] = ("10.0.0.1", "10.0.0.2"), more: dict | None = None
) -> str:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in (more or {}).items()]
    scope = {"type": "http", "headers": headers, "client": (client, 4711) if client else None}
    return client_address(ASGIConnection(scope), TrustedProxies(proxies))


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


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, unknown", "10.0.0.1"),
        ("1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7"),
        ("1.1.1.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.2"),
        ("127.0.0.1, \x00", "10.0.0.1"),
    ],
)
def test_addresses_are_read_in_every_spelling_and_nothing_else_is(forwarded, found) -> None:
    assert told("10.0.0.1", forwarded) == found


def test_networks_are_trusted_as_a_whole() -> None:
    for client in ("10.0.3.255", "::ffff:10.0.0.9", "2001:db8::1"):
        assert told(client, "198.51.100.7", proxies=("10.0.0.0/22", "2001:db8::/64")) == "198.51.100.7"
    for client in ("10.0.4.0", "2001:db8:0:1::1", "unix"):
        assert told(client, "198.51.100.7", proxies=("10.0.0.0/22", "2001:db8::/64")) == client


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("for=198.51.100.7", "198.51.100.7"),
        ('proto=https;For="[2001:db8::7]:4711";by=10.0.0.1', "2001:db8::7"),
        ("for=1.1.1.1, for=198.51.100.7;host=evil.example, for=10.0.0.2", "198.51.100.7"),
        ("for=_hidden", "10.0.0.1"),
        ("by=198.51.100.7", "10.0.0.1"),
        ("for=198.51.100.7 for=1.1.1.1", "10.0.0.1"),
    ],
)
def test_the_standard_header_counts_where_it_stands_alone(forwarded, found) -> None:
    assert told("10.0.0.1", more={"forwarded": forwarded}) == found
    assert told("192.0.2.1", more={"forwarded": forwarded}) == "192.0.2.1"


def test_where_the_two_headers_differ_one_is_an_invention_and_neither_counts() -> None:
    assert told("10.0.0.1", "198.51.100.7", more={"forwarded": "for=1.1.1.1"}) == "10.0.0.1"
    assert told("10.0.0.1", "198.51.100.7", more={"forwarded": "for=198.51.100.7"}) == "198.51.100.7"


def test_no_other_header_names_a_client() -> None:
    forged = dict.fromkeys(("x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip", "client-ip"), "1.1.1.1")
    for client in ("10.0.0.1", "192.0.2.1"):
        assert told(client, more=forged) == client


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255), max_size=40), max_size=4))
def test_a_client_cannot_choose_who_it_is(invented) -> None:
    """Whatever it sends, a proxy adds the address that it sees."""
    assert told("10.0.0.1", *invented, "198.51.100.7") == "198.51.100.7"
    assert told("192.0.2.1", *invented) == "192.0.2.1"
