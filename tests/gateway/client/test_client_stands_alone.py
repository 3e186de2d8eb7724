"""The client can be imported by a program that has nothing else of the gateway's in memory."""

import subprocess
import sys
import tomllib
from pathlib import Path

import gateway.client
from gateway.client.addresses import headers_of

LIGHT = "import sys, gateway.client; print('\\n'.join(sys.modules))"
HEAVY = ("litestar", "torch", "faiss", "numpy", "sqlalchemy", "onnxruntime", "nemoguardrails", "structlog")


def test_nothing_of_the_gateway_and_nothing_heavy_is_imported():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)  # noqa: S603
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.split(".")[0] in ("gateway", "store", "rails", "models")}
    assert ours <= {"gateway", *(name for name in loaded if name.startswith("gateway.client"))}
    assert "gateway.client.blocking" in ours
    assert not [name for name in HEAVY if name in loaded]


def test_it_says_the_version_that_it_is_of():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert headers_of("k")["user-agent"] == f"canongate-python/{project['version']}"


def test_what_is_promised_is_there():
    assert sorted(gateway.client.__all__) == gateway.client.__all__
    assert all(hasattr(gateway.client, name) for name in gateway.client.__all__)
