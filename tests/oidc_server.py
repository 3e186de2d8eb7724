"""A small OpenID provider with real keys and real HTTP, in a thread, that can be told to misbehave."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "canongate"
SECRET = "the secret of this client"
REDIRECT = "http://127.0.0.1:8080/v1/admin/oidc/callback"


class OidcServer:
    """The provider. Its attributes are what a test changes."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})
        self.published = [self.key]
        self.claims: dict[str, Any] = {"sub": "7", "groups": ["editors"], "preferred_username": "ada"}
        self.changed: dict[str, Any] = {}
        """Claims of the token that are put over the right ones; None leaves one out."""
        self.algorithm = "RS256"
        self.is_away = False
        self.said_issuer: str | None = None
        self.key_requests = 0
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def sign_in(self, address: str) -> dict[str, str]:
        """Does what a browser does at the provider; gives the query with which it is sent back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == REDIRECT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return {"code": code, "state": query["state"]}

    def rotate(self) -> None:
        """Signs with a new key from now on."""
        self.key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "use": "sig"})
        self.published = [*self.published, self.key]

    def document(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            told = {name: f"{self.issuer}/{end}" for name, end in ends.items()}
            return {"issuer": self.said_issuer or self.issuer, **told}
        if path == "/keys":
            self.key_requests += 1
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        return None

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Gives a token for a code, once, to the client that proves to be the one that asked."""
        wanted = base64.b64encode(f"{CLIENT}:{urlencode({'': SECRET})[1:]}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or authorization not in (f"Basic {wanted}", f"Basic {plain}"):
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": self._token(asked["nonce"])}

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        claims = {name: value for name, value in (claims | self.changed).items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            return f"{_encoded(header)}.{_encoded(claims)}."
        if self.algorithm == "HS256":  # the public key as a shared secret: everybody has it
            signed = f"{_encoded(header)}.{_encoded(claims)}"
            digest = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _handler(server: OidcServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = None if server.is_away else server.document(urlsplit(self.path).path)
            self._tell(200 if found else 503 if server.is_away else 404, found)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            found = server.exchange(form, self.headers.get("authorization", ""))
            self._tell(200 if found else 400, found or {"error": "invalid_grant"})

        def _tell(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
