import tomllib
from pathlib import Path

import pytest
import yaml

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals import arena
from benchmarks.rivals.configured import rows
from benchmarks.rivals.contestants import WAYS, attack, load, server_of
from benchmarks.rivals.desk_colang import dialog_of
from benchmarks.rivals.messages import ATTACKS, questions
from benchmarks.rivals.servers import CONFIGURATIONS, DATA, DIALOG, OWN_DATA, SERVERS
from benchmarks.rivals.size import lines_of
from benchmarks.rivals.talking import CHILDREN
from benchmarks.rivals.venvs import ROOT
from gateway.bootstrap import open_embedder
from gateway.rail_services import rail_services
from gateway.settings import load_settings
from rails.engine import compile_policy
from rails.policy import load_policy
from rails.types import RailContext, Stage
from store.formats.bundle import read_bundle
from tests.world import PATIENT


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
    assert sent.wanted or sent.unwanted or sent.answers, "whatever comes would count as an answer"
    if way.blocked:
        assert attack(server, way, ATTACKS).wanted == list(way.blocked)


def test_there_are_more_questions_of_each_kind_than_vectors_are_remembered() -> None:
    asked = questions()
    for kind in (asked.worded, asked.verbatim, asked.exact):
        assert len(set(kind)) == len(kind) > 64


def test_the_dialog_in_the_repository_is_that_of_the_example() -> None:
    written = (DIALOG / "desk.co").read_text()
    assert written == dialog_of(read_bundle(HELPDESK).prompts), "run: python -m benchmarks.rivals.desk_colang"


def test_the_dialog_has_every_prompt_and_reads_as_colang() -> None:
    from nemoguardrails import RailsConfig  # noqa: PLC0415 - takes a second

    prompts = read_bundle(HELPDESK).prompts
    settings = yaml.safe_dump({"colang_version": "1.0", "models": []})
    read = RailsConfig.from_content(dialog_of(prompts), settings)
    known = {f"ask {prompt.key.replace('.', ' ').replace('-', ' ')}" for prompt in prompts}
    assert known <= set(read.user_messages)
    assert all(len(read.user_messages[one]) >= 5 for one in known)


def test_checks_alone_are_a_bundle_that_stops_what_the_rivals_patterns_stop() -> None:
    bundle = read_bundle(CONFIGURATIONS / "canongate" / "checks")
    services = rail_services(lambda: open_embedder(load_settings(None, {}), lambda _: None))
    policy = compile_policy(load_policy(bundle.policies["desk"]), 1, runner=PATIENT, services=services)
    asked = {text: policy.check_blocking(Stage.INPUT, text, RailContext()) for text in ATTACKS}
    assert [text for text, report in asked.items() if not report.is_blocked] == []
    assert not policy.check_blocking(Stage.INPUT, "Where do I park my car?", RailContext()).is_blocked
    assert policy.check_blocking(Stage.OUTPUT, "My SSN is 536-22-8712.", RailContext()).is_blocked


def test_one_product_is_configured_alike_wherever_it_is_asked() -> None:
    nemo, lite = CONFIGURATIONS / "nemoguardrails", CONFIGURATIONS / "litellm"
    regex, dialog = (yaml.safe_load((nemo / one / "config.yml").read_text())["rails"] for one in ("regex", "dialog"))
    assert regex["config"] == dialog["config"]
    assert regex["input"] == dialog["input"]
    plain, full = (yaml.safe_load((lite / one).read_text())["guardrails"] for one in ("filter.yaml", "full.yaml"))
    for one in (plain, full):
        assert {entry["litellm_params"]["mode"] for entry in one} == {"pre_call", "post_call"}
    shared = {(entry["litellm_params"]["mode"], str(entry["litellm_params"]["patterns"])) for entry in plain}
    assert shared == {(entry["litellm_params"]["mode"], str(entry["litellm_params"]["patterns"])) for entry in full}
    settings = (tomllib.loads(one.read_text()) for one in (CONFIGURATIONS / "canongate").glob("*.toml"))
    assert {ROOT / one["data"]["directory"] for one in settings} == set(OWN_DATA)


def test_every_configuration_and_every_program_of_a_rival_is_listed() -> None:
    listed = {file for _, _, files in rows() for file in files}
    assert [one for one in listed if not one.is_file()] == []
    unread = CONFIGURATIONS / "guardrails-ai" / "guardrailsrc"
    files = (one for one in CONFIGURATIONS.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    written = set(files) - {unread}
    programs = set(CHILDREN.glob("*.py")) - {CHILDREN / "lines.py"}
    assert (written | programs) - listed == set()


def test_lines_that_say_nothing_are_not_counted(tmp_path: Path) -> None:
    written = tmp_path / "a.toml"
    written.write_text("# why\n\n[server]\nport = 1 # here\n   \n")
    assert lines_of(written) == 2


def test_yaml_counts_alike_in_both_styles(tmp_path: Path) -> None:
    flow, block = tmp_path / "flow.yaml", tmp_path / "block.yaml"
    flow.write_text("# why\nrails: {input: [length, {links: {hosts: [a, b]}}]}\n")
    block.write_text("rails:\n  input:\n  - length\n  - links:\n      hosts:\n        - a\n\n        - b\n")
    assert lines_of(flow) == lines_of(block) == 7


def test_preparing_writes_what_configurations_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "OWN_DATA", (tmp_path / "own", tmp_path / "not yet"))
    made = tmp_path / "own" / "matcher" / "fit.bin"
    made.parent.mkdir(parents=True)
    made.touch()
    (tmp_path / "own" / "canongate.db").touch()
    (tmp_path / "own" / "checkpoints").mkdir()
    arena.prepare()
    assert [one.name for one in (tmp_path / "own").iterdir()] == ["matcher"], "an old decision is kept"
    assert made.is_file()
    assert (DATA / "helpdesk-sentences" / "policies" / "helpdesk.yaml").read_text().count(
        "streaming: checked_sentences"
    ) == 1
