"""Import and export: all of a folder is checked before any of it is live, and what is live can be written again."""

import json
from functools import partial
from pathlib import Path

import pytest
import yaml

from gateway import content
from gateway.activation import Meant
from gateway.content import export_live
from gateway.prompt_sampling import sampling_of
from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.errors import PolicyInvalid
from rails.fakes import InProcessSandbox
from store.catalog import live_revision, load_catalog
from store.database import open_database
from store.errors import InvalidContent
from store.formats.bundle import read_bundle
from tests.building import ALARM, ASSISTANT, HOURS, POLICY, PROMPTS, RESET, SECRET_DESK
from tests.gateway.content_files import write_content
from tests.migrated import migrate_new
from tests.rails.dialog_policies import GREETING, SERVICES

import_folder = partial(content.import_folder, sandbox=InProcessSandbox())
EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk"


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'data' / 'store.db'}"
    migrate_new(url)
    opened = open_database(url)
    yield opened
    opened.close()


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.yaml"))}


def test_an_import_makes_everything_live(database, tmp_path):
    report = import_folder(database, write_content(tmp_path / "in"), note="first")
    assert (report.revision, report.is_dry_run) == (1, False)
    assert set(report.added) >= {"prompt it.reset", "assistant helpdesk", "policy desk"}
    assert set(load_catalog(database).prompts) == {document["key"] for document in PROMPTS}


def test_a_dry_run_says_the_same_and_writes_nothing(database, tmp_path):
    folder = write_content(tmp_path / "in")
    report = import_folder(database, folder, dry_run=True)
    assert (report.is_dry_run, report.revision, live_revision(database)) == (True, 0, 0)
    assert report.added == import_folder(database, folder).added


def test_what_is_exported_is_what_was_imported(database, tmp_path):
    given = write_content(tmp_path / "in")
    import_folder(database, given)
    assert export_live(database, tmp_path / "out") == len(PROMPTS)
    assert files(tmp_path / "out") == files(given)
    again = import_folder(database, tmp_path / "out")
    assert (again.has_changes, again.revision) == (False, 1)


def test_the_example_comes_back_equal(database, tmp_path):
    import_folder(database, EXAMPLE, services=rail_services(FakeEmbedder))
    export_live(database, tmp_path / "out")
    given, written = read_bundle(EXAMPLE), read_bundle(tmp_path / "out")
    assert (written.prompts, written.assistants, written.policies) == (given.prompts, given.assistants, given.policies)


def test_missing_prompts_stay_unless_told_otherwise(database, tmp_path):
    import_folder(database, write_content(tmp_path / "all"))
    # the assistant suggests it.reset, so this one is kept
    fewer = write_content(tmp_path / "fewer", RESET)
    assert import_folder(database, fewer).removed == ()
    assert len(load_catalog(database).prompts) == len(PROMPTS)
    assert "prompt it.alarm" in import_folder(database, fewer, remove_missing=True).removed
    assert set(load_catalog(database).prompts) == {"it.reset"}


PLAIN = {**POLICY, "refusals": {"en": {"default": "No."}}}


def pattern(deny: str, example: str, passes: str) -> dict[str, object]:
    return {"rail": "pattern", "deny": [{"name": "x", "pattern": deny, "example": example}], "passes": passes}


BAD_POLICIES = {
    "No rail stands under `output`": {**PLAIN, "output": []},
    "There is no rail `lenght`": {**PLAIN, "input": [{"rail": "lenght"}]},
    "has no parameter `max_char`": {**PLAIN, "input": [{"rail": "length", "max_char": 5}]},
    "has no `default` text": {**POLICY, "refusals": {"en": {"injection": "No."}}},
    "does not find its own example": {**PLAIN, "input": [pattern("aaa", "bbb", "fine")]},
}


@pytest.mark.parametrize(("words", "policy"), BAD_POLICIES.items())
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_policy_that_is_not_one_changes_nothing(database, tmp_path, words, policy, dry_run):
    with pytest.raises(PolicyInvalid, match=rf"policies/desk\.yaml: .*{words}"):
        import_folder(database, write_content(tmp_path / "in", policy=policy), dry_run=dry_run)
    assert live_revision(database) == 0
    assert load_catalog(database).prompts == {}


FORM = (
    '{"type": "object", "properties": {"page": {"type": "null"}}, "required": ["page"], "additionalProperties": false}'
)


