"""Blocks answers that point anywhere but to the hosts on the policy's list.

Finds links with and without a scheme, and forms that are written to be read by a person but not by a filter
(`hxxp`, `example[.]com`, `example dot com`).
"""

from collections.abc import Sequence
from typing import Annotated
from unicodedata import category

from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.host_names import file_names_in, hosts_in, written_in
from rails.matching import compile_linear
from rails.nemo import RailOutcome, request_context, verdict
from rails.types import Stage

Host = Annotated[str, Meta(pattern=r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")]

_SCHEME = compile_linear(r"\b([a-z][a-z0-9+.-]{1,20}):(?://|\\\\|/)")
# Schemes that need no slashes. Most are words too, so something must follow at once.
_ACTIVE = compile_linear(
    r"\b(?:java|vb|live)\s{0,3}script\s{0,3}(?::|&colon;|&#)"
    r"|\b(?:data|file|blob|about|ftps?|sftp|tel|sms|mms|intent|wss?|magnet|skype|callto|facetime|sips?|xmpp|cid|mid|geo|urn"
    r"|bitcoin|ethereum|monero|litecoin|ssh|telnet|jar|view-source|ldaps?|smb|nfs|ipfs|market|ms-[a-z]{2,30}):[^\s:]"
)
# A share of another machine, and a host that takes the scheme of the page it stands on.
_SHARE = compile_linear(r"(?:^|[\s\"'(<\[=])(?:\\\\[\pL\pN._$-]+\\|//[\pL\pN-]+/)[\pL\pN._$-]")
_LINK = compile_linear(r"[a-z][a-z0-9+.-]{1,20}:[/\\]{1,4}([^\s<>\"'()\[\]{}/\\?#]*)")
_ADDRESS = compile_linear(
    r"(?:^|[^\d.])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.?$)|(?:\[[0-9a-f:.]*:[0-9a-f:.]*\])"
)
_ADDRESS_STOPS = 3
_OBFUSCATED = compile_linear(
    r"\bh(?:xx|x t|tx|xt|\*\*)ps?\b|\bhttps?(?:\s{1,2}:|\[:\])|[\[({]\s{0,2}(?:\.|dot|punkt|point|punto)\s{0,2}[\])}]"
    r"|[a-z0-9]\s+(?:dot|\.)\s+(?:com|net|org|io|co|example|info|biz|dev|app|ru|cn|de|uk)\b|%2f%2f|:%2f"
    r"|\bwww\s{0,2}(?:[\[({]|dot\b)"
)


class UrlsParams(RailParams, frozen=True, kw_only=True, tag="urls"):
    """Where an answer may point."""

    hosts: Annotated[tuple[Host, ...], Meta(max_length=500)]
    """Allowed host names; `*.help.example` means help.example and all hosts below it."""


def is_allowed(host: str, hosts: Sequence[str]) -> bool:
    """Says whether `host` is on the list."""
    return any(
        host == entry or (entry.startswith("*.") and (host == entry[2:] or host.endswith(entry[1:]))) for entry in hosts
    )


def _has_scheme(folded: str) -> bool:
    """Whether a link is none of the web; a pattern is looked for where the signs are that it cannot be without."""
    has_colon = ":" in folded
    return (
        ((has_colon or "&" in folded) and _ACTIVE.occurs_in(folded))
        or (("//" in folded or "\\\\" in folded) and _SHARE.occurs_in(folded))
        or (has_colon and any(found.group(1) not in ("http", "https") for found in _SCHEME.finditer(folded)))
    )


def _host(authority: str) -> str:
    """Returns the host of a link, without a port and the blanks and punctuation of the sentence behind it."""
    # RE2 knows the blanks and signs of ASCII only.
    first = "".join(authority.split()[:1])
    end = next((at for at in range(len(first), 0, -1) if category(first[at - 1])[0] != "P"), 0)
    return first[:end].partition(":")[0]


def find(text: str, params: UrlsParams, facts: str = "") -> str | None:
    """Returns the reason to block `text`, or None.

    What may be the name of a file or of a host, such as `setup.sh`, must stand in the facts where there are any.
    """
    folded = text.casefold()
    if _OBFUSCATED.occurs_in(folded):
        return "urls.obfuscated"
    if _has_scheme(folded):
        return "urls.scheme"
    if ("[" in folded or folded.count(".") >= _ADDRESS_STOPS) and _ADDRESS.occurs_in(folded):
        return "urls.address"
    authorities = [found.group(1) for found in _LINK.finditer(folded)] if ":" in folded else []
    # A name before @ makes people misread the host; a backslash or % is read differently by different browsers.
    if any(not authority or any(char in authority for char in "@%\\") for authority in authorities):
        return "urls.malformed"
    hosts = [_host(authority) for authority in authorities]
    written = written_in(text)
    hosts += hosts_in(written)
    if facts and written:
        known = facts.casefold()
        hosts += (name for name in file_names_in(written) if name not in known)
    return None if all(is_allowed(host, params.hosts) for host in hosts) else "urls.host"


async def check(text: str, params: UrlsParams) -> RailOutcome:
    """Returns the verdict on the links in `text`."""
    return verdict(find(text, params, request_context().facts))


def _probes(params: UrlsParams) -> Probes:
    passed = [f"See https://{host.removeprefix('*.')}/page for more." for host in params.hosts[:1]]
    return probes_of(
        blocked=[
            "See https://canongate-probe.invalid/x",
            "Read ftp://canongate-probe.invalid",
            "canongate-probe[.]invalid",
        ],
        passed=[*passed, "Call extension 4400 before 9.30 a.m., e.g. today."],
    )


RAIL = RailDefinition(name="urls", stages=frozenset({Stage.OUTPUT}), params=UrlsParams, check=check, probes=_probes)
