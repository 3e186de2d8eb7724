"""Things of two tenants, for tests that ask every route for them.

A resource adds a file to this folder: `sample("thing_id", make)` names the parameter of its paths and a function that
makes such a thing for a tenant and returns its id; `body("POST /v1/admin/things", {...})` gives an operation a body
that it accepts. What has no sample is asked for with an id that is not there.
"""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.administration import AdminWorld

MINE = "helpdesk"
THEIRS = "shop"
PERSONAL = frozenset({"session_id", "import_id"})
"""Parameters of things that are one person's: others of the tenant do not reach them."""
_ABSENT = {"int": "999999937"}
NOT_THERE = "0190a0b0-0000-7000-8000-00000000dead"
_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")

Make = Callable[[AdminWorld, str], str]

SAMPLES: dict[str, Make] = {}
BODIES: dict[str, Mapping[str, Any]] = {}


def sample(parameter: str, make: Make) -> None:
    """Says how a thing with that parameter is made for the tenant of an assistant."""
    SAMPLES[parameter] = make


def body(operation: str, accepted: Mapping[str, Any]) -> None:
    """Says what an operation accepts."""
    BODIES[operation] = accepted


def load_samples() -> None:
    """Imports every file of this folder."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"tests.samples.{path.stem}")


def parameters(template: str) -> list[str]:
    """Gives the names of a path template's parameters."""
    return [name for name, _ in _PARAMETER.findall(template)]


def filled(template: str, ids: Mapping[str, str] | None = None) -> str:
    """Gives a path with these ids, and with ids that are not there for the others."""
    known = ids or {}
    return _PARAMETER.sub(lambda found: known.get(found[1]) or _ABSENT.get(found[2], NOT_THERE), template)
