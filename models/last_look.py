"""What a model that runs elsewhere was like when it was last looked at."""

import logging
from threading import Event


class LastLook:
    """Keeps the fault of the last look, and logs when it changes. Thread-safe with one who looks."""

    def __init__(self, name: str, log: logging.Logger) -> None:
        self._name = name
        self._log = log
        self._was = Event()
        self.fault: str | None = None
        """Why it could not answer, in words for the operator; None also before the first look."""

    @property
    def was(self) -> bool:
        """Whether anybody has looked yet."""
        return self._was.is_set()

    def note(self, fault: str | None) -> None:
        """Keeps what was seen."""
        if fault != self.fault or not self.was:
            if fault is None:
                self._log.info("%s: ready", self._name)
            else:
                self._log.warning("%s: not ready: %s", self._name, fault)
        self.fault = fault
        self._was.set()

    def wait(self, wait_s: float) -> None:
        """Waits for the first look, at most so long."""
        self._was.wait(wait_s)
