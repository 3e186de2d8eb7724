"""A gateway that a test can make busy, or whose rate it can use up, for as many requests as it says."""

import json
import time
from contextlib import ExitStack
from urllib.parse import parse_qsl

from gateway.components import Components
from gateway.rates import RateKind


class Troubled:
    """An application before the gateway's: `/trouble?busy=1&limited=1` makes the next requests meet the real errors.

    It answers how many requests that cost something came since it was asked last.
    """

    def __init__(self, app, components: Components, key_id: str) -> None:
        self._app = app
        self._admission = components.admission
        self._rate = components.settings.limits.requests_per_minute
        self._key_id = key_id
        self._left = {"busy": 0, "limited": 0}
        self._seen = 0

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] == "/trouble":
            await self._told(scope, send)
            return
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self._seen += 1
        with ExitStack() as stack:
            if self._takes("busy"):
                line = self._admission.lines.chat
                stack.callback(setattr, line, "room", line.room)
                line.room = 0
                for _ in range(line.places):
                    stack.enter_context(line.place_now())
            elif self._takes("limited"):
                counted = self._admission.rates._full_at[RateKind.KEY]
                stack.callback(counted.__setitem__, self._key_id, counted.get(self._key_id, 0))
                step_ns = -(-60 * 10**9 // self._rate)
                counted[self._key_id] = time.monotonic_ns() + (self._rate - 1) * step_ns + 5 * 10**8
            await self._app(scope, receive, send)

    def _takes(self, name: str) -> bool:
        self._left[name] -= (takes := self._left[name] > 0)
        return takes

    async def _told(self, scope, send) -> None:
        asked = {name: int(value) for name, value in parse_qsl(scope["query_string"].decode())}
        seen, self._seen = self._seen, 0
        self._left = {"busy": 0, "limited": 0} | asked
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"seen": seen}).encode(), "more_body": False})
