"""Pages of another origin that embed the widget under a strict policy, some with styles that mean it no good."""

from typing import Any

HOSTILE = """
html { font-size: 62.5%; color-scheme: light; }
* { color: red !important; font: 40px/3 cursive !important; letter-spacing: 4px; text-transform: uppercase; }
* { box-sizing: content-box; }
div, section, button, p { border: 9px solid lime !important; margin: 33px !important; transform: rotate(3deg); }
body > * { opacity: .3; filter: blur(3px); transform: translateX(50px); display: none !important; }
"""
_ELEMENT = '<canongate-chat server="{server}" client="hr-portal" {more}></canongate-chat>'
_MODULE = '<script type="module" src="{server}/embed/v1/widget.js" crossorigin></script>'


class HostPage:
    """Serves a page at every path: what it holds is set by the test."""

    def __init__(self) -> None:
        self.server = ""
        self.lang = "en"
        self.has_styles = False
        self.body = ""

    def embed(self, more: str = "", *others: str) -> None:
        """Puts one widget on the page, and others beside it, each with these attributes."""
        elements = "".join(_ELEMENT.format(server=self.server, more=one) for one in (more, *others))
        self.body = _MODULE.format(server=self.server) + elements

    def load(self, data: str = "") -> None:
        """Puts the loader on the page, as the one-line snippet does, in the head."""
        script = f'<script src="{self.server}/embed/v1/loader.js" data-client="hr-portal" {data}></script>'
        self.body = script

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/style.css":
            await self._reply(send, HOSTILE.encode(), [(b"content-type", b"text/css")])
            return
        policy = f"default-src 'none'; script-src {self.server}; connect-src {self.server}; "
        policy += "require-trusted-types-for 'script'; trusted-types 'none'"
        sheet = ""
        if self.has_styles:
            policy += "; style-src 'self'"
            sheet = '<link rel="stylesheet" href="/style.css">'
        page = (
            f'<!doctype html><html lang="{self.lang}"><head><meta charset="utf-8"><title>Portal</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{sheet}</head>'
            f"<body><main><h1>Portal</h1><p>Words of the page.</p></main>{self.body}</body></html>"
        )
        headers = [(b"content-type", b"text/html"), (b"content-security-policy", policy.encode())]
        await self._reply(send, page.encode(), headers)

    async def _reply(self, send: Any, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
