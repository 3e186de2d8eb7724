"""A real gateway with the example store, and the environments of other programs' clients that talk to it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.access.keys import KeyWish
from gateway.app import create_app
from gateway.bootstrap import open_components, open_embedder
from gateway.content import import_folder
from gateway.credentials import key_id_of
from gateway.opening import open_access, open_store
from gateway.rail_services import rail_services
from gateway.settings import load_settings
from store.people import OPERATOR
from store.types import KeyScope
from tests.clients.troubles import Troubled
from tests.serving import serving

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MADE = ROOT / "var" / "clients"
EXAMPLE = ROOT / "examples" / "helpdesk"
SCOPES = (KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS, KeyScope.EMBEDDINGS)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it listens, and a key that may do everything but administer."""

    address: str
    key: str


def made(name: str) -> Path:
    """Gives the folder of a client's environment; skips where `make test-clients` has not made it."""
    if not (MADE / name / ".ready").exists():
        pytest.skip(f"the client {name} is not installed; `make test-clients` installs all and runs these tests")
    return MADE / name


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if not any(MADE.glob("*/.ready")):
        pytest.skip("no client is installed; `make test-clients` installs them and runs these tests")
    folder = tmp_path_factory.mktemp("gateway")
    variables = {"CANONGATE_DATA__DIRECTORY": str(folder), "CANONGATE_MATCHING__TUNE": "false"}
    settings = load_settings(None, variables | {"CANONGATE_LIMITS__CONCURRENT": "4"})
    embedder = open_embedder(settings, lambda _: None)
    with open_store(settings) as store:
        import_folder(store.database, EXAMPLE, note="example", services=rail_services(lambda: embedder))
    with open_access(settings) as access:
        key = access.keys.create(OPERATOR, KeyWish(name="clients", scopes=SCOPES)).token
    with open_components(settings) as components:
        app = Troubled(create_app(components), components, key_id_of(key))
        with serving(app) as (address, _):
            yield Gateway(address, key)


@pytest.fixture(scope="session")
def run_client(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs a program with nothing of this process's environment; what is not loopback leads nowhere."""
    home = tmp_path_factory.mktemp("home")

    def run(*command: str, cwd: Path | None = None, status: int = 0, **variables: str) -> str:
        proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        nowhere = dict.fromkeys(proxies, "http://127.0.0.1:9")
        beside = {"PATH": os.defpath, "HOME": str(home), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(  # noqa: S603 - our programs
            command,
            env={**nowhere, **beside, **variables},
            cwd=cwd or home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == status, done.stderr[-4000:]
        return done.stdout if status == 0 else done.stderr

    return run


@pytest.fixture(scope="session")
def saw(gateway: Gateway, run_client: Callable[..., str]) -> Callable[[str], dict]:
    """Gives what a client's program saw; each runs once."""
    seen: dict[str, dict] = {}

    def of(name: str) -> dict:
        folder = made(name)
        if name not in seen:
            if name == "node":
                program = (shutil.which("node"), str(HERE / "programs" / "openai_node.mjs"))
                told = run_client(*program, gateway.address, gateway.key, str(folder))
            else:
                program = HERE / "programs" / PROGRAMS[name]
                offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
                python = str(folder / "bin" / "python")
                told = run_client(python, str(program), gateway.address, gateway.key, **offline)
            seen[name] = json.loads(told.splitlines()[-1])
        return seen[name]

    return of


PROGRAMS = {"openai": "openai_python.py", "langchain": "langchain_program.py", "litellm": "litellm_program.py"}
