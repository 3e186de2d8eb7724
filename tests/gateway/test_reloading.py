"""Settings that are read again: what may change does, the rest is named, and a broken file changes nothing."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.errors import SettingsInvalid
from gateway.reloading import RELOADABLE, Reloaded, Reloading
from gateway.settings import Settings, load_settings

OPERATING = Path(__file__).parents[2] / "docs" / "operating" / "install.md"


class File:
    """A settings file whose content changes."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "canongate.toml"
        self.write("")
        self.taken: list[Settings] = []

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def read(self) -> Settings:
        return load_settings(self.path, {})

    def reloading(self) -> Reloading:
        return Reloading(self.read(), self.read, (self.taken.append,))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_only_what_may_change_is_taken_over(file: File) -> None:
    reloading = file.reloading()
    file.write('[server]\nport = 1\ndrain_s = 5\n[limits]\nreceive_s = 2.5\nmatch_s = 1.0\n[model]\nname = "none"\n')
    assert reloading.reload() == Reloaded(
        ("limits.receive_s", "server.drain_s"), ("limits.match_s", "model.name", "server.port")
    )
    (taken,) = file.taken
    assert reloading.settings is taken
    assert (taken.server.drain_s, taken.server.port) == (5, 8080)
    assert (taken.limits.receive_s, taken.limits.match_s, taken.model.name) == (2.5, 3.0, Settings().model.name)


def test_what_is_taken_over_and_likely_a_mistake_is_told(file: File, caplog: pytest.LogCaptureFixture) -> None:
    file.write('[server]\npublic_url = "https://chat.example"\n')
    reloading = file.reloading()
    file.write('[server]\npublic_url = "https://chat.example"\nallowed_hosts = ["gw1.internal"]\n')
    assert reloading.reload().changed == ("server.allowed_hosts",)
    assert "without chat.example of server.public_url" in caplog.text


def test_what_needs_a_restart_is_named_each_time(file: File) -> None:
    reloading = file.reloading()
    file.write("[server]\nport = 1\n")
    assert reloading.reload().needs_restart == ("server.port",)
    assert reloading.reload().needs_restart == ("server.port",)
    file.write("")
    assert reloading.reload() == Reloaded()


@pytest.mark.parametrize(
    "text",
    [
        "[server",
        "[server]\ndrain_s = 'long'\n",
        "[server]\ntrusted_proxies = ['10.0.0.1/8']\ndrain_s = 1\n",
        "[server]\ndrain_s = 1\n[limits]\nreceive_s = -1\n",
        "[nothing]\n",
    ],
)
def test_a_broken_file_changes_nothing_and_says_so(file: File, caplog, text) -> None:
    reloading = file.reloading()
    before = reloading.settings
    file.write(text)
    assert reloading.reload().error
    assert reloading.settings is before
    assert not file.taken
    assert [record.message for record in caplog.records] == ["settings_not_reloaded"]


def test_a_file_that_is_gone_changes_nothing(file: File) -> None:
    reloading = file.reloading()
    file.path.unlink()
    assert "cannot read the settings file" in reloading.reload().error
    assert not file.taken


def test_the_log_names_fields_and_no_values(file: File, caplog) -> None:
    reloading = file.reloading()
    file.write('[server]\nallowed_hosts = ["inner.example"]\n[oidc]\nclient_secret = "planted-secret"\n')
    reloading.reload()
    assert "inner.example" not in caplog.text
    assert "planted-secret" not in str([vars(record) for record in caplog.records])


def test_the_fields_exist_and_the_documentation_names_them() -> None:
    sections = {section.name: section.type for section in msgspec.structs.fields(Settings)}
    text = OPERATING.read_text()
    for name in RELOADABLE:
        section, _, field = name.partition(".")
        assert field in {one.name for one in msgspec.structs.fields(sections[section])}, name
        assert f"`{name}`" in text, name


def test_the_level_of_the_log_changes_while_it_runs() -> None:
    program = """
import logging, structlog
from gateway.logs import set_level, set_up_logging
from gateway.settings import LogSettings
set_up_logging(LogSettings(level="warning", format="json"))
ours, theirs = structlog.get_logger("canongate.x"), logging.getLogger("gateway.x")
ours.info("first"); theirs.info("second"); ours.warning("third")
set_level(LogSettings(level="debug"))
ours.debug("fourth"); theirs.debug("fifth")
set_level(LogSettings(level="error"))
ours.warning("sixth"); theirs.warning("seventh"); ours.exception("eighth")
"""
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    told = [
        word
        for word in ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
        if f'"{word}"' in done.stderr
    ]
    assert told == ["third", "fourth", "fifth", "eighth"]


def test_settings_of_a_section_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsInvalid, match="belong together"):
        load_settings(None, {"CANONGATE_STARTUP__CANARY": "How?"})
    with pytest.raises(SettingsInvalid, match=r"server\.admin_listen must not be where"):
        load_settings(None, {"CANONGATE_SERVER__ADMIN_LISTEN": "127.0.0.1:8080"})
    with pytest.raises(SettingsInvalid, match="at most 65535"):
        load_settings(None, {"CANONGATE_SERVER__ADMIN_LISTEN": "127.0.0.1:99999"})
    with pytest.raises(SettingsInvalid, match=r"plain_http is for this machine alone: server\.admin_listen"):
        load_settings(None, {"CANONGATE_ACCESS__PLAIN_HTTP": "true", "CANONGATE_SERVER__ADMIN_LISTEN": "10.0.0.1:8081"})
    with pytest.raises(SettingsInvalid, match=r"server\.trusted_proxies takes networks"):
        load_settings(None, {"CANONGATE_SERVER__TRUSTED_PROXIES": '["10.0.0.1/8"]'})
