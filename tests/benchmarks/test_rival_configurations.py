from pathlib import Path

import pytest
import yaml

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals.arena import prepare
from benchmarks.rivals.contestants import WAYS, attack, load, server_of
from benchmarks.rivals.desk_colang import write_dialog
from benchmarks.rivals.messages import ATTACKS, questions
from benchmarks.rivals.servers import DIALOG, SERVERS
from benchmarks.rivals.size import lines_of
from store.formats.bundle import read_bundle


def test_each_server_has_a_port_and_a_configuration_of_its_own() -> None:
    assert len({one.port for one in SERVERS}) == len(SERVERS)
    assert [one.name for one in SERVERS if not one.configuration.exists()] == []


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.name)
def test_a_way_asks_its_server_and_tells_answers_apart(way, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    server = server_of(way)
    monkeypatch.setattr(type(server), "bearer", lambda _: "key")
    sent = load(server, way, ["Where do I park?"])
    assert sent.port == server.port
    assert "Where do I park?" in sent.bodies[0]
    assert sent.wanted or sent.unwanted, "whatever comes would count as an answer"
    if way.blocked:
        assert attack(server, way, ATTACKS).wanted == list(way.blocked)


def test_there_are_more_questions_of_each_kind_than_vectors_are_remembered() -> None:
    asked = questions()
    for kind in (asked.worded, asked.verbatim, asked.exact):
        assert len(set(kind)) == len(kind) > 64


def test_the_dialog_has_every_prompt_and_reads_as_colang(tmp_path: Path) -> None:
    from nemoguardrails import RailsConfig  # noqa: PLC0415 - takes a second

    prompts = read_bundle(HELPDESK).prompts
    settings = yaml.safe_dump({"colang_version": "1.0", "models": []})
    write_dialog(prompts, settings, tmp_path)
    read = RailsConfig.from_path(str(tmp_path))
    known = {f"ask {prompt.key.replace('.', ' ').replace('-', ' ')}" for prompt in prompts}
    assert known <= set(read.user_messages)
    assert all(len(read.user_messages[one]) >= 5 for one in known)


def test_lines_that_say_nothing_are_not_counted(tmp_path: Path) -> None:
    written = tmp_path / "a.toml"
    written.write_text("# why\n\n[server]\nport = 1 # here\n   \n")
    assert lines_of(written) == 2


def test_preparing_writes_what_configurations_name() -> None:
    prepare()
    assert (DIALOG / "desk.co").is_file()
    assert (DIALOG.parent / "helpdesk-sentences" / "policies" / "helpdesk.yaml").read_text().count(
        "streaming: checked_sentences"
    ) == 1
