"""What NeMo brings along, read from its installed files: names that a policy must not take, values it must not set."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rails.nemo import PACKAGE

_DEFINITION = re.compile(r"^define (?:[a-z-]+ )*?(?:flow|subflow|bot|user) (.+?):?[ ]*$", re.MULTILINE)
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_CONTEXT_KEY = re.compile(r"(?:context|context_updates)(?:\.get\(|\.pop\(|\[)\s*[\"'](\w+)[\"']")
_ACTION = re.compile(r"@action\((?:[^()]*?name=\"(\w+)\")?[^()]*\)\s*(?:async )?def (\w+)")


@dataclass(frozen=True, slots=True)
class LibraryNames:
    """What NeMo brings along, and a policy must not take the name of."""

    definitions: frozenset[str]
    actions: frozenset[str]
    variables: frozenset[str]
    """What its flows, its actions and its runtime keep in the context that every flow shares; without the `$`."""


@cache
def library_names() -> LibraryNames:
    """Returns the flows, messages, actions and variables of NeMo's library, read from its files once."""
    flows = list(_files("*.co", "library", "rails"))
    code = list(_files("*.py", "library", "actions"))
    runtime = [*code, *_files("*.py", "colang/v1_0", "rails", "llm")]
    colang_1 = (text for text in flows if re.search(r"^define ", text, re.MULTILINE))
    return LibraryNames(
        definitions=frozenset(name for text in flows for name in _DEFINITION.findall(text)),
        actions=frozenset(name or function for text in code for name, function in _ACTION.findall(text)),
        variables=frozenset(name for text in colang_1 for name in _VARIABLE.findall(text))
        | frozenset(name for text in runtime for name in _CONTEXT_KEY.findall(text)),
    )


def _files(pattern: str, *folders: str) -> Iterator[str]:
    yield from (path.read_text(encoding="utf-8") for one in folders for path in (PACKAGE / one).rglob(pattern))
