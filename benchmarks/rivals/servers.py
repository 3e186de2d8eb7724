"""The servers that are measured, each with its configuration."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rivals.venvs import HERE, VENVS, named

CONFIGURATIONS = HERE / "configurations"
STUB_PORT = 19400
GATEWAY_PORT = 19401
"""Also in the configurations."""
LITELLM_KEY = f"sk-{secrets.token_hex(32)}"
"""It refuses to start without one, or with a short one; each run has its own."""


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


def _nemo(name: str, title: str, port: int, folder: Path, **environment: str) -> Server:
    """Returns NeMo's own server with the configuration of a folder."""
    return Server(
        f"nemo-{name}",
        title,
        "nemoguardrails",
        port,
        (
            *("-m", "nemoguardrails", "server", "--config", str(folder.parent), "--default-config-id", folder.name),
            *("--port", str(port), "--disable-chat-ui"),
        ),
        folder,
        "/v1/rails/configs",
        {"NEMO_GUARDRAILS_NO_USAGE_STATS": "1", "OPENAI_API_KEY": "none", **environment},
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
OWN_DATA = (VENVS / "canongate", VENVS / "canongate-sentences", VENVS / "canongate-smollm2")
"""The data folders that our configurations name."""
_NEMO = CONFIGURATIONS / "nemoguardrails"
DIALOG = _NEMO / "dialog"
"""Its flows are written by `benchmarks/rivals/desk_colang.py`."""

_WITHOUT_COLANG = {"NEMO_GUARDRAILS_IORAILS_ENGINE": "1"}
"""Its newer and much quicker engine, which has no dialogs; its server takes the other one unless it is told."""

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
    _nemo("colang", "NeMo Guardrails, no rails", 19415, _NEMO / "plain"),
    _nemo("plain", "NeMo Guardrails, no rails, IORails", 19411, _NEMO / "plain", **_WITHOUT_COLANG),
    _nemo("regex", "NeMo Guardrails, regex rails", 19412, _NEMO / "regex"),
    _nemo("iorails", "NeMo Guardrails, regex rails, IORails", 19414, _NEMO / "regex", **_WITHOUT_COLANG),
    _nemo("dialog", "NeMo Guardrails, dialog by embeddings", 19413, DIALOG),
    _litellm("plain", "LiteLLM proxy", 19421),
    _litellm("filter", "LiteLLM proxy, content filter", 19422),
    _litellm("full", "LiteLLM proxy, content filter with categories", 19423),
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
