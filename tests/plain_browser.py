"""A browser without JavaScript: it follows links and redirects, and sends forms with all that is in them."""

from html.parser import HTMLParser
from typing import Any, Self

import httpx

VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "rect", "path", "circle"})


class Page(HTMLParser):
    """What a page holds, as far as tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[dict[str, Any]] = []
        self.text = ""
        self._hidden = 0
        self._select: str | None = None
        self._textarea: str | None = None
        self.open: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append({"action": values["action"], "method": values["method"], "fields": [], "choices": set()})
        elif tag == "input" and values.get("name") and self.forms:
            self._input(values)
        elif tag == "button" and values.get("name") and self.forms:
            self.forms[-1]["choices"].add(values["name"])
        elif tag == "select":
            self._select = values["name"]
            self.forms[-1]["choices"].add(values["name"])
        elif tag == "textarea":
            self._textarea = ""
            self.forms[-1]["choices"].add(values["name"])
            self.forms[-1]["fields"].append((values["name"], ""))
        elif tag == "option" and self._select:
            fields = self.forms[-1]["fields"]
            if "selected" in values or self._select not in dict(fields):
                self.forms[-1]["fields"] = [one for one in fields if one[0] != self._select]
                self.forms[-1]["fields"].append((self._select, values.get("value") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._textarea is not None:
            fields = self.forms[-1]["fields"]
            fields[-1] = (fields[-1][0], self._textarea.removeprefix("\n"))
            self._textarea = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._textarea is not None:
            self._textarea += data

    def _input(self, values: dict[str, str | None]) -> None:
        form = self.forms[-1]
        form["choices"].add(values["name"])
        if values.get("type") in ("checkbox", "radio") and "checked" not in values:
            return
        form["fields"].append((values["name"], values.get("value") or ""))

    def form(self, action: str) -> dict[str, Any]:
        return next(one for one in self.forms if one["action"] == action)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


class PlainBrowser:
    """One browser; `page` is what it shows."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.reply: httpx.Response
        self.page: Page

    @property
    def status(self) -> int:
        return self.reply.status_code

    @property
    def path(self) -> str:
        return self.reply.request.url.raw_path.decode()

    @property
    def text(self) -> str:
        return " ".join(self.page.text.replace("\u2068", "").replace("\u2069", "").split())

    async def open(self, path: str, **headers: str) -> Self:
        return await self._show(await self.client.get(path, headers={"sec-fetch-site": "same-origin", **headers}))

    async def send(self, action: str, *, without: tuple[str, ...] = (), **typed: Any) -> Self:
        """Sends the form of that action, with what is typed in place of what is there."""
        form = self.page.form(action)
        if unknown := typed.keys() - form["choices"]:
            raise AssertionError(f"the form has no {unknown}")
        fields = [(name, value) for name, value in form["fields"] if name not in typed and name not in without]
        for name, value in typed.items():
            fields += [(name, one) for one in (value if isinstance(value, tuple) else (value,))]
        return await self.post(action, fields)

    async def post(self, path: str, fields: list[tuple[str, str]]) -> Self:
        body = str(httpx.QueryParams(fields))
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
        return await self._show(await self.client.post(path, content=body, headers=headers))

    async def upload(self, path: str, file: tuple[str, bytes] | None, **typed: str) -> Self:
        """Sends a form of the page that has a file; the file's name and content, or None for none chosen."""
        form = self.page.form(path)
        fields = dict(form["fields"]) | typed
        fields.pop("file", None)
        sent = {"file": (file[0], file[1], "application/octet-stream")} if file else {"file": ("", b"")}
        headers = {"sec-fetch-site": "same-origin"}
        return await self._show(await self.client.post(path, data=fields, files=sent, headers=headers))

    async def _show(self, reply: httpx.Response) -> Self:
        for _ in range(5):
            if reply.status_code != 303:
                break
            reply = await self.client.get(reply.headers["location"], headers={"sec-fetch-site": "same-origin"})
        self.reply = reply
        self.page = Page(reply.text)
        return self
