"""`canongate check` finds what a start would refuse, and makes and changes nothing."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.commands import serving
from tests.gateway.command_line import CommandLine, is_one_line_of_ours


def findings(run: CommandLine) -> dict[str, dict]:
    return {one["part"]: one for one in json.loads(run("check", "--json").out)}


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def canary(monkeypatch, **changed: str) -> None:
    for name, value in {"canary": "How?", "canary_assistant": "helpdesk", "canary_prompt": "it.reset"}.items():
        monkeypatch.setenv(f"CANONGATE_STARTUP__{name.upper()}", changed.get(name, value))


def test_an_empty_folder_stays_empty(run: CommandLine) -> None:
    found = findings(run)
    assert not run.data.exists()
    assert "a start makes it" in found["database"]["detail"]
    run.data.mkdir()
    findings(run)
    assert files_in(run.data) == {}


def test_a_new_installation_passes_with_a_word_that_nothing_is_there(run: CommandLine, monkeypatch) -> None:
    canary(monkeypatch)
    done = run("check")
    assert done.status == 0, done.out
    assert "FAIL" not in done.out
    assert "warn  database   nothing is there yet" in done.out
    assert {findings(run)[part]["detail"] for part in ("content", "canary")} == {
        "nothing is there yet; a start waits for it",
        "is asked once there is content",
    }


def test_what_is_published_passes_and_is_left_as_it_is(published: CommandLine, monkeypatch) -> None:
    canary(monkeypatch)
    before = files_in(published.data)
    done = published("check")
    assert done.status == 0, done.out
    assert files_in(published.data) == before
    assert "those of the database" in done.out


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("CANONGATE_LIMITS__STORE", "database", "settings"),
        ("CANONGATE_FAULTS__POINTS", '["matcher:raise"]', "settings"),
        ("CANONGATE_PAGE__TRY_IT", "nobody", "page"),
    ],
)
def test_a_start_refuses_the_same_in_the_same_words(
    published: CommandLine, monkeypatch, variable: str, value: str, part: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(serving, "set_up_logging", lambda _: None)
    found = findings(published)[part]
    assert not found["is_ok"]
    refused = published("serve", "--port", "0")
    assert refused.status == 1
    assert refused.err.splitlines()[-1] == f"canongate: {found['detail']}"


def test_a_redis_that_is_not_there_is_found(published: CommandLine, monkeypatch) -> None:
    monkeypatch.setenv("CANONGATE_LIMITS__STORE", f"unix://{published.data}/nobody.sock")
    found = findings(published)["rates"]
    assert (found["is_ok"], found["detail"]) == (False, "limits.store: the Redis does not answer")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("canary_assistant", "nobody", "'nobody' is not live. Live: helpdesk"),
        ("canary_prompt", "it.nothing", "no prompt 'it.nothing' is live"),
    ],
)
def test_a_question_at_the_start_that_nothing_answers_is_found(
    published: CommandLine, monkeypatch, field: str, value: str, words: str
) -> None:
    canary(monkeypatch, **{field: value})
    found = findings(published)["canary"]
    assert not found["is_ok"]
    assert words in found["detail"]


def test_trusting_everybody_as_a_proxy_is_doubted(published: CommandLine, monkeypatch) -> None:
    monkeypatch.setenv("CANONGATE_SERVER__TRUSTED_PROXIES", '["0.0.0.0/0"]')
    done = published("check")
    assert done.status == 0, done.out
    assert "warn  settings" in done.out
    assert "0.0.0.0/0 is everybody" in done.out


def test_what_a_gateway_removes_meanwhile_is_not_missed(published: CommandLine, monkeypatch) -> None:
    copytree, gone = shutil.copytree, published.data / "matcher" / "gone"

    def with_one_gone(source: Path, target: Path, **how: object) -> None:
        copytree(source, target, **how)
        raise shutil.Error([(str(gone), str(target / "gone"), f"[Errno 2] No such file or directory: '{gone}'")])

    (published.data / "matcher" / ".tuning-x").mkdir(parents=True)
    monkeypatch.setattr(shutil, "copytree", with_one_gone)
    done = published("check")
    assert done.status == 0, done.out
    assert "FAIL" not in done.out


def test_what_cannot_be_copied_or_read_is_a_finding_and_the_other_parts_are_looked_at(
    published: CommandLine, monkeypatch
) -> None:
    def full(source: Path, target: Path, **_: object) -> None:
        raise shutil.Error([(str(source), str(target), "[Errno 28] No space left on device")])

    def foreign(path: Path) -> bool:
        if path.name in {"pepper", "embedder"}:
            raise PermissionError(13, "Permission denied", str(path))
        return is_there(path)

    is_there = Path.exists
    (published.data / "matcher").mkdir(exist_ok=True)
    monkeypatch.setattr(shutil, "copytree", full)
    found = findings(published)
    assert {part for part, one in found.items() if not one["is_ok"]} == {"matcher"}
    assert found["matcher"]["detail"].startswith(f"{published.data / 'matcher'} cannot be copied to ")
    assert found["matcher"]["detail"].endswith("No space left on device")
    monkeypatch.setattr(Path, "exists", foreign)
    monkeypatch.setattr(Path, "is_dir", foreign)
    found = findings(published)
    assert {"settings", "database", "content"} <= {part for part, one in found.items() if one["is_ok"]}
    assert {part for part, one in found.items() if not one["is_ok"]} >= {"keys", "embedder"}
    assert published("check").status == 1
    assert "Permission denied" in found["keys"]["detail"]


def test_names_that_leave_out_the_public_one_are_doubted(published: CommandLine, monkeypatch) -> None:
    monkeypatch.setenv("CANONGATE_SERVER__PUBLIC_URL", "https://chat.example")
    monkeypatch.setenv("CANONGATE_SERVER__ALLOWED_HOSTS", '["gw1.internal"]')
    assert "without chat.example of server.public_url" in published("check").out
    monkeypatch.setenv("CANONGATE_SERVER__ALLOWED_HOSTS", '["gw1.internal", "chat.example"]')
    assert "chat.example of" not in published("check").out


def test_keys_that_are_missing_are_found_and_not_made(published: CommandLine) -> None:
    published("key", "create", "site")
    (published.data / "pepper").unlink()
    found = findings(published)["keys"]
    assert not found["is_ok"]
    assert "pepper: not there" in found["detail"]
    assert not (published.data / "pepper").exists()
    assert is_one_line_of_ours(published("key", "create", "other"))
