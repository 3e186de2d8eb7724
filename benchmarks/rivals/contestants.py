"""Who is measured: servers, each with its configuration, and the ways in which each is asked."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rivals import upstream
from benchmarks.rivals.desk_colang import NO_ANSWER
from benchmarks.rivals.load import Load
from benchmarks.rivals.venvs import HERE, VENVS, named

CONFIGURATIONS = HERE / "configurations"
STUB_PORT = 19400
GATEWAY_PORT = 19401
"""Also in the configurations."""
LITELLM_KEY = f"sk-{secrets.token_hex(32)}"
"""It refuses to start without one, or with a short one; each run has its own."""
STUB_WORDS = upstream.ANSWER[:40]


@dataclass(frozen=True, slots=True)
class Server:
    """One process with its configuration."""

    name: str
    title: str
    rival: str
    """The name of whose environment it runs in; empty for ours."""
    port: int
    arguments: tuple[str, ...]
    """After the interpreter."""
    configuration: Path
    """File or folder, for people to read."""
    ready: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    model: str = "stub"
    path: str = "/v1/chat/completions"
    key: str = "none"
    key_file: Path | None = None
    """Where it writes the key that it made at its first start."""

    def bearer(self) -> str:
        """Returns the key that it is asked with."""
        return self.key_file.read_text().strip() if self.key_file else self.key

    def address(self, path: str) -> str:
        """Returns the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def python(self, own: str) -> str:
        """Returns its interpreter; `own` is ours."""
        return str(named(self.rival).python) if self.rival else own


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
        **{"wanted": list(way.wanted), "unwanted": list(way.unwanted), **more},
    )


def attack(server: Server, way: Way, texts: Sequence[str], **more: Any) -> Load:
    """Returns the load of texts that are to be blocked."""
    return load(
        server, way, texts, **{"wanted": list(way.blocked), "unwanted": [], "statuses": [way.blocked_status], **more}
    )


def _nemo(name: str, title: str, port: int, configuration: Path | None = None) -> Server:
    folder = configuration or CONFIGURATIONS / "nemoguardrails" / name
    return Server(
        f"nemo-{name}",
        title,
        "nemoguardrails",
        port,
        (
            *("-m", "nemoguardrails", "server", "--config", str(folder.parent), "--default-config-id", folder.name),
            *("--port", str(port), "--disable-chat-ui"),
        ),
        CONFIGURATIONS / "nemoguardrails" / name,
        "/v1/rails/configs",
        {"NEMO_GUARDRAILS_NO_USAGE_STATS": "1", "OPENAI_API_KEY": "none"},
    )


def _litellm(name: str, title: str, port: int, **environment: str) -> Server:
    configuration = CONFIGURATIONS / "litellm" / f"{name}.yaml"
    return Server(
        f"litellm-{name}",
        title,
        "litellm",
        port,
        (
            "-c",
            "import sys; from litellm import run_server; sys.exit(run_server())",
            *("--config", str(configuration), "--port", str(port), "--host", "127.0.0.1", "--num_workers", "1"),
        ),
        configuration,
        "/health/liveliness",
        {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_MASTER_KEY": LITELLM_KEY,
            **environment,
        },
        key=LITELLM_KEY,
    )


DATA = VENVS / "configurations"
MINILM = VENVS / "minilm"
"""A link to the packaged model, so that a configuration can name it."""
HOME = DATA / "home"
"""Of a program that reads from there whether it may send usage figures to its makers."""
DIALOG = DATA / "nemoguardrails-dialog"
"""Written by `benchmarks/rivals/desk_colang.py`."""

SERVERS = (
    Server(
        "canongate",
        "canongate",
        "",
        GATEWAY_PORT,
        (
            "-m",
            "gateway.cli",
            "demo",
            "--intranet-port",
            "0",
            "--config",
            str(CONFIGURATIONS / "canongate/canongate.toml"),
        ),
        CONFIGURATIONS / "canongate" / "canongate.toml",
        "/readyz",
        {"NEMO_GUARDRAILS_NO_USAGE_STATS": "1"},
        model="helpdesk",
        key_file=VENVS / "canongate" / "first-key",
    ),
    _nemo("plain", "NeMo Guardrails, no rails", 19411),
    _nemo("regex", "NeMo Guardrails, regex rails", 19412),
    _nemo("dialog", "NeMo Guardrails, dialog by embeddings", 19413, DIALOG),
    _litellm("plain", "LiteLLM proxy", 19421),
    _litellm("filter", "LiteLLM proxy, content filter", 19422),
    Server(
        "guardrails-ai",
        "Guardrails AI server",
        "guardrails-ai",
        19431,
        (
            *("-c", "from guardrails.cli import cli; cli()", "start"),
            *("--config", str(CONFIGURATIONS / "guardrails-ai" / "config.py"), "--port", "19431"),
        ),
        CONFIGURATIONS / "guardrails-ai" / "config.py",
        "/health-check",
        {
            "HOME": str(HOME),
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{STUB_PORT}/v1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
        model="openai/stub",
        path="/guards/desk/openai/v1/chat/completions",
    ),
)

SENTENCES = Server(
    "canongate-sentences",
    "canongate, checked sentences",
    "",
    19402,
    (
        *("-m", "gateway.cli", "demo", "--intranet-port", "0", "--example", str(DATA / "helpdesk-sentences")),
        *("--config", str(CONFIGURATIONS / "canongate" / "sentences.toml")),
    ),
    CONFIGURATIONS / "canongate" / "sentences.toml",
    "/readyz",
    {"NEMO_GUARDRAILS_NO_USAGE_STATS": "1"},
    model="helpdesk",
    key_file=VENVS / "canongate-sentences" / "first-key",
)
"""For streams alone: the same gateway with `streaming: checked_sentences` in its policy."""

_ANSWERED = ('"outcome":"answered"',)
_WORDED = ('"outcome":"answered","source":"generate"',)
"""No fallback that stands in for a model that is late or was withheld."""
_REFUSES = ("I'm sorry, I can't respond to that.",)
_WRITTEN_BY_STUB = (STUB_WORDS,)

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
    Way("nemo-plain", "NeMo Guardrails, no rails", "nemo-plain", "worded", "nothing", _WRITTEN_BY_STUB),
    Way(
        "nemo-regex",
        "NeMo Guardrails, regex rails",
        "nemo-regex",
        "worded",
        "regular expressions on message and answer",
        _WRITTEN_BY_STUB,
        _REFUSES,
        _REFUSES,
    ),
    Way(
        "nemo-dialog-worded",
        "NeMo Guardrails, dialog, worded by the upstream",
        "nemo-dialog",
        "worded",
        "regular expressions, nearest phrasing",
        _WRITTEN_BY_STUB,
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
    Way("litellm-plain", "LiteLLM proxy", "litellm-plain", "worded", "nothing", _WRITTEN_BY_STUB),
    Way(
        "litellm-filter",
        "LiteLLM proxy, content filter",
        "litellm-filter",
        "worded",
        "regular expressions and words on message and answer",
        _WRITTEN_BY_STUB,
        blocked=("blocked",),
        blocked_status=400,
    ),
    Way(
        "guardrails-ai",
        "Guardrails AI server, regex validators",
        "guardrails-ai",
        "worded",
        "regular expressions on message and answer",
        _WRITTEN_BY_STUB,
        blocked=("Validation failed",),
        blocked_status=400,
    ),
)
"""The floor, which is the stub itself, is no contestant."""


def server_of(way: Way) -> Server:
    """Returns the server of a way."""
    return {one.name: one for one in SERVERS}[way.server]
