"""What a browser calls itself, as people call it."""

from collections.abc import Iterable

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""What to look for, in this order: each of the later ones is in the names of some earlier ones."""
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """Returns browser and system, such as `Firefox · Windows`; what it says itself where neither is known."""
    known = [name for name in (_first(_BROWSERS, agent), _first(_SYSTEMS, agent)) if name]
    return " · ".join(known) or agent


def _first(marks: Iterable[tuple[str, str]], agent: str) -> str | None:
    return next((name for mark, name in marks if mark in agent), None)
