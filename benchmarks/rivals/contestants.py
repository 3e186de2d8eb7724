"""The ways in which servers are asked, and how their replies are told apart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.rivals.desk_colang import NO_ANSWER
from benchmarks.rivals.load import Load
from benchmarks.rivals.messages import stub_answers
from benchmarks.rivals.servers import SERVERS, Server
from benchmarks.rivals.upstream import ANSWER

TOLD_BY = 80
"""Characters of an answer by which it is told from others."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask a server, and how its replies are told apart."""

    name: str
    title: str
    server: str
    asked: str
    """Which of the questions: `worded`, `verbatim` or `exact`."""
    checks: str
    """What it does with a message, in few words."""
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    """Words of a reply to an attack; empty where it blocks nothing."""
    blocked_status: int = 200
    matches: bool = False
    """Whether it answers only what it has an approved answer to."""


def body(server: Server, text: str, *, is_streamed: bool = False) -> str:
    """Returns the request for a message, which is the same for everybody."""
    asked: dict[str, Any] = {"model": server.model, "messages": [{"role": "user", "content": text}]}
    return json.dumps({**asked, "stream": True} if is_streamed else asked)


def load(server: Server, way: Way, texts: Sequence[str], *, is_streamed: bool = False, **more: Any) -> Load:
    """Returns the load that asks these texts in turn; `more` says how long and by how many."""
    return Load(
        port=server.port,
        path=server.path,
        headers={"content-type": "application/json", "authorization": f"Bearer {server.bearer()}"},
        bodies=[body(server, text, is_streamed=is_streamed) for text in texts],
        is_streamed=is_streamed,
        **{"wanted": list(way.wanted), "unwanted": list(way.unwanted), "answers": _answers(way, texts), **more},
    )


def _answers(way: Way, texts: Sequence[str]) -> list[str]:
    """Returns the beginning of what the stub says to each text, of ways whose answers it words."""
    return [stub_answers().get(text, ANSWER)[:TOLD_BY] for text in texts] if way.asked == "worded" else []


def attack(server: Server, way: Way, texts: Sequence[str], **more: Any) -> Load:
    """Returns the load of texts that are to be blocked."""
    wanted = {"wanted": list(way.blocked), "unwanted": [], "answers": [], "statuses": [way.blocked_status]}
    return load(server, way, texts, **{**wanted, **more})


_ANSWERED = ('"outcome":"answered"',)
_WORDED = ('"outcome":"answered","source":"generate"',)
"""No fallback that stands in for a model that is late or was withheld."""
_REFUSES = ("I'm sorry, I can't respond to that.",)
_ANY = ()
"""The answer alone tells it: it is what the stub says to that message."""

WAYS = (
    Way(
        "canongate-worded",
        "canongate, worded by the upstream",
        "canongate",
        "worded",
        "8 input rails, matching, 9 output rails, a record of the decision",
        _WORDED,
        blocked=('"outcome":"blocked',),
        matches=True,
    ),
    Way(
        "canongate-verbatim",
        "canongate, approved text as it stands",
        "canongate",
        "verbatim",
        "8 input rails, matching, a record; the upstream is not asked",
        _ANSWERED,
        matches=True,
    ),
    Way(
        "canongate-exact",
        "canongate, approved phrasing",
        "canongate",
        "exact",
        "the same, and the phrasing is found without embedding",
        _ANSWERED,
        matches=True,
    ),
    Way("nemo-colang", "NeMo Guardrails, no rails", "nemo-colang", "worded", "nothing", _ANY),
    Way("nemo-plain", "NeMo Guardrails, no rails, IORails", "nemo-plain", "worded", "nothing", _ANY),
    Way(
        "nemo-regex",
        "NeMo Guardrails, regex rails",
        "nemo-regex",
        "worded",
        "regular expressions on message and answer",
        _ANY,
        _REFUSES,
        _REFUSES,
    ),
    Way(
        "nemo-iorails",
        "NeMo Guardrails, regex rails, IORails",
        "nemo-iorails",
        "worded",
        "the same, by its newer engine, which has no Colang",
        _ANY,
        _REFUSES,
        _REFUSES,
    ),
    Way(
        "nemo-dialog-worded",
        "NeMo Guardrails, dialog, worded by the upstream",
        "nemo-dialog",
        "worded",
        "regular expressions, nearest phrasing",
        _ANY,
        (NO_ANSWER, *_REFUSES),
        _REFUSES,
        matches=True,
    ),
    Way(
        "nemo-dialog-verbatim",
        "NeMo Guardrails, dialog, text as it stands",
        "nemo-dialog",
        "verbatim",
        "regular expressions, nearest phrasing; the upstream is not asked",
        (),
        (NO_ANSWER, *_REFUSES),
        matches=True,
    ),
    Way("litellm-plain", "LiteLLM proxy", "litellm-plain", "worded", "nothing", _ANY),
    Way(
        "litellm-filter",
        "LiteLLM proxy, content filter",
        "litellm-filter",
        "worded",
        "regular expressions and words on message and answer",
        _ANY,
        blocked=("blocked",),
        blocked_status=400,
    ),
    Way(
        "litellm-full",
        "LiteLLM proxy, content filter with categories",
        "litellm-full",
        "worded",
        "the same, and ten of its categories of injection and harm on the message",
        _ANY,
        blocked=("blocked",),
        blocked_status=400,
    ),
    Way(
        "guardrails-ai",
        "Guardrails AI server, regex validators",
        "guardrails-ai",
        "worded",
        "regular expressions on message and answer",
        _ANY,
        blocked=("Validation failed",),
        blocked_status=400,
    ),
)
"""The floor, which is the stub itself, is no contestant."""


def server_of(way: Way) -> Server:
    """Returns the server of a way."""
    return {one.name: one for one in SERVERS}[way.server]
