"""Faults on purpose, for trials: named points at the seams between parts, seeded; off wherever people are served.

A point does nothing until something is armed there. Only tests arm them, and `canongate serve --trial` of a checkout on
its own machine: an installed canongate has no way to.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from gateway.access_settings import LOOPBACK
from gateway.errors import SettingsInvalid
from gateway.sections import Section

_CHECKOUT = Path(__file__).parents[1] / "pyproject.toml"
"""No wheel has one beside its packages."""
_LOOK_S = 0.005
_FORM = re.compile(r"(?P<point>[a-z]+):(?P<kind>[a-z]+)(?:=(?P<seconds>\d+(?:\.\d+)?))?(?:@(?P<share>[01](?:\.\d+)?))?")

_LOG = logging.getLogger(__name__)


class Point(StrEnum):
    """Where a fault can be."""

    STORE = "store"
    """Each transaction but those of decisions."""
    RECORD = "record"
    """The batches of decisions."""
    SIGNALS = "signals"
    """Connections that wait for a publish, or that hold the lead."""
    INDEX = "index"
    """Making the matcher of a revision from the files of its index."""
    EMBEDDER = "embedder"
    MATCHER = "matcher"
    RAILS = "rails"
    """Each rail, inside what is to catch it."""
    WORKER = "worker"
    """The language model."""


class Kind(StrEnum):
    """What a fault does."""

    DELAY = "delay"
    RAISE = "raise"
    CORRUPT = "corrupt"
    """What the part gives is damaged."""
    HANG = "hang"
    """It does not come back until it is disarmed, or whoever asked may not wait any longer."""


_NOTHING_TO_DAMAGE = frozenset({Point.STORE, Point.RECORD, Point.SIGNALS})


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a point, and at which share of the calls."""

    kind: Kind
    seconds: float = 0.1
    """Of a delay."""
    share: float = 1.0

    def __str__(self) -> str:
        length = f"={self.seconds:g}" if self.kind is Kind.DELAY else ""
        return f"{self.kind.value}{length}" + (f"@{self.share:g}" if self.share < 1 else "")


class FaultSettings(Section, frozen=True):
    """Faults on purpose, to see what the gateway does with them. For trials on one machine alone."""

    points: tuple[str, ...] = ()
    """Such as `["matcher:raise@0.1", "worker:delay=2"]`: a part (store, record, signals, index, embedder, matcher,
    rails or worker), what happens there (delay=SECONDS, raise, corrupt, hang), and at which share of the calls. Refused
    without `canongate serve --trial`, by an installed canongate, and on any address but this machine's own."""

    seed: Annotated[int, Meta(ge=0)] = 0
    """Decides which calls those are; the same seed and the same calls give the same faults."""


class Faults:
    """What is armed where. Thread-safe; one for a process or for a test."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a trial that can be repeated, and nothing secret
        self._lock = threading.Lock()
        self._armed: dict[Point, Fault] = {}
        self.met: dict[Point, int] = dict.fromkeys(Point, 0)
        """How often something happened at each point."""

    def arm(self, point: Point, fault: Fault) -> None:
        """Lets the fault happen at the point from now on, in place of what was armed there."""
        if fault.kind is Kind.CORRUPT and point in _NOTHING_TO_DAMAGE:
            raise ValueError(f"at {point.value} nothing can be damaged: delay, raise or hang")
        _LOG.warning("fault_armed: %s:%s", point.value, fault)
        self._armed = {**self._armed, point: fault}

    def disarm(self, *points: Point) -> None:
        """Ends what is armed at the points, at all of them when none is named; what hangs there goes on."""
        gone = points or tuple(Point)
        self._armed = {point: fault for point, fault in self._armed.items() if point not in gone}

    def at(self, point: Point, error: Callable[[str], Exception], *, until: Callable[[], bool] = lambda: False) -> bool:
        """Is what a point calls, in a thread: delays, hangs or raises `error`; returns whether to damage the result.

        What hangs comes back when `until` says so, and then raises.
        """
        if not self._armed:
            return False
        fault = self.drawn(point)
        if fault is None:
            return False
        if fault.kind is Kind.DELAY:
            time.sleep(fault.seconds)
        if fault.kind is Kind.HANG:
            while self.still(point, fault) and not until():
                time.sleep(_LOOK_S)
        if fault.kind is Kind.RAISE or (fault.kind is Kind.HANG and until()):
            raise error(f"a fault on purpose at {point.value}")
        return fault.kind is Kind.CORRUPT

    def drawn(self, point: Point) -> Fault | None:
        """Returns what happens at this call, None for nothing."""
        fault = self._armed.get(point)
        if fault is None:
            return None
        with self._lock:
            if self._random.random() >= fault.share:
                return None
            self.met[point] += 1
        return fault

    def still(self, point: Point, fault: Fault) -> bool:
        """Whether the fault is armed there yet."""
        return self._armed.get(point) is fault

    def __str__(self) -> str:
        return ", ".join(f"{point.value}:{fault}" for point, fault in sorted(self._armed.items()))


def faults_of(settings: FaultSettings, *, host: str, is_trial: bool) -> Faults | None:
    """Returns the faults of the settings, None without any. Raises `SettingsInvalid` wherever people may be served."""
    if not settings.points:
        return None
    if not _CHECKOUT.is_file():
        raise SettingsInvalid("faults.points: an installed canongate has no faults on purpose. Remove the setting.")
    if not is_trial:
        raise SettingsInvalid("faults.points: only `canongate serve --trial` takes faults on purpose.")
    if host not in LOOPBACK:
        raise SettingsInvalid("faults.points: a trial is for this machine alone: server.host must be 127.0.0.1")
    faults = Faults(settings.seed)
    for point, fault in parse_points(settings.points):
        try:
            faults.arm(point, fault)
        except ValueError as error:
            raise SettingsInvalid(f"faults.points: {error}") from error
    return faults


def trial_of(faults: Faults) -> str:
    """Returns what readiness says of a trial."""
    return f"a trial: faults on purpose are armed ({faults})" if str(faults) else "a trial: no fault is armed"


def parse_points(texts: Iterable[str]) -> list[tuple[Point, Fault]]:
    """Returns points and faults as the setting writes them. Raises `SettingsInvalid`."""
    found = []
    for text in texts:
        parts = _FORM.fullmatch(text)
        if parts is None:
            raise SettingsInvalid(f"faults.points: {text!r}: write POINT:KIND, POINT:delay=SECONDS or POINT:KIND@SHARE")
        try:
            fault = Fault(Kind(parts["kind"]), float(parts["seconds"] or 0.1), float(parts["share"] or 1.0))
            found.append((Point(parts["point"]), fault))
        except ValueError as error:
            raise SettingsInvalid(f"faults.points: {text!r}: {error}") from error
    return found
