"""Whether the gateway can answer, and if not, which part keeps it from answering."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

_PATH = re.compile(r"(?<![\w.:/])~?/[^\s:;,()'\"]+")


class PartState(StrEnum):
    """How one part is."""

    READY = "ready"
    DEGRADED = "degraded"
    """Answers go on: with approved fallbacks instead of generated words, a share of each rate, or a newer schema."""
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part's state, with a reason that an operator can act on."""

    state: PartState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """The state of every part."""

    parts: Mapping[str, PartReport]

    @property
    def is_ready(self) -> bool:
        """Whether requests should be sent here."""
        return all(part.state is not PartState.NOT_READY for part in self.parts.values())

    @property
    def is_degraded(self) -> bool:
        """Whether something is done in a lesser way for the time being."""
        return any(part.state is PartState.DEGRADED for part in self.parts.values())


class Readiness:
    """Asks each part, every time; draining makes it not ready at once."""

    def __init__(self, probes: Mapping[str, Callable[[], PartReport]]) -> None:
        self._probes = dict(probes)
        self._is_draining = False
        self.last: ReadinessReport | None = None
        """What was found the last time that somebody asked; for metrics, which are read without waiting."""

    def drain(self) -> None:
        """Reports not ready from now on, so that no new requests are sent here."""
        self._is_draining = True

    def report(self) -> ReadinessReport:
        """Asks every part. Blocks on the database: call it in a thread."""
        parts = {name: probe() for name, probe in self._probes.items()}
        if self._is_draining:
            parts["gateway"] = PartReport(PartState.NOT_READY, "shutting down")
        return self.note(ReadinessReport(parts))

    def note(self, report: ReadinessReport) -> ReadinessReport:
        """Keeps a report as the last one."""
        self.last = report
        return report


def without_paths(words: str) -> str:
    """Returns the words of a failure without the files that they name: readiness is told to anybody who asks."""
    return _PATH.sub("a file that the log names", words)
