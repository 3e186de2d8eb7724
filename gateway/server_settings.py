"""The settings of where the gateway listens, whom it believes, how it starts and how it ends."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from gateway.access_settings import LOOPBACK
from gateway.sections import Section

HTTP_PORT = 80
HOST_NAME = r"(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?)"
"""A host as it stands in a Host header, in small letters and without a port."""
_NO_NAMES = {"0.0.0.0", "::"}  # noqa: S104 - nothing listens here: these are no names to be called by


class ServerSettings(Section, frozen=True):
    """Where the gateway listens."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """Address to listen on. Keep loopback unless a TLS terminating proxy stands in front."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one and prints it."""

    admin_listen: Annotated[
        str,
        Meta(
            pattern=rf"^({HOST_NAME}:[0-9]{{1,5}})?\Z", description="an address with its port, such as 127.0.0.1:8081"
        ),
    ] = ""
    """Address and port of a listener of its own for people who administer, such as `127.0.0.1:8081`: pages, sign-in,
    `/v1/admin`, `/metrics` and the documentation answer only there, and questions only at `host` and `port`. Empty
    means one listener for all. `canongate serve --admin-listen` overrides it."""

    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[a-z0-9.:\[\]-]+)?\Z",
            max_length=255,
            description="an origin in small letters and without a path, such as https://chat.example",
        ),
    ] = ""
    """Where browsers reach the gateway, such as `https://chat.example`: the only origin that its own widget page may
    have, and what install snippets name. Empty means this machine's own address and port."""

    allowed_hosts: tuple[
        Annotated[
            str,
            Meta(
                pattern=rf"^{HOST_NAME}\Z",
                description="a name in small letters and without a port, such as chat.example",
            ),
        ],
        ...,
    ] = ()
    """Names that requests may have in their Host header, without ports, such as `["chat.example"]`; others get 421.
    Empty means the name in `public_url`, `host` and this machine's loopback names; with one name in the list those no
    longer count, so name them all, that of `public_url` too. The very address that a connection came in at always
    counts, and `/livez` and `/readyz` answer under any name."""

    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies in front, such as `["10.0.0.0/24", "192.0.2.7"]`. Only from them is X-Forwarded-For (or
    Forwarded) believed, by which tries to sign in and visitors of the widget are counted; without it all people behind
    a proxy count as one."""

    drain_delay_s: Annotated[float, Meta(ge=0, le=600)] = 2.0
    """Seconds after SIGTERM in which the gateway says that it is not ready and still takes connections, so that
    balancers have time to look. SIGINT (Ctrl-C) leaves at once."""

    drain_s: Annotated[int, Meta(ge=0, le=600)] = 30
    """Seconds that running requests get to finish after that; then they are told that the gateway shuts down."""

    def __post_init__(self) -> None:
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"server.trusted_proxies takes networks such as 10.0.0.0/24: {error}") from error
        if self.admin_listen and int(self.admin_address[1]) > 65535:  # noqa: PLR2004 - the largest port
            raise ValueError("server.admin_listen: a port is at most 65535")
        if self.admin_listen and self.admin_address == (self.host, self.port) and self.port:
            raise ValueError("server.admin_listen must not be where server.host and server.port are")

    @property
    def admin_address(self) -> tuple[str, int]:
        """Host and port of the listener for people who administer, when there is one."""
        host, _, port = self.admin_listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def sign_in_host(self) -> str:
        """The address at which people sign in."""
        return self.admin_address[0] if self.admin_listen else self.host

    @property
    def host_names(self) -> frozenset[str]:
        """Names that requests may have in their Host header."""
        if self.allowed_hosts:
            return frozenset(self.allowed_hosts)
        public = urlsplit(self.public_url).hostname
        own = {self.host.lower(), self.sign_in_host.lower(), *LOOPBACK, *filter(None, [public])} - _NO_NAMES
        return frozenset(f"[{name}]" if ":" in name else name for name in own)

    @property
    def origins(self) -> tuple[str, ...]:
        """The gateway's own origins, as browsers say them; the first is told to people."""
        if self.public_url:
            return (self.public_url,)
        names = dict.fromkeys((f"[{self.host}]" if ":" in self.host else self.host, "localhost"))
        port = "" if self.port == HTTP_PORT else f":{self.port}"
        return tuple(f"http://{name}{port}" for name in names) if self.port and self.host in LOOPBACK else ()


class StartupSettings(Section, frozen=True):
    """The question that is asked at the start: the gateway is ready once it was answered as it should be."""

    canary: Annotated[str, Meta(max_length=4000)] = ""
    """A question that goes the whole way, through checks, matching and the model, before `/readyz` says ready. Empty
    means none. It is recorded as a decision of `canary`."""

    canary_assistant: str = ""
    """Assistant that is asked."""

    canary_prompt: str = ""
    """Key of the approved prompt that must answer, such as `it.password-reset`."""

    def __post_init__(self) -> None:
        if bool(self.canary) != bool(self.canary_assistant) or bool(self.canary) != bool(self.canary_prompt):
            raise ValueError("startup: canary, canary_assistant and canary_prompt belong together; set all or none")