def worded(**sampling):
    return {**RESET, "reply": {**RESET["reply"], "sampling": sampling}}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        ({"grammar": "root ::= yes"}, "yes"),
        ({"grammar": "root ::= root"}, "root"),
        ({"grammar": "day ::= [a-z]"}, "root"),
        ({"grammar": 'root ::= "a"{2000} | "b"{2000}' * 30}, "grammar"),
        ({"grammar": 'root ::= "\0"'}, "NUL"),
        ({"temperature": 1e-30}, "temperature"),
        ({"answer_schema": '{"type": "string"}'}, "answer_schema"),
        ({"answer_schema": FORM}, "the fallback takes an answer's place"),
        ({"answer_schema": FORM, "grammar": 'root ::= "a"'}, "leave one out"),
    ],
)
def test_a_prompt_that_no_model_could_answer_changes_nothing(database, tmp_path, sampling, words, dry_run):
    with pytest.raises(InvalidContent, match=rf"(?s)prompts/it/reset\.yaml: reply\.sampling: it\.reset .*{words}"):
        import_folder(database, write_content(tmp_path / "in", worded(**sampling)), dry_run=dry_run)
    assert live_revision(database) == 0


@pytest.mark.parametrize(
    "sampling", [{"stop": [""]}, {"stop": ["a"] * 5}, {"stop": ["a" * 65]}, {"grammar": "x" * 4097}]
)
def test_settings_out_of_range_are_told_by_their_field(database, tmp_path, sampling):
    folder = write_content(tmp_path / "in")
    (folder / "prompts/it/reset.yaml").write_text(json.dumps(worded(**sampling)))
    with pytest.raises(InvalidContent, match=rf"prompts/it/reset\.yaml.*{next(iter(sampling))}"):
        import_folder(database, folder)


def test_stop_texts_and_a_grammar_reach_the_model_and_come_back_from_an_export(database, tmp_path):
    grammar = 'root ::= "The office opens at " [0-9]{2} ":00."\n'
    import_folder(database, write_content(tmp_path / "in", worded(stop=["\n", "###"], grammar=grammar)))
    [reply] = [one.content.reply for one in load_catalog(database).prompts.values()]
    sampling = sampling_of(reply.sampling, 9)
    assert (sampling.stop, sampling.grammar, sampling.max_tokens) == (("\n", "###"), grammar, 9)
    export_live(database, tmp_path / "out")
    assert files(tmp_path / "out") == files(tmp_path / "in")


def test_a_policy_that_fails_its_probes_changes_nothing(database, tmp_path):
    import_folder(database, write_content(tmp_path / "good"))
    policy = {**PLAIN, "input": [{"rail": "toxicity", "words": ["the"]}]}
    changed = {**RESET, "title": "Another title"}
    with pytest.raises(PolicyInvalid, match=r"policies/desk\.yaml: .*example that it must let pass"):
        import_folder(database, write_content(tmp_path / "bad", changed, policy=policy))
    catalog = load_catalog(database)
    assert (catalog.revision, catalog.prompts["it.reset"].content.title) == (1, RESET["title"])
    assert catalog.policies["desk"].document == POLICY


def test_a_policy_that_nobody_uses_is_asked_about(database, tmp_path):
    folder = write_content(tmp_path / "in")
    (folder / "policies" / "dekc.yaml").write_text(yaml.safe_dump({**PLAIN, "name": "dekc"}))
    with pytest.raises(PolicyInvalid, match=r"policies/dekc\.yaml: no assistant uses a policy 'dekc'"):
        import_folder(database, folder)
    assert live_revision(database) == 0
    assert "policy dekc" in import_folder(database, folder, meant=Meant(unused=True)).added


def test_a_lost_test_that_now_fares_otherwise_is_asked_about(database, tmp_path):
    tests = [{"text": "How do I get into my account again after the holidays?", "stage": "input", "expect": "blocked"}]
    short = {**PLAIN, "input": [{"rail": "length", "max_chars": 40}, {"rail": "injection"}], "tests": tests}
    import_folder(database, write_content(tmp_path / "in", policy=short))
    longer = {**PLAIN, "input": [{"rail": "length", "max_chars": 400}, {"rail": "injection"}]}
    folder = write_content(tmp_path / "longer", policy=longer)
    with pytest.raises(PolicyInvalid, match="--without-live-tests"):
        import_folder(database, folder)
    assert import_folder(database, folder, meant=Meant(without_live_tests=True)).changed == ("policy desk",)


def test_every_mistake_of_every_file_is_told(database, tmp_path):
    folder = write_content(tmp_path / "in")
    (folder / "prompts/it/reset.yaml").write_text("key: it.reset\n")
    (folder / "prompts/it/hours.yaml").write_text("[")
    with pytest.raises(InvalidContent) as stopped:
        import_folder(database, folder)
    assert "prompts/it/reset.yaml" in str(stopped.value)
    assert "prompts/it/hours.yaml" in str(stopped.value)
    assert live_revision(database) == 0


