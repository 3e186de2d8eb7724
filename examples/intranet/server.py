"""A small intranet page of an employee portal, with the chat widget signed in as the employee who is at work.

A site's own server looks like this: it knows who is signed in, and signs that for the gateway with the secret that
`canongate widget create` showed. Needs nothing but Python:

    python examples/intranet/server.py --gateway http://127.0.0.1:8080 --secret-file secret
"""

import argparse
import base64
import hashlib
import hmac
import json
import time
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

HERE = Path(__file__).parent
EMPLOYEE = {"sub": "e-1047", "name": "Ines Marlow"}
"""Whom this portal has signed in; a real one looks into its own session."""
LIFETIME_S = 600
_FILES = {"/page.css": "text/css", "/page.js": "text/javascript", "/icon.svg": "image/svg+xml"}


def sign(claims: dict[str, object], secret: bytes) -> str:
    """Returns the claims as a JWT, signed with HS256 (RFC 7515)."""
    parts = [json.dumps(one, separators=(",", ":")).encode() for one in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(map(_base64url, parts))
    return (signed + b"." + _base64url(hmac.digest(secret, signed, hashlib.sha256))).decode()


def employee_token(client: str, secret: bytes) -> str:
    """Returns who is signed in here, for ten minutes and one use."""
    now = int(time.time())
    return sign({"aud": client, **EMPLOYEE, "iat": now, "exp": now + LIFETIME_S, "jti": str(uuid.uuid4())}, secret)


class Portal(ThreadingHTTPServer):
    """The portal, on this machine alone. `widget` is the pinned snippet's markup for the gateway at that address."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, *, gateway: str, client: str, secret: bytes, widget: str) -> None:
        super().__init__(("127.0.0.1", port), _Visitor)
        self.policy = (
            f"default-src 'none'; script-src 'self' {gateway}; connect-src 'self' {gateway}; style-src 'self'; "
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'"
        )
        page = Template((HERE / "page.html").read_text(encoding="utf-8"))
        self.page = page.substitute(name=str(EMPLOYEE["name"]), widget=widget).encode()
        self.client, self.secret = client, secret


class _Visitor(BaseHTTPRequestHandler):
    server: Portal
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in ("/", "/index.html"):
            self._send(self.server.page, "text/html; charset=utf-8")
        elif self.path == "/chat-token":
            # Another site's page cannot read the reply, and should not even make us sign.
            if self.headers.get("sec-fetch-site", "same-origin") != "same-origin":
                self._send(b"only from this portal's own pages", "text/plain", HTTPStatus.FORBIDDEN)
                return
            self._send(employee_token(self.server.client, self.server.secret).encode(), "text/plain")
        elif self.path in _FILES:
            self._send((HERE / self.path[1:]).read_bytes(), f"{_FILES[self.path]}; charset=utf-8")
        else:
            self._send(b"there is nothing here", "text/plain", HTTPStatus.NOT_FOUND)

    def _send(self, body: bytes, media_type: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-security-policy", self.server.policy)
        self.send_header("x-content-type-options", "nosniff")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Writes nothing: an example has no log."""


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def plain_widget(gateway: str, client: str) -> str:
    """Returns the widget's markup without a pinned hash; `canongate widget snippet` prints the one with it."""
    return (
        f'<script type="module" src="{gateway}/embed/v1/widget.js" crossorigin="anonymous"></script>\n'
        f'<canongate-chat server="{gateway}" client="{client}"></canongate-chat>'
    )


def main() -> None:
    """Serves the portal until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", default="http://127.0.0.1:8080")
    parser.add_argument("--client", default="intranet")
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8090)
    chosen = parser.parse_args()
    secret = chosen.secret_file.read_text().strip().encode()
    widget = plain_widget(chosen.gateway, chosen.client)
    with Portal(chosen.port, gateway=chosen.gateway, client=chosen.client, secret=secret, widget=widget) as portal:
        print(f"The portal is at http://127.0.0.1:{portal.server_port}/")  # noqa: T201 - what the command says
        portal.serve_forever()


if __name__ == "__main__":
    main()
