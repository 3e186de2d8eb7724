"""Settings that are read again while the gateway runs: what can change does, and nothing changes by a broken file."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.errors import SettingsInvalid
from gateway.settings import Settings
from gateway.start_checks import log_cautions

RELOADABLE = frozenset(
    {
        "log.level",
        "server.allowed_hosts",
        "server.trusted_proxies",
        "server.drain_delay_s",
        "server.drain_s",
        "limits.deadline_s",
        "limits.requests_per_minute",
        "limits.rate_classes",
        "limits.receive_s",
        "limits.send_s",
        "limits.header_bytes",
    }
)
"""Fields that SIGHUP changes. All others need a restart, and the log names them."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What reading again came to."""

    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    error: str = ""


class Reloading:
    """Holds the settings that count now."""

    def __init__(
        self, settings: Settings, read: Callable[[], Settings], appliers: tuple[Callable[[Settings], None], ...]
    ) -> None:
        """`read` gives the settings anew or raises `SettingsInvalid`; each of `appliers` takes them over somewhere."""
        self.settings = settings
        self._read = read
        self._appliers = appliers

    def reload(self) -> Reloaded:
        """Reads the settings and takes over what may change. The log tells fields by name, never their values."""
        try:
            found = self._read()
        except SettingsInvalid as error:
            _LOG.error("settings_not_reloaded", extra={"error": error.message})
            return Reloaded(error=error.message)
        differing = _differing(self.settings, found)
        changed = tuple(sorted(differing & RELOADABLE))
        needs_restart = tuple(sorted(differing - RELOADABLE))
        try:
            taken = _with(self.settings, {name: _field(found, name) for name in changed})
        except ValueError as error:
            _LOG.error("settings_not_reloaded", extra={"error": str(error)})
            return Reloaded(error=str(error))
        self.settings = taken
        for apply in self._appliers:
            apply(taken)
        _LOG.info("settings_reloaded", extra={"changed": list(changed), "needs_restart": list(needs_restart)})
        log_cautions(taken)
        return Reloaded(changed, needs_restart)


def _differing(before: Settings, after: Settings) -> set[str]:
    names = set()
    for section in msgspec.structs.fields(Settings):
        old, new = getattr(before, section.name), getattr(after, section.name)
        for field in msgspec.structs.fields(section.type):
            if getattr(old, field.name) != getattr(new, field.name):
                names.add(f"{section.name}.{field.name}")
    return names


def _field(settings: Settings, name: str) -> object:
    section, _, field = name.partition(".")
    return getattr(getattr(settings, section), field)


def _with(settings: Settings, fields: Mapping[str, object]) -> Settings:
    sections: dict[str, dict[str, Any]] = {}
    for name, value in fields.items():
        section, _, field = name.partition(".")
        sections.setdefault(section, {})[field] = value
    replaced: dict[str, Any] = {
        name: msgspec.structs.replace(getattr(settings, name), **fields) for name, fields in sections.items()
    }
    return msgspec.structs.replace(settings, **replaced)
