"""Keys and content on the command line: what is made is shown once, what is wrong changes nothing."""

import datetime as dt
import json
import re
import stat
from pathlib import Path

import pytest

from gateway.credentials import KeyRing, load_pepper
from store.database import open_database
from store.formats.bundle import read_bundle
from store.repositories.keys import Keys
from tests.building import PROMPTS, RESET
from tests.gateway.command_line import cells, is_one_line_of_ours
from tests.gateway.content_files import write_content

ROOT = Path(__file__).parents[3]


def test_a_key_is_shown_once_and_works(published):
    run = published
    done = run("key", "create", "intranet", "--assistant", "helpdesk", "--days", "2")
    assert re.fullmatch(r"cg_[A-Za-z0-9]{8}_[A-Za-z0-9]{43}\n", done.out)
    assert "only time" in done.err
    token = done.out.strip()
    listed = run("key", "list")
    assert token not in listed.out
    assert token.rpartition("_")[2] not in listed.out
    (row,) = json.loads(run("key", "list", "--json").out)
    assert (row["id"], row["name"]) == (token.split("_")[1], "intranet")
    assert (row["scopes"], row["assistants"], row["revoked_at"]) == (["chat"], ["helpdesk"], None)
    lifetime = dt.datetime.fromisoformat(row["expires_at"]) - dt.datetime.fromisoformat(row["created_at"])
    assert lifetime == dt.timedelta(days=2)
    assert stat.S_IMODE((run.data / "pepper").stat().st_mode) == 0o600


def test_a_key_is_made_as_json_and_with_the_debug_scope(published):
    made = json.loads(published("key", "create", "tool", "--debug", "--json").out)
    (row,) = json.loads(published("key", "list", "--json").out)
    assert (row["id"], row["scopes"], row["expires_at"]) == (made["id"], ["chat", "debug"], None)
    assert made["key"].startswith(f"cg_{made['id']}_")
    assert KeyRing(
        Keys(open_database(f"sqlite:///{published.data / 'canongate.db'}")),
        load_pepper(published.data / "pepper"),
        requests_per_minute=1,
    ).principal(made["key"])


def test_a_key_gets_the_scope_for_checks_only_when_asked(published):
    published("key", "create", "tool", "--checks")
    published("key", "create", "site")
    assert [row["scopes"] for row in json.loads(published("key", "list", "--json").out)] == [
        ["chat", "checks"],
        ["chat"],
    ]


def test_keys_are_listed_for_people(published):
    published("key", "create", "intranet", "--days", "2")
    published("key", "create", "tool", "--assistant", "helpdesk")
    out = cells(published("key", "list").out)
    assert re.search(r"intranet +chat +all +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d", out)
    assert re.search(r"tool +chat +helpdesk +\d{4}-\d\d-\d\d +never", out)


