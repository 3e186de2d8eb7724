"""Places that embed the chat widget: who may embed it, who signs its visitors in, how it looks; and their sessions."""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from store.content import Contact, Document, Line, Name

ClientId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]
Colour = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=20)]
StringName = Annotated[str, Meta(pattern=r"^[a-z][A-Za-z0-9_.-]*\Z", max_length=60)]
Shown = Annotated[str, Meta(max_length=500)]
PerMinute = Annotated[int, Meta(ge=1, le=1_000_000)]

MOST_ORIGINS = 50
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(:(?P<port>[1-9][0-9]{{0,4}}))?"
)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MOST_PORT = 65535
LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""


def require_origin(text: str) -> None:
    """Raises `ValueError` for what no browser sends as the origin of a page that may be trusted."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise ValueError(
            "an origin is scheme, host in small ASCII letters and port, without a path, such as https://intranet.example"
        )
    port = found["port"]
    if port is not None and (port == _DEFAULT_PORTS[found["scheme"]] or int(port) > _MOST_PORT):
        raise ValueError("an origin names a port only where it is not the usual one: browsers leave that out")
    if found["scheme"] == "http" and found["host"] not in _LOOPBACK:
        raise ValueError(
            "an origin starts with https: over http, tokens could be read. Only this machine may do without"
        )


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]  # noqa: PLR2004 - WCAG
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class SignIn(StrEnum):
    """Whether the people who chat are known."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Algorithm(StrEnum):
    """How the embedding site signs; a token never chooses."""

    HS256 = "HS256"
    RS256 = "RS256"
    EDDSA = "EdDSA"


class PublicKey(Document, frozen=True):
    """A public key of the embedding site (RFC 7517); a private one has fields that are not here."""

    kty: Literal["RSA", "OKP"]
    kid: Annotated[str, Meta(min_length=1, max_length=128)]
    use: Literal["sig", ""] = ""
    alg: Annotated[str, Meta(max_length=20)] = ""
    key_ops: tuple[Literal["verify"], ...] = ()
    n: Annotated[str, Meta(max_length=1500)] = ""
    e: Annotated[str, Meta(max_length=12)] = ""
    crv: Annotated[str, Meta(max_length=20)] = ""
    x: Annotated[str, Meta(max_length=100)] = ""


class KeyDocument(Document, frozen=True):
    """A JWKS document, given as it stands: nothing is fetched for it."""

    keys: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=10)]

    def __post_init__(self) -> None:
        ids = [one.kid for one in self.keys]
        if len(set(ids)) < len(ids):
            raise ValueError("two keys have the same kid. Each needs one of its own")


class _Whole(Document, frozen=True, omit_defaults=False):
    """A part of settings that is told with what it has by default."""


class WidgetTexts(_Whole, frozen=True):
    """What a widget says in one language."""

    heading: Annotated[str, Meta(max_length=80)] = ""
    """Empty means the assistant's title."""
    greeting: Shown = ""
    """Empty means the assistant's greeting."""
    strings: Annotated[dict[StringName, Shown], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    """The widget's own texts by their names, in other words."""


class WidgetTheme(_Whole, frozen=True):
    """How a widget looks."""

    accent: Colour = "#1f4fbf"
    on_accent: Colour = "#ffffff"
    """On the accent: at least 4.5 to 1 against it."""
    radius: Annotated[int, Meta(ge=0, le=32)] = 12
    """Of corners, in pixels."""
    position: Literal["end", "start"] = "end"

    def __post_init__(self) -> None:
        if (ratio := contrast(self.accent, self.on_accent)) < LEAST_CONTRAST:
            better = max(("#000000", "#ffffff"), key=lambda one: contrast(self.accent, one))
            raise ValueError(f"the contrast of accent and on_accent is {ratio:.1f}, below 4.5. Take {better} on it")


class WidgetRates(_Whole, frozen=True):
    """Questions a minute; the other calls are counted apart, against ten times as many."""

    session: PerMinute = 20
    address: PerMinute = 60
    """Of all visitors behind one address: an office may have one."""
    origin: PerMinute = 600


class WidgetSettings(_Whole, frozen=True):
    """What administrators say of a place that embeds the widget."""

    title: Line
    assistant: Name
    origins: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_ORIGINS)]
    """Of the pages that embed it, exactly as browsers say them: `https://intranet.example`."""
    sign_in: SignIn = SignIn.REQUIRED
    algorithm: Algorithm = Algorithm.HS256
    keys: KeyDocument | None = None
    """The site's public keys, for RS256 and EdDSA."""
    languages: Annotated[tuple[Language, ...], Meta(min_length=1, max_length=20)] = ("en",)
    texts: Annotated[dict[Language, WidgetTexts], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    contact: Contact | None = None
    """Shown where the assistant does not help."""
    theme: WidgetTheme = WidgetTheme()
    rates: WidgetRates = WidgetRates()
    max_length: Annotated[int, Meta(ge=1, le=4000)] = 2000
    """Characters of a question."""
    feedback: bool = True
    calls_api: bool = False
    """Whether pages of its origins may also call `/v1`, each with an API key that its visitors can then read."""

    def __post_init__(self) -> None:
        for origin in self.origins:
            require_origin(origin)
        if len(set(self.origins)) < len(self.origins):
            raise ValueError("an origin is named twice")
        if unknown := sorted(self.texts.keys() - set(self.languages)):
            raise ValueError(f"there are texts in {unknown[0]}, which is none of its languages")
        if (self.algorithm is Algorithm.HS256) is not (self.keys is None):
            raise ValueError("keys belong to RS256 and EdDSA, which need them; HS256 has secrets instead")


@dataclass(frozen=True, slots=True)
class WidgetSecret:
    """A secret that a site signs with, sealed."""

    id: str
    sealed: bytes
    created_at: dt.datetime
    ends_at: dt.datetime | None
    """When it stops counting; None for the newest."""

    def is_active(self, now: dt.datetime) -> bool:
        """Whether it counts."""
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetClient:
    """A place that embeds the widget."""

    id: str
    settings: WidgetSettings
    secrets: tuple[WidgetSecret, ...]
    """Oldest first."""
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    rev: int = 1

    @property
    def is_active(self) -> bool:
        """Whether its widgets are served."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetSession:
    """A visit, without its token."""

    id: str
    client: str
    origin: str
    person: str | None
    """Pseudonym of who signed in; None for somebody unknown."""
    created_at: dt.datetime
    expires_at: dt.datetime
