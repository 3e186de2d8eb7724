"""The operator's pages: their settings and their commands work as they are printed, one after the other."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.examples import DOCS, commands_of
from tests.gateway.command_line import CommandLine
from tests.gateway.guides.code_blocks import blocks_of

PAGES = ("install", "people", "records", "incidents")
KEY = "Ab3dE6gH"
"""Where a reader has the id of a key that `key list` showed."""


def test_the_pages_that_have_commands_are_those_that_are_run() -> None:
    pages = {path.stem for path in (DOCS / "operating").glob("*.md") if commands(path.stem)}
    assert pages == set(PAGES)


def commands(page: str) -> list[list[str]]:
    found = [
        words
        for block in blocks_of(page, DOCS / "operating")
        if block.language == "sh"
        for words in commands_of(block.code)
    ]
    return [words for words in found if words[0] == "canongate"]


def test_an_operator_gets_through_the_pages(
    run: CommandLine, content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "operating" / "install.md").read_text()
    written = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert written is not None
    settings = tmp_path / "canongate.toml"
    settings.write_text(written[1].replace("/var/lib/canongate", str(run.data)))
    monkeypatch.delenv("CANONGATE_DATA__DIRECTORY")
    monkeypatch.setenv("CANONGATE_CONFIG", str(settings))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "backups").mkdir()

    for name in PAGES:
        for words in commands(name):
            done = run(*(_real(run, word, tmp_path) for word in words[1:]))
            assert done.status == 0, f"{name}: {' '.join(words)}: {done}"
        if name == "install":  # with what the page says that has to be there then
            assert run("import", content).status == 0
    assert not (tmp_path / "var").exists(), "a command went past the settings"


def test_a_prompt_that_must_go_now_is_gone_at_the_end_of_the_page_on_incidents(
    published: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (told,) = [one for one in blocks_of("incidents", DOCS / "operating") if one.heading == "A prompt must go now"]
    for words in commands_of(told.code.replace("vpn-slow", "alarm")):
        if words[0] == "rm":
            Path(words[1]).unlink()
        else:
            last = published(*words[1:])
            assert last.status == 0, f"{' '.join(words)}: {last}"
    assert re.search(r"^ +removed +prompt it\.alarm$", last.out, re.MULTILINE)
    assert " 0 new, 0 changed, 1 removed" in last.out


def _real(run: CommandLine, word: str, folder: Path) -> str:
    if word == KEY:
        return str(json.loads(run("key", "list", "--json").out)[0]["id"])
    if word == "/mnt/elsewhere/checkpoints":
        assert run("audit", "checkpoint").status == 0
        copy = folder / "checkpoints"
        copy.write_bytes((run.data / "checkpoints").read_bytes())
        return str(copy)
    return word.replace("/mnt/backups", f"{folder}/backups")
