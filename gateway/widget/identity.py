"""Who an embedding site says its visitor is: a token that the site signed, believed once and for ten minutes at most.

The algorithm is the client's, never the token's; its key is one of the client's, whatever else a header names
(RFC 8725, 3.1 and 3.5).
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Annotated

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from msgspec import Meta

from gateway.errors import NotAllowed
from store.errors import InvalidContent
from store.widgets import Algorithm, PublicKey

LONGEST_S = 600
LEEWAY_S = 30
"""Between the clock of a site and ours, for what begins; nothing counts longer for it."""
_MOST_CHARS = 4096
_LEAST_RSA_BITS = 2048
_CURVE = "Ed25519"
_HEADERS = frozenset({"alg", "typ", "kid"})
_NAMES = {
    Algorithm.HS256: frozenset({"HS256"}),
    Algorithm.RS256: frozenset({"RS256"}),
    Algorithm.EDDSA: frozenset({"EdDSA", _CURVE}),
}
"""How a header may call it: RFC 9864 calls EdDSA by its curve."""

_Key = OctKey | RSAKey | OKPKey
_Moment = Annotated[int, Meta(ge=0, le=2**40)]
_Short = Annotated[str, Meta(min_length=1, max_length=256)]


class _Claims(msgspec.Struct, frozen=True):
    """What must be in a token, and what may be; others are not looked at."""

    aud: str | tuple[str, ...]
    sub: _Short
    iat: _Moment | float
    exp: _Moment | float
    jti: _Short
    nbf: _Moment | float = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token that was believed speaks of."""

    subject: str
    name: str | None
    token_id: bytes
    """Hash of its `jti`, by which it is known when it comes again."""
    ends_at: dt.datetime
    """When the token ends."""


class Verifier:
    """Believes tokens for one client: made anew when the client changes, so that no key outlives its rotation."""

    def __init__(self, audience: str, algorithm: Algorithm, keys: Sequence[tuple[str | None, _Key]]) -> None:
        """Keys come with the id that a header must name; one without is tried whatever the header names."""
        self._audience = audience
        self._keys = tuple(keys)
        self._registry = _Registry(_NAMES[algorithm])

    @classmethod
    def of_secrets(cls, audience: str, secrets: Iterable[bytes]) -> "Verifier":
        """Makes the one for a client with secrets."""
        return cls(audience, Algorithm.HS256, [(None, OctKey.import_key(one)) for one in secrets])

    @classmethod
    def of_keys(cls, audience: str, algorithm: Algorithm, keys: Iterable[PublicKey]) -> "Verifier":
        """Makes the one for a client with public keys. Raises `InvalidContent` for a key that is not good for it."""
        return cls(audience, algorithm, [(one.kid, import_public(one, algorithm)) for one in keys])

    def identity(self, token: str, *, at: dt.datetime) -> Identity:
        """Returns whom a token speaks of. Raises `NotAllowed`, with the same words whatever is wrong with it."""
        try:
            return self._identity(token, at)
        except (JoseError, msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise unidentified() from error

    def _identity(self, token: str, at: dt.datetime) -> Identity:
        if len(token) > _MOST_CHARS or not token.isascii():
            raise ValueError("not a token")
        claims = msgspec.json.decode(self._payload(token), type=_Claims)
        now = at.timestamp()
        audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if audience != (self._audience,):
            raise ValueError("for somebody else")
        if not claims.iat < claims.exp <= claims.iat + LONGEST_S:
            raise ValueError("too long")
        if now >= claims.exp or max(claims.iat, claims.nbf) > now + LEEWAY_S:
            raise ValueError("not now")
        if not claims.sub.isprintable() or not claims.sub.strip() or not claims.jti.isprintable():
            raise ValueError("nobody")
        name = claims.name.strip()
        return Identity(
            subject=claims.sub,
            name=name if 0 < len(name) <= 100 and name.isprintable() else None,  # noqa: PLR2004 - what a header has room for
            token_id=hashlib.sha256(claims.jti.encode()).digest(),
            ends_at=dt.datetime.fromtimestamp(claims.exp, dt.UTC),
        )

    def _payload(self, token: str) -> bytes:
        header = jws.extract_compact(token.encode()).headers()
        if not header.keys() <= _HEADERS or header.get("typ", "JWT") not in ("JWT", "jwt"):
            raise ValueError("a header that is not for us")
        tried = [key for kid, key in self._keys if kid is None or kid == header.get("kid")]
        if "kid" not in header and len(self._keys) == 1:
            tried = [key for _, key in self._keys]
        for key in tried:
            try:
                return jws.deserialize_compact(token, key, registry=self._registry).payload
            except JoseError as error:
                refused: JoseError = error
        raise refused if tried else ValueError("no key")


def unidentified() -> NotAllowed:
    """Returns the one refusal of a token, whatever is wrong with it."""
    return NotAllowed(
        "identity_invalid", "The visitor's identity was not accepted. Get a new token from the site and try again."
    )


class _Registry(JWSRegistry):
    """Knows one algorithm; the library's own warns of the name EdDSA, which is what sites call it."""

    max_payload_length = _MOST_CHARS

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(algorithms=sorted(names))
        self.algorithms = {name: copy(JWSRegistry.algorithms[name]) for name in names}
        for algorithm in self.algorithms.values():
            algorithm.security_warning = None


def import_public(key: PublicKey, algorithm: Algorithm) -> _Key:
    """Returns a site's key, made for that algorithm. Raises `InvalidContent`, naming it by its id."""
    if key.alg and key.alg not in _NAMES[algorithm]:
        raise InvalidContent(f"keys: the key {key.kid!r} is for {key.alg}, and the client for {algorithm}.")
    try:
        return _IMPORTED[algorithm](key)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidContent(f"keys: the key {key.kid!r} cannot be read as one for {algorithm}.") from error


def _rsa(key: PublicKey) -> RSAKey:
    made = RSAKey.import_key({"kty": key.kty, "n": key.n, "e": key.e})
    if made.public_key.key_size < _LEAST_RSA_BITS:
        raise ValueError("too short")
    return made


def _edwards(key: PublicKey) -> OKPKey:
    if key.crv != _CURVE:
        raise ValueError("another curve")
    return OKPKey.import_key({"kty": key.kty, "crv": key.crv, "x": key.x})


_IMPORTED: Mapping[Algorithm, Callable[[PublicKey], _Key]] = {Algorithm.RS256: _rsa, Algorithm.EDDSA: _edwards}
