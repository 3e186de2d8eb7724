"""The widget's files as they were built, and what a page needs to install them."""

import base64
import hashlib
from dataclasses import dataclass

from store.widgets import SignIn, WidgetClient

VERSION = "0.1.0"
"""Of the widget and its package, which are released with the gateway: what a released address has never changes."""


@dataclass(frozen=True, slots=True)
class Snippets:
    """What a site copies into its pages, and into its policy."""

    loader: str
    """One line that follows the widget's first version as it is mended."""
    pinned: str | None
    """The widget of today, which no other takes the place of; None where it was not built."""
    frame: str
    """For sites that let no scripts of others in."""
    frame_token: str | None
    """Lines for the site's own script, which tell the frame who is signed in; None where nobody is."""
    content_security_policy: tuple[str, ...]
    """What the site's policy must allow, a directive each."""


def integrity_of(script: bytes) -> str:
    """Returns the value of an `integrity` attribute (W3C Subresource Integrity)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(script).digest()).decode()}"


def pinned_snippet(client_id: str, gateway: str, script: bytes) -> str:
    """Returns the markup of the widget of today, which no other takes the place of."""
    source = f"{gateway}/embed/{VERSION}/widget.js"
    return (
        f'<script type="module" src="{source}" integrity="{integrity_of(script)}" crossorigin="anonymous"></script>\n'
        f'<canongate-chat server="{gateway}" client="{client_id}"></canongate-chat>'
    )


def snippets_of(client: WidgetClient, gateway: str, script: bytes | None) -> Snippets:
    """Returns how a client's site installs the widget from the gateway at that origin; `script` is the widget."""
    pinned = None if script is None else pinned_snippet(client.id, gateway, script)
    language = client.settings.languages[0]
    title = _escaped(client.settings.title)
    return Snippets(
        loader=f'<script src="{gateway}/embed/v1/loader.js" defer data-client="{client.id}"></script>',
        pinned=pinned,
        frame=f'<iframe id="canongate" src="{gateway}/embed/chat?client={client.id}&amp;lang={language}"'
        f' title="{title}" allow="clipboard-write" width="384" height="600"></iframe>',
        frame_token=None if client.settings.sign_in is SignIn.NONE else _ASKED_BY_FRAME.replace("GATEWAY", gateway),
        content_security_policy=(f"script-src {gateway}", f"connect-src {gateway}", f"frame-src {gateway}"),
    )


_ASKED_BY_FRAME = """\
addEventListener("message", async ({ origin, source, data }) => {
  const frame = document.querySelector("#canongate");
  if (origin !== "GATEWAY" || source !== frame.contentWindow || data?.type !== "canongate:token") return;
  const reply = await fetch("/canongate-token", { method: "POST" });
  const token = reply.ok ? await reply.text() : null;
  source.postMessage({ type: data.type, id: data.id, token }, origin);
});"""


def _escaped(text: str) -> str:
    for character, name in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, name)
    return text


_SIGNING = """\
import base64, hashlib, hmac, json, os, secrets, time


def identity_token(person: str, name: str) -> str:
    now = int(time.time())
    claims = {"aud": "CLIENT", "sub": person, "name": name}
    claims |= {"iat": now, "exp": now + 300, "jti": secrets.token_urlsafe(16)}
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    secret = os.environ["WIDGET_SECRET"].encode()
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
"""


def signing_example(client_id: str) -> str:
    """Returns a program for the site's server that signs its visitors with the client's secret."""
    return _SIGNING.replace("CLIENT", client_id)
