"""A request for a page: who asks, in which language, and how the page is rendered and sent."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from gateway.access.services import Access
from gateway.access.sessions import SignedIn, utc_now
from gateway.administration import Administration
from gateway.components import Components
from gateway.errors import NotServing
from gateway.http.cookies import Cookies
from gateway.http.headers import request_id
from gateway.http.pages.forms import Form, Said, keep_form
from gateway.http.pages.look import Look, Theme
from gateway.http.pages.navigation import Badge, actions, badges, may_open, navigation
from gateway.http.pages.reasons import place_in_words, reason_of, title_in_words, verdict_of
from gateway.http.pages.texts import LANGUAGES, Texts
from gateway.http.static import address_of, script_of
from gateway.http.templates import load_templates
from store.people import Actor

PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "vary": "accept-language, cookie",
}
FRAMING = {"content-security-policy": PAGE_HEADERS["content-security-policy"] + "; frame-src 'self'"}
"""For a page that shows the widget: in a frame of the gateway's own page for it, and in no other."""
ROWS = 50
"""Of a table on one page."""
_THREADS = CapacityLimiter(8)
_Result = TypeVar("_Result")
_templates = load_templates()


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above this one: its title and address."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page."""

    request: Request[Any, Any, Any]
    components: Components | None
    """None where a page tells of an error, for which nothing is needed."""
    look: Look
    texts: Texts

    @property
    def administration(self) -> Administration:
        """The services. Raises `NotServing` where there are none."""
        found = self.components.administration if self.components else None
        if found is None:
            raise NotServing("store_unavailable", "The admin surface has no database.")
        return found

    @property
    def access(self) -> Access:
        """The services behind sign-in, people and keys."""
        return self.administration.access

    @property
    def cookies(self) -> Cookies:
        """Names and attributes of cookies."""
        return Cookies(is_plain=self.access.has_plain_cookies)

    @property
    def is_signed_in(self) -> bool:
        """Whether the guard found a session."""
        return isinstance(self.request.scope.get("auth"), SignedIn)

    @property
    def signed_in(self) -> SignedIn:
        """Whose session it is, as the guard found out."""
        found = self.request.scope.get("auth")
        if not isinstance(found, SignedIn):
            raise TypeError("an open page asked for a session. This is a bug.")
        return found

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.signed_in.user.actor

    @property
    def form(self) -> Form:
        """What was sent."""
        return keep_form(self.request)

    @property
    def now(self) -> dt.datetime:
        """The time, as the services have it."""
        return self.access.now() if self.components and self.components.administration else utc_now()

    async def call(self, function: Callable[..., _Result], *values: Any, **more: Any) -> _Result:
        """Calls a service, all of which block, in a thread."""
        return await to_thread.run_sync(partial(function, *values, **more), limiter=_THREADS)

    def may(self, path: str, method: str = "POST") -> bool:
        """Whether the table opens that page to the person, for more than to be refused."""
        return may_open(self.actor, path, method)

    def link(self, **changes: str | None) -> str:
        """Returns this page's address with some query parameters changed; None takes one away."""
        sent = {name: value for name, value in self.request.query_params.multi_items() if value}
        query = {name: value for name, value in {**sent, **changes}.items() if value}
        path = self.request.scope["path"]
        return f"{path}?{urlencode(query)}" if query else path

    def told(self, reason: str) -> Said:
        """Returns what a service said in the language of the page."""
        return reason_of(self.texts, reason)

    def verdict(self, text: str) -> Said:
        """Returns what came of a question of a test set, or should, in the language of the page."""
        return verdict_of(self.texts, text)

    def placed(self, place: str) -> str:
        """Returns a place in a change as the page names it."""
        return place_in_words(self.texts, place)

    def titled(self, title: str) -> str:
        """Returns the title of a change: one that nobody wrote is told in the language of the page."""
        return title_in_words(self.texts, title)

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        crumbs: Sequence[Crumb] = (),
        cookies: Sequence[Cookie] = (),
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response[str]:
        """Renders a page. What was done just before is told once, then its cookie goes."""
        done = self._done()
        html = _templates.get_template(f"admin/{template}").render(
            t=self.texts,
            visit=self,
            look=self.look,
            languages=LANGUAGES,
            now=self.now,
            crumbs=crumbs,
            done=done,
            path=self.request.scope["path"],
            csrf=csrf_of(self.signed_in) if self.is_signed_in else "",
            me=self.signed_in.user if self.is_signed_in else None,
            sections=navigation(self.actor, self.request.scope["path"]) if self.is_signed_in else (),
            badges=self.badges(),
            palette_actions=actions(self.actor) if self.is_signed_in else (),
            palette_themes=Theme,
            reference=request_id(self.request.scope),
            tokens=address_of("tokens.css"),
            style=address_of("admin.css"),
            favicon=address_of("icon.svg"),
            script=script_of("page.js"),
            editor=script_of("editor.js"),
            **values,
        )
        dropped = [self.cookies.drop(self.cookies.done)] if done else []
        return Response(
            html,
            status_code=status,
            media_type="text/html",
            headers={**PAGE_HEADERS, "content-language": self.texts.language, **(headers or {})},
            cookies=[*cookies, *dropped],
        )

    def badges(self) -> dict[str, Badge]:
        """Returns what stands beside the navigation, as it was counted last."""
        if not self.is_signed_in or self.components is None or self.components.administration is None:
            return {}
        return badges(self.texts, self.administration.open_work.kept(self.actor).numbers)

    def go(self, path: str, *, done: str | None = None, cookies: Sequence[Cookie] = ()) -> Redirect:
        """Sends the browser to a page, where the text `done.<done>` says what was done: what waits is less, or more."""
        if self.is_signed_in:
            self.administration.open_work.changed()
        told = [self.cookies.set_done(done)] if done else []
        return Redirect(path, status_code=303, cookies=[*cookies, *told])

    def _done(self) -> str | None:
        """Returns what to tell; a cookie that names none of our texts tells nothing."""
        if self.components is None or self.components.administration is None:
            return None
        name = self.request.cookies.get(self.cookies.done, "")
        return name if name and self.texts.has(f"done.{name}") else None


def csrf_of(signed_in: SignedIn) -> str:
    """Returns what forms send back: whose page it is, and the token of the session."""
    return f"{signed_in.user.id}.{signed_in.csrf}"


def visit_of(request: Request[Any, Any, Any], components: Components | None) -> Visit:
    """Makes the visit of a request."""
    look = Look()
    if components is not None and components.administration is not None:
        cookies = Cookies(is_plain=components.administration.access.has_plain_cookies)
        look = Look.of(request.cookies.get(cookies.look, ""))
    return Visit(request, components, look, look.texts(request.headers.get("accept-language", "")))
