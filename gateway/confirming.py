"""Whether it is known that what serves is what is published; a gateway that cannot know it stops answering."""

import time
from collections.abc import Callable

from gateway.errors import NotServing
from gateway.replica_settings import ReplicaSettings

_RETRY_S = 1.0


class Confirmation:
    """When the database was last asked with success, and when what serves was last the newest. For any thread."""

    def __init__(self, settings: ReplicaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._told = self._newest = clock()

    def note(self, asked_at: float, *, is_newest: bool) -> None:
        """Takes in what the database said to a question of `asked_at`, on the clock of this object."""
        self._told = max(self._told, asked_at)
        if is_newest:
            self._newest = max(self._newest, asked_at)

    @property
    def now(self) -> float:
        """The time, to be noted before the database is asked."""
        return self._clock()

    @property
    def doubt(self) -> str:
        """Why nothing is answered, in words for an operator; empty while all is well."""
        now, bounds = self._clock(), self._settings
        if now - self._told > bounds.unconfirmed_s:
            return f"the database has not said for {bounds.unconfirmed_s:g} s which revision is published"
        if bounds.superseded_s and now - self._newest > bounds.superseded_s:
            return f"for {bounds.superseded_s:g} s a newer revision has been published that does not serve here yet"
        return ""

    def require(self) -> None:
        """Raises `NotServing` while there is doubt."""
        if self.doubt:
            message = "This gateway cannot tell whether its approved answers are still approved. Try again."
            raise NotServing("revision_not_confirmed", message, retry_after_s=_RETRY_S)
