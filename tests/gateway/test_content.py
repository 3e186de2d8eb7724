"""Import and export: all of a folder is checked before any of it is live, and what is live can be written again."""

from pathlib import Path

import pytest
from content_files import write_content

from gateway.content import export_live, import_folder
from rails.errors import PolicyInvalid, ProbeFailed
from store.catalog import live_revision, load_catalog
from store.database import migrate, open_database
from store.errors import InvalidContent
from store.formats.bundle import read_bundle
from tests.building import POLICY, PROMPTS, RESET

EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk"


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'data' / 'store.db'}"
    migrate(url)
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
    import_folder(database, EXAMPLE)
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
    "needs at least one rail": {**PLAIN, "output": []},
    "there is no rail 'lenght'": {**PLAIN, "input": [{"rail": "lenght"}]},
    "'max_char' is not known": {**PLAIN, "input": [{"rail": "length", "max_char": 5}]},
    "Add `default`": {**POLICY, "refusals": {"en": {"injection": "No."}}},
    "does not occur in its own example": {**PLAIN, "input": [pattern("aaa", "bbb", "fine")]},
}


@pytest.mark.parametrize(("words", "policy"), BAD_POLICIES.items())
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_policy_that_is_not_one_changes_nothing(database, tmp_path, words, policy, dry_run):
    with pytest.raises(PolicyInvalid, match=words):
        import_folder(database, write_content(tmp_path / "in", policy=policy), dry_run=dry_run)
    assert live_revision(database) == 0
    assert load_catalog(database).prompts == {}


def test_a_policy_that_fails_its_probes_changes_nothing(database, tmp_path):
    import_folder(database, write_content(tmp_path / "good"))
    policy = {**PLAIN, "input": [pattern("password", "my password", "How do I reset my password?")]}
    changed = {**RESET, "title": "Another title"}
    with pytest.raises(ProbeFailed, match="probe"):
        import_folder(database, write_content(tmp_path / "bad", changed, policy=policy))
    catalog = load_catalog(database)
    assert (catalog.revision, catalog.prompts["it.reset"].content.title) == (1, RESET["title"])
    assert catalog.policies["desk"].document == POLICY


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
