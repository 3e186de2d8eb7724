"""Pages of other sites that embed the widget, for tests: clients, tokens that sites sign, and visitors' browsers."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from store.people import OPERATOR
from store.widgets import WidgetSettings
from tests.administration import AdminWorld

INTRANET = "https://intranet.example"
PORTAL = "https://portal.example"
OWN = "the site's own"
BASE = "/widget/v1"
VERBATIM = "How do I report a phishing mail?"
APPROVED = "Press the Report button in your mail program, then delete the mail."
GENERATED = "I forgot my password"


def settings_of(**more: Any) -> WidgetSettings:
    """Gives settings that are good, with these in place of some."""
    return msgspec.convert({"title": "HR", "assistant": "helpdesk", "origins": [INTRANET], **more}, WidgetSettings)


@dataclass
class Site:
    """A site that embeds the widget, with the secret that its server signs with."""

    admin: AdminWorld
    client: str
    secret: str | None
    origin: str

    def claims(self, **more: Any) -> dict[str, Any]:
        """Gives the claims of a good token, with these in place of some; those that are None are left out."""
        now = int(self.admin.clock.at.timestamp())
        claims = {"aud": self.client, "sub": "ada", "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())} | more
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, secret: str | None = None, **more: Any) -> str:
        """Gives a token as the site's server makes one."""
        key = OctKey.import_key((secret or self.secret or "").encode())
        return jwt.encode({"alg": "HS256", "typ": "JWT"} | (header or {}), self.claims(**more), key)

    def browser(self, origin: str | None = OWN) -> httpx.AsyncClient:
        """Gives a page at the site's origin, at another, or at none that it says."""
        transport = httpx.ASGITransport(self.admin.app, client=("192.0.2.1", 4711), raise_app_exceptions=False)
        said = self.origin if origin is OWN else origin
        headers = {} if said is None else {"origin": said}
        return httpx.AsyncClient(transport=transport, base_url="https://gateway.test", headers=headers)

    async def visit(self, page: httpx.AsyncClient, token: str | None = "") -> dict[str, Any]:
        """Begins a session, and sends it with every call from now on."""
        sent = {"client": self.client, "token": self.token() if token == "" else token}
        told = await page.post(f"{BASE}/sessions", json=sent)
        assert told.status_code == 201, told.text
        page.headers["authorization"] = f"Bearer {told.json()['session']}"
        return told.json()


def make_site(admin: AdminWorld, client: str = "hr-portal", **more: Any) -> Site:
    """Makes a client and its site."""
    settings = settings_of(**more)
    made = admin.administration.widgets.create(OPERATOR, client, settings)
    return Site(admin, client, made.secret, settings.origins[0])


def key() -> dict[str, str]:
    """Gives a new key of a question."""
    return {"idempotency-key": str(uuid.uuid4())}


async def ask(page: httpx.AsyncClient, message: str = VERBATIM, headers: dict[str, str] | None = None, **more: Any):
    """Asks a question, and waits for the whole answer."""
    return await page.post(f"{BASE}/chat", json={"message": message, **more}, headers=headers or key())


async def until_asked(site: Site, asked: "asyncio.Task[httpx.Response]") -> None:
    """Waits until the model has a question, or its asker a reply."""
    while not (site.admin.world.model.prompts or asked.done()):  # noqa: ASYNC110 - it works in a thread of its own
        await asyncio.sleep(0.005)
    assert not asked.done(), asked.result().text


def events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Gives the number, name and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if lines:
            found.append((int(lines["id"]), lines["event"], msgspec.json.decode(lines["data"])))
    return found
