"""An OpenID provider over HTTP: what it says of itself, and who its ID tokens speak of. The one place with Authlib."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2
import msgspec
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from gateway.access_settings import OidcSettings, is_safe_address
from gateway.errors import NotAllowed, NotServing

_PATIENCE_S = 10.0
_BELIEVED_S = 3600.0
_KEYS_AT_MOST_EVERY_S = 30.0
"""A token under an unknown key may ask for new keys, and cannot make us ask all the time."""
_LEEWAY_S = 60
_SUBJECT_CHARS = 255


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a valid ID token speaks of."""

    issuer: str
    subject: str
    more: Mapping[str, object]


class Provider:
    """Asks the provider of the settings, which is believed for an hour. All methods may block on the network."""

    def __init__(
        self,
        settings: OidcSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._discovery: tuple[float, _Discovery] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Returns where a browser signs in. Raises `NotServing` when the provider does not answer."""
        with self._client() as client:
            found = self._discovered(client)
            url, _ = client.create_authorization_url(
                found.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
            return str(url)

    def claims(self, code: str, *, nonce: str, verifier: str) -> Claims:
        """Exchanges a code for an ID token and returns what it says.

        Raises `NotAllowed` for a code or a token that is not good, `NotServing` when the provider does not answer.
        """
        with self._client() as client:
            found = self._discovered(client)
            token = self._exchanged(client, found, code, verifier)
            try:
                return self._validated(client, token, nonce)
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise _refused() from error

    def _exchanged(self, client: OAuth2Client, found: _Discovery, code: str, verifier: str) -> Mapping[str, object]:
        try:
            token = client.fetch_token(
                found.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except OAuthError as error:
            raise _refused() from error
        except (httpx2.HTTPError, ValueError) as error:
            raise _away() from error
        return msgspec.convert(dict(token), dict[str, object])

    def _validated(self, client: OAuth2Client, token: Mapping[str, object], nonce: str) -> Claims:
        sent = token.get("id_token")
        if not isinstance(sent, str):
            raise TypeError("there is no ID token")
        try:
            decoded = jwt.decode(sent, self._keys_of(client), algorithms=list(self._settings.algorithms))
        except InvalidKeyIdError:
            decoded = jwt.decode(sent, self._keys_of(client, is_new=True), algorithms=list(self._settings.algorithms))
        options = {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "sub": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
        }
        more = {"nonce": nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token")}
        CodeIDToken(decoded.claims, decoded.header, options=options, params=more).validate(
            now=int(self._wall_clock()), leeway=_LEEWAY_S
        )
        subject = decoded.claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARS or "\x00" in subject:
            raise ValueError("the subject is no short text")
        return Claims(self._settings.issuer, subject, decoded.claims)

    def _discovered(self, client: OAuth2Client) -> _Discovery:
        with self._lock:
            if self._discovery is not None and self._clock() < self._discovery[0]:
                return self._discovery[1]
        address = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = msgspec.json.decode(_fetched(client, address), type=_Discovery)
        except (httpx2.HTTPError, msgspec.DecodeError) as error:
            raise _away() from error
        ends = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != self._settings.issuer or not all(map(is_safe_address, ends)):
            raise _away()  # somebody else answers at that address
        with self._lock:
            self._discovery = (self._clock() + _BELIEVED_S, found)
        return found

    def _keys_of(self, client: OAuth2Client, *, is_new: bool = False) -> KeySet:
        with self._lock:
            known, now = self._keys, self._clock()
            wait_s = _KEYS_AT_MOST_EVERY_S if is_new else _BELIEVED_S
            if known is not None and now < known[0] + wait_s:
                return known[1]
        try:
            sent = msgspec.json.decode(_fetched(client, self._discovered(client).jwks_uri))
            found = KeySet.import_key_set(sent)
        except (httpx2.HTTPError, msgspec.DecodeError, JoseError, KeyError, TypeError) as error:
            raise _away() from error
        with self._lock:
            self._keys = (self._clock(), found)
        return found

    def _client(self) -> OAuth2Client:
        chosen = self._settings
        trusted = ssl.create_default_context(cafile=chosen.ca_file or None)
        return OAuth2Client(
            chosen.client_id,
            chosen.client_secret or None,
            scope=chosen.scopes,
            redirect_uri=chosen.redirect_url,
            code_challenge_method="S256",
            verify=trusted,
            timeout=_PATIENCE_S,
            trust_env=False,
            follow_redirects=False,
        )


def _fetched(client: OAuth2Client, address: str) -> bytes:
    reply: httpx2.Response = client.request("GET", address, withhold_token=True)
    reply.raise_for_status()
    return reply.content


def _refused() -> NotAllowed:
    return NotAllowed("sign_in_failed", "The provider's answer is not good. Begin again.")


def _away() -> NotServing:
    return NotServing("provider_unavailable", "The provider of sign-in does not answer as it should. Try again later.")
