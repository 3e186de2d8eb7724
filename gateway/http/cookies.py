"""The cookies of signed-in browsers: their names, how they are set and how they are read."""

from dataclasses import dataclass
from typing import Any, Literal

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from gateway.errors import InvalidRequest

_DEVICE_S = 180 * 24 * 3600
_SESSION_S = 12 * 3600
_SIGN_IN_S = 600
_LOOK_S = 365 * 24 * 3600
_DONE_S = 60


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes; the `__Host-` names are refused by browsers without TLS, from subdomains, and by path."""

    is_plain: bool = False
    """For development on this machine without TLS: other names, without `Secure`."""

    @property
    def session(self) -> str:
        """Name of the cookie that holds a session's token."""
        return self._name("")

    @property
    def device(self) -> str:
        """Name of the cookie by which a browser that signed in before is known."""
        return self._name("-device")

    @property
    def sign_in(self) -> str:
        """Name of the cookie that ties a sign-in elsewhere to the browser that began it."""
        return self._name("-sign-in")

    @property
    def look(self) -> str:
        """Name of the cookie that holds how somebody wants pages to look."""
        return self._name("-look")

    @property
    def done(self) -> str:
        """Name of the cookie that tells the next page what was done."""
        return self._name("-done")

    def set_session(self, token: str) -> Cookie:
        """Returns the cookie of a new session."""
        return self._cookie(self.session, token, _SESSION_S)

    def set_device(self, mark: str) -> Cookie:
        """Returns the cookie by which the browser is known later."""
        return self._cookie(self.device, mark, _DEVICE_S)

    def set_sign_in(self, token: str) -> Cookie:
        """Returns the cookie of a sign-in elsewhere; `Lax`, since the way back starts on another site."""
        return self._cookie(self.sign_in, token, _SIGN_IN_S, "lax")

    def set_look(self, chosen: str) -> Cookie:
        """Returns the cookie that holds how pages look; `Lax`, so that also who comes from elsewhere finds it."""
        return self._cookie(self.look, chosen, _LOOK_S, "lax")

    def set_done(self, name: str) -> Cookie:
        """Returns the cookie that tells the next page what was done."""
        return self._cookie(self.done, name, _DONE_S)

    def drop(self, name: str) -> Cookie:
        """Returns the cookie that takes one away."""
        return self._cookie(name, "", 0)

    def read(self, connection: ASGIConnection[Any, Any, Any, Any], name: str) -> str | None:
        """Returns a cookie. Raises `InvalidRequest` when it was sent twice: one of them is not ours."""
        pairs = [pair for header in connection.headers.getall("cookie", []) for pair in header.split(";")]
        found = [value for key, _, value in (pair.strip().partition("=") for pair in pairs) if key == name]
        if len(found) > 1:
            raise InvalidRequest("two_credentials", "The session cookie was sent more than once. Clear the cookies.")
        return found[0] if found and found[0] else None

    def _name(self, ending: str) -> str:
        return f"canongate-plain{ending}" if self.is_plain else f"__Host-canongate{ending}"

    def _cookie(self, name: str, value: str, age_s: int, same_site: Literal["lax", "strict"] = "strict") -> Cookie:
        return Cookie(
            key=name, value=value, path="/", max_age=age_s, secure=not self.is_plain, httponly=True, samesite=same_site
        )