def test_in_a_narrow_terminal_ids_and_dates_stay_whole(published, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    name = "the intranet of the department of long department names " * 3
    key_id = json.loads(
        published("key", "create", name, "--assistant", "helpdesk", "--debug", "--days", "9", "--json").out
    )["id"]
    published("key", "revoke", key_id)
    lines = published("key", "list").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    (row,) = [line for line in lines if key_id in line]
    assert len(re.findall(r"\b\d{4}-\d\d-\d\d\b", row)) == 3


@pytest.mark.parametrize("name", ["", "  "])
def test_a_key_without_a_name_is_refused(published, name):
    done = published("key", "create", name)
    assert done.status == 2
    assert "Invalid value for NAME: it is empty" in done.err
    assert json.loads(published("key", "list", "--json").out) == []


def test_a_key_for_an_assistant_that_is_not_live_is_refused(published):
    done = published("key", "create", "intranet", "--assistant", "helpdesk", "--assistant", "helpdsk")
    assert done.status == 2
    assert "'helpdsk' is not live. Live: helpdesk." in done.err
    assert json.loads(published("key", "list", "--json").out) == []


def test_a_key_is_revoked_once_and_stays_listed(published):
    key_id = json.loads(published("key", "create", "intranet", "--json").out)["id"]
    assert published("key", "revoke", key_id).out == f"Key {key_id} is revoked.\n"
    (before,) = json.loads(published("key", "list", "--json").out)
    assert before["revoked_at"] is not None
    assert published("key", "revoke", key_id).status == 0
    assert json.loads(published("key", "list", "--json").out) == [before]
    assert re.search(r"never +\d{4}-\d\d-\d\d", cells(published("key", "list").out))


@pytest.mark.parametrize("days", ["0", "-1", "3651", "many"])
def test_a_lifetime_out_of_bounds_is_refused(published, days):
    assert published("key", "create", "intranet", "--days", days).status == 2
    assert json.loads(published("key", "list", "--json").out) == []


def test_a_pepper_that_others_can_read_stops_the_making_of_keys(published):
    published("key", "create", "intranet")
    (published.data / "pepper").chmod(0o644)
    done = published("key", "create", "another")
    assert is_one_line_of_ours(done)
    assert "chmod 600" in done.err
    (published.data / "pepper").chmod(0o600)
    assert len(json.loads(published("key", "list", "--json").out)) == 1


def test_an_import_tells_what_became_live(run, content):
    done = run("import", content)
    assert re.search(r"^ +new  prompt it\.reset$", done.out, re.MULTILINE)
    assert done.out.endswith(f"Live: revision 1: {len(PROMPTS) + 2} new, 0 changed, 0 removed, 0 unchanged.\n")
    assert (
        run("import", content).out == f"Live: revision 1: 0 new, 0 changed, 0 removed, {len(PROMPTS) + 2} unchanged.\n"
    )


def test_a_dry_run_writes_nothing(run, content):
    done = run("import", content, "--dry-run")
    assert done.out.endswith(f"Would publish: {len(PROMPTS) + 2} new, 0 changed, 0 removed, 0 unchanged.\n")
    report = json.loads(run("import", content, "--dry-run", "--json").out)
    assert (report["is_dry_run"], report["revision"], len(report["added"])) == (True, 0, len(PROMPTS) + 2)


def test_an_import_as_json_and_with_removal(published, tmp_path):
    fewer = write_content(tmp_path / "fewer", {**RESET, "title": "Another title"})
    report = json.loads(published("import", fewer, "--remove-missing", "--note", "why", "--json").out)
    assert (report["revision"], report["changed"]) == (2, ["prompt it.reset"])
    assert "prompt it.alarm" in report["removed"]


def test_test_sets_are_imported_and_taken_away_like_everything_else(published, content):
    suite = content / "suites" / "known.yaml"
    suite.parent.mkdir()
    suite.write_text("{name: known, title: Known, cases: [{id: a, kind: a, message: hi, expect: no_match}]}")
    assert json.loads(published("import", content, "--json").out)["added"] == ["suite known"]
    suite.unlink()
    assert json.loads(published("import", content, "--json").out)["removed"] == []
    report = json.loads(published("import", content, "--remove-missing", "--json").out)
    assert report["removed"] == ["suite known"]


def test_every_mistake_of_a_folder_is_a_line(run, content):
    (content / "prompts/it/reset.yaml").write_text("key: it.reset\n")
    (content / "prompts/it/hours.yaml").write_text("[")
    done = run("import", content)
    assert done.status == 1
    assert len(done.err.splitlines()) == 2
    assert "prompts/it/reset.yaml" in done.err
    assert "Traceback" not in done.err


def test_an_export_can_be_imported(published, content, tmp_path):
    done = published("export", tmp_path / "out")
    assert done.out == f"Wrote {len(PROMPTS)} prompts to {tmp_path / 'out'}.\n"
    assert read_bundle(tmp_path / "out") == read_bundle(content)
    assert " 0 new, 0 changed" in published("import", tmp_path / "out").out


def test_an_export_into_somebody_elses_folder_is_refused(published, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    assert is_one_line_of_ours(published("export", tmp_path / "mine"))
