"""The unit for systemd: it is well-formed, hardened, and fits what the gateway does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.commands.server import ENDING_S
from gateway.settings import ServerSettings

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "canongate.service"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictSUIDSGID": "yes",
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
}


def directives() -> dict[str, list[str]]:
    """Every directive with its values; `configparser` takes none twice, and units may."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, mark, value = line.partition("=")
            assert mark, line
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_takes_every_right_away_that_the_gateway_does_not_need():
    found = directives()
    assert {name: found[name] for name in HARDENED} == {name: [value] for name, value in HARDENED.items()}
    assert found["SystemCallFilter"][0] == "@system-service"


def test_the_unit_fits_how_the_gateway_starts_and_ends():
    found, server = directives(), ServerSettings()
    assert found["Type"] == ["notify"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert float(found["WatchdogSec"][0]) >= 10
    assert float(found["TimeoutStopSec"][0]) >= server.drain_delay_s + server.drain_s + ENDING_S + 10
    assert found["ExecStart"][0].split()[1:] == ["serve", "--config", "/etc/canongate/canongate.toml"]


def test_systemd_finds_nothing_wrong_with_it(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    there = tmp_path / "canongate.service"
    there.write_text(UNIT.read_text().replace("/opt/canongate/.venv/bin/canongate", "/bin/true"))
    done = subprocess.run([program, "verify", str(there)], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - systemd's own
    assert (done.returncode, done.stderr) == (0, "")
