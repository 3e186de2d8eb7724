"""Serving on the command line, in this process: first key, example, start and end."""

import asyncio
import json
import re
import signal
import socket
import stat
from pathlib import Path

import pytest

from gateway.commands import server, serving
from gateway.commands.telling import tell
from gateway.opening import open_access
from gateway.settings import LogSettings, Settings, load_settings
from tests.building import PROMPTS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def served(monkeypatch):
    seen: list[Settings] = []
    monkeypatch.setattr(serving, "_run", lambda settings, *_, **__: seen.append(settings))
    return seen


def test_a_demo_fills_an_empty_store_once_and_makes_the_first_key_once(run, content, served):
    done = run("demo", "--example", content, "--port", "0")
    assert f"Published the example store: {len(PROMPTS) + 2} documents." in done.err
    assert "First API key" in done.err
    again = run("demo", "--example", content).err
    assert "canongate user reset-password admin" in again, "until somebody has set a password"
    assert len(again.splitlines()) == 1
    assert "canongate user reset-password admin" in run("demo", "--example", content).err, "it made no token"
    assert [settings.server.port for settings in served] == [0, 8080, 8080]
    assert {settings.page.try_it for settings in served} == {"helpdesk"}


@pytest.mark.parametrize("command", [("serve",), ("demo", "--intranet-port", "0")])
def test_a_start_tells_where_the_first_key_and_token_are_and_shows_neither(run, content, served, command):
    told = run(command[0], *command[1:], *(["--example", content] if command[0] == "demo" else [])).err
    for name in ("first-key", "first-token"):
        kept = run.data / name
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert str(kept) in told
        assert kept.read_text().strip() not in told
    token = (run.data / "first-token").read_text().strip()
    with open_access(served[0]) as access:
        access.profiles.set_up(token, "a long and unusual passphrase")
    assert run("serve").err == ""
    assert not (run.data / "first-token").exists(), "it was used"


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("name", "another"), [("first-key", "canongate key create"), ("first-token", "canongate user reset-password admin")]
)
def test_a_secret_that_cannot_be_written_ends_the_start_with_the_way_to_another(run, name, another):
    (run.data / name).mkdir(mode=0o700, parents=True)
    done = run("serve")
    assert done.status == 1
    assert f"{run.data / name} cannot be written (" in done.err
    assert another in done.err
    (run.data / name).rmdir()
    assert run("serve").status == 0


@pytest.mark.usefixtures("served")
def test_a_start_names_the_file_of_the_first_token_only_while_that_token_is_good(run):
    kept = run.data / "first-token"
    assert str(kept) in run("serve").err
    assert str(kept) in run("serve").err
    assert run("user", "reset-password", "admin").status == 0
    told = run("serve").err
    assert str(kept) not in told
    assert "shown by the command that made it" in told
    kept.write_bytes(b"\xff")
    assert run("serve").err == told
    kept.unlink()
    assert run("serve").err == told


def test_a_demo_keeps_the_form_that_the_settings_name(run, content, served, monkeypatch):
    monkeypatch.setenv("CANONGATE_PAGE__TRY_IT", "another")
    run("demo", "--example", content)
    assert served[0].page.try_it == "another"


def test_a_demo_lets_the_example_intranet_embed_the_widget(run, content, served):
    run("demo", "--example", content)
    assert [settings.server.port for settings in served] == [8080]
    secret = run.data / "widget-intranet-secret"
    first = secret.read_text()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    run("demo", "--example", content, "--intranet-port", "8099")
    (client,) = json.loads(run("widget", "list", "--json").out)
    assert (client["id"], client["assistant"], client["sign_in"]) == ("intranet", "helpdesk", "required")
    assert client["origins"] == [
        f"http://{host}:{port}" for port in (8090, 8099) for host in ("127.0.0.1", "localhost")
    ]
    assert secret.read_text() == first
    secret.unlink()
    run("demo", "--example", content)
    assert secret.read_text() != first, "a secret that is lost is rotated"


def test_serving_publishes_nothing_and_shows_no_form(run, served):
    assert "First API key" in run("serve", "--port", "9000").err
    assert (served[0].server.port, served[0].page.try_it) == (9000, "")
    assert run("export", run.data / "out").out.startswith("Wrote 0 prompts")


def test_a_port_that_is_taken_is_an_error_of_ours(published):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = published("serve", "--port", taken.getsockname()[1])
    assert done.status == 1
    assert "address already in use" in done.err
    assert done.err.endswith("canongate: the server did not start; see the log above\n")


def test_a_server_that_is_told_to_stop_is_not_ready_any_more_and_ends_with_status_0(published, monkeypatch):
    states = []

    class Stopped(server.GatewayServer):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            signal.raise_signal(signal.SIGTERM)
            states.append(self._components.readiness.report().parts["gateway"].reason)

    monkeypatch.setattr(serving, "GatewayServer", Stopped)
    done = published("serve", "--port", "0")
    assert done.status == 0
    assert re.search(r"canongate is listening on http://127\.0\.0\.1:[1-9]\d*$", done.err, re.MULTILINE)
    assert states == ["shutting down"]


def test_a_log_for_machines_has_no_sentences_of_the_start(published, monkeypatch, tmp_path):
    class Stopped(server.GatewayServer):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(serving, "GatewayServer", Stopped)
    path = tmp_path / "canongate.toml"
    path.write_text('[log]\nformat = "json"\n')
    said = published("serve", "--port", "0", "--config", path).err.splitlines()
    lines = [json.loads(line) for line in said if not line.startswith(("First API key", "First administrator"))]
    told = {line["event"]: line for line in lines}
    assert told["listening"]["address"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(("kind", "said"), [("json", []), ("console", ["… fitting"]), ("auto", ["… fitting"])])
def test_what_the_start_does_is_an_event_where_the_log_is_for_machines(kind, said, capsys, caplog):
    caplog.set_level("INFO", "gateway.commands.telling")
    tell(LogSettings(format=kind), "starting", "… fitting", phase="fitting")
    assert capsys.readouterr().err.splitlines() == said
    assert [(one.getMessage(), one.phase) for one in caplog.records] == ([("starting", "fitting")] if not said else [])


def test_a_server_whose_start_fails_is_an_error_of_ours(published, monkeypatch):
    async def refuses(_, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "told to fail"})

    monkeypatch.setattr(server, "create_app", lambda *_, **__: refuses)
    done = published("serve", "--port", "0")
    assert done.status == 1
    assert done.err.endswith("canongate: the server did not start; see the log above\n")


def test_settings_come_from_the_named_file(run, tmp_path, served):
    path = tmp_path / "canongate.toml"
    path.write_text("[server]\nport = 9001\n")
    run("serve", "--config", path)
    assert served[0].server.port == 9001
    assert load_settings(path, {}).server.port == 9001


def test_work_beside_the_requests_that_fails_is_told_and_work_that_is_ended_is_not(caplog):
    async def failing() -> None:
        raise OSError("told to fail")

    async def endless() -> None:
        await asyncio.Event().wait()

    async def both() -> None:
        works = [asyncio.create_task(failing()), asyncio.create_task(endless())]
        for work in works:
            work.add_done_callback(server.tell_failure)
        await asyncio.sleep(0)
        works[1].cancel()
        await asyncio.wait(works)

    asyncio.run(both())
    told = [(one.levelname, one.message, str(one.exc_info[1])) for one in caplog.records if one.exc_info]
    assert told == [("CRITICAL", "background_work_failed", "told to fail")]
