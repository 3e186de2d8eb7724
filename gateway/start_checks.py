"""What a start refuses or warns of in settings and content; `canongate check` asks the same functions."""

import ipaddress
import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.errors import SettingsInvalid
from gateway.faults import Faults, faults_of
from gateway.rate_making import require_rate_store
from gateway.settings import Settings
from store.catalog import Catalog

_LOG = logging.getLogger(__name__)


def require_startable(settings: Settings, *, is_trial: bool = False) -> Faults | None:
    """Returns the faults of a trial, else None. Raises `SettingsInvalid` for settings that nothing is served with."""
    require_rate_store(settings)
    return faults_of(settings.faults, host=settings.server.host, is_trial=is_trial)


def cautions(settings: Settings) -> Iterator[str]:
    """Gives what is served with and is likely a mistake, in words for an operator."""
    for name in settings.server.trusted_proxies:
        if ipaddress.ip_network(name).prefixlen == 0:
            yield (
                f"server.trusted_proxies: {name} is everybody, so that every client says itself which address it has, "
                "and rates by address hold nobody. Name the proxies alone"
            )
    public = urlsplit(settings.server.public_url).hostname
    if public and not settings.server.host_names & {public, f"[{public}]"}:
        yield (
            f"server.allowed_hosts: it is without {public} of server.public_url, so that what comes under that name "
            "gets 421. Add it beside the others, unless a proxy gives another name"
        )


def log_cautions(settings: Settings) -> None:
    """Writes a warning for each of `cautions`."""
    for caution in cautions(settings):
        _LOG.warning("settings_doubtful: %s", caution)


def require_form_assistant(settings: Settings, catalog: Catalog) -> None:
    """Raises `SettingsInvalid` when the landing page's form would speak to an assistant that is not live."""
    name = settings.page.try_it
    if name and name not in catalog.assistants:
        raise SettingsInvalid(f"page.try_it: the assistant {name!r} is not live. Live: {_live(catalog)}.")


def canary_gap(settings: Settings, catalog: Catalog) -> str:
    """Returns why the question at the start cannot be answered as it should be; empty when nothing is known of that.

    A start goes on with it, and is not ready until it is published.
    """
    startup = settings.startup
    if not startup.canary:
        return ""
    assistant = catalog.assistants.get(startup.canary_assistant)
    if assistant is None:
        return f"startup.canary_assistant: {startup.canary_assistant!r} is not live. Live: {_live(catalog)}"
    prompt = catalog.prompts.get(startup.canary_prompt)
    if prompt is None:
        return f"startup.canary_prompt: no prompt {startup.canary_prompt!r} is live"
    if prompt.content.area not in assistant.areas:
        return f"startup.canary_prompt: {startup.canary_prompt!r} is in no area of {startup.canary_assistant!r}"
    return ""


def _live(catalog: Catalog) -> str:
    return ", ".join(sorted(catalog.assistants)) or "none, nothing is published"
