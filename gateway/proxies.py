"""The proxies that the settings trust: whose word about a client's address counts."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Networks of proxies; they may change while the gateway runs."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.replace(networks)

    def replace(self, networks: Iterable[str]) -> None:
        """Trusts these from now on, and no other. Raises `ValueError` for what is no network."""
        self._networks = tuple(ipaddress.ip_network(one) for one in networks)

    def __contains__(self, address: object) -> bool:
        """Whether an address, as text, is one of a proxy."""
        if not isinstance(address, str) or (found := plain_address(address)) is None:
            return False
        return any(found in network for network in self._networks)


def plain_address(text: str) -> Address | None:
    """Returns an address; one of IPv4 that is written as IPv6 is the one of IPv4. None for anything else."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
