"""Marks in a Redis or Valkey: one script, which that runs by itself and in one step."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.errors import SettingsInvalid
from store.errors import StoreUnavailable
from store.rate_marks import Mark, Marked

_PREFIX = "{canongate}:rate:"
"""The braces keep all marks on one node of a cluster: they are counted together."""
# By the server's clock. A mark further ahead than a burst is what a clock that was set back left: it counts as a burst.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reply = {1}
for i, name in ipairs(KEYS) do
    local step, room = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local full = tonumber(redis.call('GET', name) or now)
    local ahead = math.min(math.max(full - now, 0), room) + step
    if ahead > room then reply[1] = 0 end
    reply[i + 1] = ahead
end
if reply[1] == 1 then
    for i, name in ipairs(KEYS) do
        local ahead = reply[i + 1]
        redis.call('SET', name, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
    end
end
return reply
"""


class RedisMarks:
    """A `MarkStore`; lives on one event loop."""

    def __init__(self, url: str, *, wait_s: float) -> None:
        """Connects with the first call. Raises `SettingsInvalid` for a URL that cannot be read."""
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=wait_s, socket_connect_timeout=wait_s, retry=Retry(NoBackoff(), 0)
            )
        except ValueError as error:
            raise SettingsInvalid("limits.store: the URL cannot be read. Write redis://host:port/number.") from error
        self._take: Any = self._redis.register_script(_TAKE)

    async def take(self, marks: Sequence[Mark]) -> Marked:
        names = [_PREFIX + mark.name for mark in marks]
        paces = [number for mark in marks for number in (mark.step_us, mark.room_us)]
        try:
            is_taken, *aheads = await self._take(keys=names, args=paces)
        except (RedisError, OSError) as error:
            raise StoreUnavailable("the store of rates does not answer") from error
        return Marked(bool(is_taken), tuple(aheads))

    async def reach(self) -> None:
        """Raises `StoreUnavailable` when it does not answer."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise StoreUnavailable("limits.store: the Redis does not answer") from error

    async def close(self) -> None:
        """Ends the connections, on the event loop on which calls were counted."""
        with suppress(RedisError, OSError):  # one that broke is at its end already
            await self._redis.aclose()