def test_an_export_does_not_overwrite_somebody_elses_folder(database, tmp_path):
    import_folder(database, write_content(tmp_path / "in"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(InvalidContent, match="not empty"):
        export_live(database, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


ELSEWHERE = "Look at https://evil.example/now."


def answering(document, **reply):
    return {**document, "reply": {**document["reply"], **reply}}


BAD_TEXTS = {
    "verbatim": ("prompts/it/alarm.yaml: reply.answer:", answering(ALARM, answer=ELSEWHERE)),
    "handoff": ("prompts/it/person.yaml: reply.answer:", answering(SECRET_DESK, answer=ELSEWHERE)),
    "fallback": ("prompts/it/reset.yaml: reply.fallback:", answering(RESET, fallback=ELSEWHERE)),
    "with a blank": ("prompts/it/hours.yaml: reply.fallback:", answering(HOURS, fallback="{site}: " + ELSEWHERE)),
}


@pytest.mark.parametrize(("place", "document"), BAD_TEXTS.values(), ids=BAD_TEXTS)
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_approved_text_that_could_never_be_shown_changes_nothing(database, tmp_path, place, document, dry_run):
    others = [one for one in PROMPTS if one["key"] != document["key"]]
    with pytest.raises(InvalidContent) as stopped:
        import_folder(database, write_content(tmp_path / "in", *others, document), dry_run=dry_run)
    (line,) = str(stopped.value).splitlines()
    assert line.startswith(f"{place} the rail urls of policy desk stops it (urls.")
    assert live_revision(database) == 0


def test_what_an_assistant_says_must_pass_its_own_policy(database, tmp_path):
    folder = write_content(tmp_path / "in")
    path = folder / "assistants" / "helpdesk.yaml"
    path.write_text(path.read_text().replace(ASSISTANT["texts"]["no_match"], ELSEWHERE))
    with pytest.raises(InvalidContent, match=r"^assistants/helpdesk\.yaml: texts\.no_match: the rail urls"):
        import_folder(database, folder)


def test_a_fallback_must_also_pass_below_the_words_that_stand_above_it(database, tmp_path):
    policy = {**PLAIN, "output": [pattern(r"text:\s+two", "text: two", "two")]}
    for fallback in ("one", "two"):
        write_content(tmp_path / fallback, answering(RESET, fallback=fallback), policy=policy)
    import_folder(database, tmp_path / "one", dry_run=True)
    with pytest.raises(InvalidContent, match=r"reply\.fallback: the rail pattern"):
        import_folder(database, tmp_path / "two", dry_run=True)


def test_a_stricter_policy_is_tried_on_what_is_live_already(database, tmp_path):
    import_folder(database, write_content(tmp_path / "all"))
    strict = {**POLICY, "output": [{"rail": "urls", "hosts": ["elsewhere.example"]}]}
    kept = {**ALARM, "key": "it.other", "phrasings": ["The other alarm rings"]}
    with pytest.raises(InvalidContent, match=r"prompts/it/reset\.yaml: reply\.fallback: the rail urls"):
        import_folder(database, write_content(tmp_path / "strict", kept, policy=strict))
    assert load_catalog(database).policies["desk"].document == POLICY


COLANG = f'define flow off topic\n  user other message\n  bot stay\n\ndefine bot stay\n  "{ELSEWHERE}"\n'
BAD_DIALOGS = {
    r"dialog\.topics\[0\]\.replies\.en": {"topics": [{**GREETING, "replies": {"en": ["Hello.", ELSEWHERE]}}]},
    r"dialog\.colang": {"topics": [{**GREETING, "replies": {"en": ["Hello."]}}], "colang": COLANG},
}


@pytest.mark.parametrize(("place", "dialog"), BAD_DIALOGS.items(), ids=["a reply", "an expert's text"])
def test_a_dialogs_reply_must_pass_its_own_policy(database, tmp_path, place, dialog):
    folder = write_content(tmp_path / "in", policy={**POLICY, "dialog": {"limit": 0.8, **dialog}})
    with pytest.raises(InvalidContent, match=rf"^policies/desk\.yaml: {place}: the rail urls"):
        import_folder(database, folder, services=SERVICES)
    assert live_revision(database) == 0


def test_a_dialog_that_nothing_can_be_near_to_changes_nothing(database, tmp_path):
    folder = write_content(tmp_path / "in", policy={**POLICY, "dialog": {"limit": 0.8, "topics": [GREETING]}})
    with pytest.raises(PolicyInvalid, match="embedder"):
        import_folder(database, folder)
    assert live_revision(database) == 0
