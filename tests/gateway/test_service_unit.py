"""The unit for systemd: it is well-formed, hardened, and fits what the gateway does."""

import os
import pwd
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.commands.server import ENDING_S
from gateway.settings import ServerSettings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "canongate.service"
COMMAND = UNIT.with_name("canongate")
GUIDE = ROOT / "docs" / "operating" / "install.md"
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
    "RemoveIPC": "yes",
    "User": "canongate",
    "StateDirectoryMode": "0700",
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


def test_the_unit_is_started_again_however_long_the_database_is_away():
    found = directives()
    assert found["StartLimitIntervalSec"] == ["0"], "with a limit the unit stays failed until somebody comes"
    assert "StartLimitBurst" not in found
    assert found["Restart"] == ["on-failure"]
    assert float(found["RestartSec"][0]) >= 5


def test_the_guide_names_the_folders_and_the_user_of_the_unit():
    found, guide = directives(), GUIDE.read_text()
    settings = tomllib.loads(re.search(r"```toml\n(.*?)```", guide, re.DOTALL)[1])
    assert settings["data"]["directory"] == f"/var/lib/{found['StateDirectory'][0]}"
    assert f"useradd --system --user-group --home-dir {settings['data']['directory']} " in guide
    assert f"install -d -m 700 -o {found['User'][0]} -g {found['Group'][0]} {settings['data']['directory']}" in guide
    assert "Environment" not in found, "what the unit alone says, commands beside it do not know"
    text = COMMAND.read_text()
    assert f"user={found['User'][0]}\n" in text
    assert f"program={found['ExecStart'][0].split()[0]}\n" in text
    assert found["ExecStart"][0].split()[-1] in text
    assert found["EnvironmentFile"] == ["-/etc/canongate/secrets"]
    assert "secrets=/etc/canongate/secrets\n" in text


def installed(folder: Path, *, user: str) -> Path:
    """Returns the command for the service's user, with a program that says how it was called."""
    program = folder / "program"
    program.write_text('#!/bin/sh\necho "$(id -un) $CANONGATE_CONFIG $CANONGATE_OIDC__CLIENT_SECRET $(umask)" "$@"\n')
    program.chmod(0o755)
    (folder / "secrets").write_text("CANONGATE_OIDC__CLIENT_SECRET='a$b c'\n")
    text = COMMAND.read_text().replace("user=canongate\n", f"user={user}\n")
    text = text.replace("/opt/canongate/.venv/bin/canongate", str(program))
    command = folder / "canongate"
    command.write_text(text.replace("=/etc/canongate/secrets", f"={folder}/secrets"))
    command.chmod(0o755)
    return command


def called(command: Path) -> subprocess.CompletedProcess[str]:
    arguments = [str(command), "audit", "show me"]
    environment = {"PATH": os.defpath, "HOME": "/"}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own script


def test_the_command_beside_the_service_has_its_settings(tmp_path):
    done = called(installed(tmp_path, user=pwd.getpwuid(os.getuid()).pw_name))
    assert (done.returncode, done.stderr) == (0, "")
    assert "/etc/canongate/canongate.toml" in done.stdout
    assert done.stdout.endswith(" 0077 audit show me\n")


def test_the_command_beside_the_service_becomes_its_user_or_says_how():
    with TemporaryDirectory() as folder:  # one that others may look into: those of the tests are closed
        Path(folder).chmod(0o755)
        done = called(installed(Path(folder), user="nobody"))
    if os.getuid() == 0:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "nobody /etc/canongate/canongate.toml a$b c 0077 audit show me\n"
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "run it as root: sudo canongate audit" in done.stderr


def test_systemd_finds_nothing_wrong_with_it(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    there = tmp_path / "canongate.service"
    there.write_text(UNIT.read_text().replace("/opt/canongate/.venv/bin/canongate", "/bin/true"))
    done = subprocess.run([program, "verify", str(there)], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - systemd's own
    assert (done.returncode, done.stderr) == (0, "")
