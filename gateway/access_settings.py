"""The settings of who gets in: sign-in with a password, and sign-in at a provider."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from gateway.sections import Section
from store.people import Role

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AccessSettings(Section, frozen=True):
    """Signing in to the admin surface."""

    totp_roles: tuple[Role, ...] = ()
    """Roles that need an authenticator app beside the password, such as `["admin", "approver"]`. Until somebody has
    enrolled one, their session is good for that alone. Sign-in at a provider is the provider's to secure."""

    rotate_keys_days: Annotated[int, Meta(ge=0)] = 90
    """After how many days the list of API clients says that a key is due to be replaced; 0 for never. No key stops
    working by that."""

    plain_http: bool = False
    """Lets browsers sign in without TLS, under another cookie name: for development, and with a loopback `server.host`
    alone. `canongate demo` turns it on."""


class OidcGrantSettings(Section, frozen=True):
    """What a value of the claim gives."""

    value: Annotated[str, Meta(min_length=1)]
    """The value, such as a group's name."""

    role: Role
    """The role that it gives; write one entry for each role."""

    areas: tuple[str, ...] = ()
    """Areas where the role holds; none means everywhere."""

    assistants: tuple[str, ...] = ()
    """Whose decisions and questions are seen; none means all. Several entries that match are added up; where they give
    different roles for different assistants, nobody is let in by them."""


class OidcSettings(Section, frozen=True):
    """Sign-in at an OpenID provider, when `issuer` is set."""

    issuer: str = ""
    """The provider's issuer, exactly as it calls itself, such as `https://id.tarnwick.example/realms/staff`."""

    client_id: str = ""
    """The name under which the provider knows this gateway."""

    client_secret: str = ""
    """The secret that goes with it. Prefer the variable to the file, and keep the file from others' eyes."""

    redirect_url: str = ""
    """This gateway's `/v1/admin/oidc/callback`, as browsers reach it; register it at the provider."""

    title: str = "Single sign-on"
    """What the button says."""

    scopes: str = "openid profile email"
    """Scopes to ask for, with spaces between them; `openid` is needed."""

    claim: Annotated[str, Meta(min_length=1)] = "groups"
    """The claim of the ID token that says what somebody is: a text or a list of texts."""

    algorithms: tuple[
        Annotated[
            str, Meta(pattern=r"^(RS|ES|PS)(256|384|512)\Z|^EdDSA\Z", description="a name such as RS256 or EdDSA")
        ],
        ...,
    ] = ("RS256", "ES256")
    """Signatures that ID tokens may have."""

    ca_file: str = ""
    """Certificates (PEM) to trust in place of the usual authorities."""

    grants: tuple[OidcGrantSettings, ...] = ()
    """What values of the claim give; write `[[oidc.grants]]` for each. Who gets nothing is not let in."""

    def __post_init__(self) -> None:
        if not self.issuer:
            if self.client_id or self.redirect_url or self.grants:
                raise ValueError("oidc.issuer is not set, so the other fields of [oidc] would do nothing")
            return
        if not (self.client_id and self.redirect_url and self.grants):
            raise ValueError("oidc.issuer needs oidc.client_id, oidc.redirect_url and at least one of oidc.grants")
        if not is_safe_address(self.issuer) or not is_safe_address(self.redirect_url):
            raise ValueError("oidc.issuer and oidc.redirect_url must begin with https://, unless they are loopback")

    def __repr__(self) -> str:
        """Leaves the secret out, wherever settings are printed."""
        return f"OidcSettings(issuer={self.issuer!r}, client_id={self.client_id!r})"


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can read or change what goes there: TLS, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
