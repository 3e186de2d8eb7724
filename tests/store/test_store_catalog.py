import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text
from store_content import AT, assistant, bundle, prompt

from store.catalog import live_revision, load_catalog, publish_bundle
from store.database import open_database
from store.errors import Conflict, InvalidContent, NotFound, StoreUnavailable
from store.formats.bundle import read_bundle, write_bundle
from store.repositories.policies import Policies
from store.repositories.prompts import Prompts

EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk"


def publish(database, content, **options):
    return publish_bundle(database, content, author="tests", now=AT, **options)


def test_an_empty_store_is_revision_zero(database):
    catalog = load_catalog(database)
    assert (catalog.revision, dict(catalog.prompts), dict(catalog.assistants)) == (0, {}, {})
    assert live_revision(database) == 0


def test_a_publish_makes_everything_live_at_one_revision(database):
    content = bundle(prompt(), prompt("it.mail", counterexamples=["b", "a"], follows=["it.vpn"], follow_ups=["and?"]))
    report = publish(database, content, note="first")
    assert (report.revision, report.changed, report.unchanged, report.removed) == (1, (), (), ())
    assert report.added == ("assistant desk", "policy plain", "prompt it.mail", "prompt it.vpn")
    catalog = load_catalog(database)
    assert catalog.revision == live_revision(database) == 1
    assert {version.content for version in catalog.prompts.values()} == set(content.prompts)
    assert [version.number for version in catalog.prompts.values()] == [1, 1]
    assert catalog.assistants["desk"] == content.assistants[0]
    assert catalog.policies["plain"].document == content.policies["plain"]
    assert catalog.policies["plain"].revision == 1


def test_publishing_the_same_again_changes_nothing(database):
    publish(database, bundle(prompt(audience="everyone")))
    again = publish(database, load_catalog(database).to_bundle())
    assert (again.revision, again.has_changes, len(again.unchanged)) == (1, False, 3)
    assert live_revision(database) == 1


def test_a_change_makes_a_new_version_and_keeps_the_old_one(database):
    publish(database, bundle())
    before = load_catalog(database).content_hash
    report = publish(database, bundle(prompt(title="Another title"), policies={"plain": {"limit": 2}}))
    assert report.changed == ("policy plain", "prompt it.vpn")
    catalog = load_catalog(database)
    assert (catalog.revision, catalog.prompts["it.vpn"].number) == (2, 2)
    assert catalog.content_hash != before
    assert Prompts(database).version("it.vpn", 1).content == prompt()
    assert [version.number for version in Prompts(database).versions("it.vpn")] == [1, 2]
    assert Policies(database).at_revision("plain", 1).document["limit"] == 0.5
    assert catalog.policies["plain"].revision == 2


def test_what_the_bundle_does_not_name_stays_unless_asked(database):
    publish(database, bundle(prompt(), prompt("it.old")))
    assert publish(database, bundle(prompt())).has_changes is False
    report = publish(database, bundle(prompt()), remove_missing=True)
    assert report.removed == ("prompt it.old",)
    assert list(load_catalog(database).prompts) == ["it.vpn"]
    assert Prompts(database).version("it.old", 1).key == "it.old"
    back = publish(database, bundle(prompt("it.old")))
    assert back.added == ("prompt it.old",)
    assert load_catalog(database).prompts["it.old"].number == 1


def test_assistants_and_policies_can_be_removed_and_come_back(database):
    two = bundle(assistants=(assistant(), assistant("b", policy="other")), policies={"plain": {}, "other": {}})
    publish(database, two)
    assert publish(database, bundle(), remove_missing=True).removed == ("assistant b", "policy other")
    assert list(load_catalog(database).policies) == ["plain"]
    with pytest.raises(NotFound):
        Policies(database).at_revision("other", 2)
    publish(database, two)
    assert load_catalog(database).policies["other"].revision == 3


def test_a_dry_run_reports_and_writes_nothing(database):
    report = publish(database, bundle(), dry_run=True)
    assert (report.revision, len(report.added), report.is_dry_run) == (0, 3, True)
    assert load_catalog(database).revision == 0
    with pytest.raises(InvalidContent):
        publish(database, bundle(policies={}), dry_run=True)


def test_the_checks_run_on_what_would_be_live_afterwards(database):
    publish(database, bundle(prompt(), prompt("it.mail", phrasings=["mailbox full"])))
    with pytest.raises(InvalidContent, match=r"prompts/it/b.yaml: phrasings\[0\].*it.mail"):
        publish(database, bundle(prompt("it.b", phrasings=["Mailbox full?"])))
    with pytest.raises(InvalidContent, match="no prompt is in area it"):
        publish(database, bundle(prompt("hr.a")), remove_missing=True)
    assert load_catalog(database).revision == 1


def test_a_failure_halfway_leaves_the_revision_before(database, monkeypatch):
    publish(database, bundle())

    def broken(*_args, **_options):
        raise Conflict("invented")

    monkeypatch.setattr(Policies, "add", broken)
    with pytest.raises(Conflict):
        publish(database, bundle(prompt(title="New"), policies={"plain": {"new": 1}}))
    catalog = load_catalog(database)
    assert (catalog.revision, catalog.prompts["it.vpn"].number) == (1, 1)
    with pytest.raises(NotFound):
        Prompts(database).version("it.vpn", 2)


@pytest.mark.parametrize("table", ["prompt_versions", "phrasings"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_a_version(database, table, statement):
    publish(database, bundle())
    column = "title = 'x'" if table == "prompt_versions" else "text = 'x'"
    with pytest.raises(Conflict) as refused, database.writing() as session:
        session.execute(text(statement.format(table, column)))
    assert "never change" in str(refused.value.__cause__)


def test_replace_does_not_get_round_the_trigger(sqlite_database):
    publish(sqlite_database, bundle())
    with pytest.raises(Conflict) as refused, sqlite_database.writing() as session:
        session.execute(text("INSERT OR REPLACE INTO phrasings SELECT * FROM phrasings"))
    assert "never change" in str(refused.value.__cause__)


def test_a_sentence_slipped_in_beside_the_triggers_is_noticed(database):
    publish(database, bundle())
    with database.writing() as session:
        session.execute(
            text(
                "INSERT INTO phrasings (prompt_id, version, kind, position, text, canonical) "
                "SELECT prompt_id, version, kind, 99, 'slipped in', 'slipped in' FROM phrasings"
            )
        )
    with pytest.raises(InvalidContent, match="was altered in the database"):
        load_catalog(database)


def test_a_live_version_that_is_not_there_is_an_error(database):
    publish(database, bundle())
    with database.writing() as session:
        session.execute(text("UPDATE prompts SET live_version = 9"))
    with pytest.raises(InvalidContent, match="is not in the database"):
        load_catalog(database)


def test_an_assistant_that_is_not_valid_any_more_is_an_error(database):
    publish(database, bundle())
    with database.writing() as session:
        session.execute(text("UPDATE assistants SET document = '{\"name\": 1}'"))
    with pytest.raises(InvalidContent, match="assistant desk in the database is not valid"):
        load_catalog(database)


def test_a_reader_sees_the_state_before_or_after_a_publish_and_no_mixture(database):
    publish(database, bundle())
    with database.reading() as session:
        assert len(Prompts(database).live(session)) == 1
        publish(database, bundle(prompt(), prompt("it.b")))
        assert len(Prompts(database).live(session)) == 1
    assert len(Prompts(database).live()) == 2


def test_a_publish_while_another_writes_is_refused_in_time_and_not_half_done(sqlite_url, sqlite_database):
    impatient = open_database(sqlite_url + "?timeout=0.1")
    with impatient.reading() as session:
        session.execute(text("PRAGMA busy_timeout=100"))
    with sqlite_database.writing() as session:
        session.execute(text("DELETE FROM assistants"))
        with pytest.raises(StoreUnavailable, match="locked"):
            publish(impatient, bundle())
    impatient.close()
    assert load_catalog(sqlite_database).revision == 0


def test_the_example_store_comes_back_from_the_database_as_it_was_written(sqlite_database, tmp_path):
    example = read_bundle(EXAMPLE)
    publish(sqlite_database, example)
    catalog = load_catalog(sqlite_database)
    write_bundle(catalog.to_bundle(), tmp_path / "out")
    back = read_bundle(tmp_path / "out")
    assert (back.prompts, back.assistants, back.policies) == (example.prompts, example.assistants, example.policies)


NURSERY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from store_content import bundle, prompt
from store.catalog import live_revision, publish_bundle
from store.database import open_database

def publish_until_killed(url):
    database = open_database(url)
    start = live_revision(database)
    for n in range(start + 1, start + 10**6):
        prompts = [prompt(f"it.p{letter}", title=f"Title {n}") for letter in "abcdefgh"]
        done = publish_bundle(database, bundle(*prompts, policies={"plain": {"number": n}}), author="tests")
        os.write(1, b"%d\\n" % done.revision)  # one write: a kill leaves a whole line or none

for _ in sys.stdin:
    if not (child := os.fork()):
        publish_until_killed(sys.argv[2])
    print("born", child, flush=True)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


def test_kill_9_during_a_publish_leaves_no_half_published_revision(sqlite_url, sqlite_database):
    arguments = [sys.executable, "-c", NURSERY, str(Path(__file__).parent), sqlite_url]
    dice, confirmed = Random(3), 0  # noqa: S311 -- chooses where to break things
    with subprocess.Popen(  # noqa: S603 -- our own script
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=EXAMPLE.parents[1], text=True
    ) as nursery:
        for _ in range(20):
            print("next", file=nursery.stdin, flush=True)
            while not (line := nursery.stdout.readline()).startswith("born"):
                confirmed = int(line)
            confirmed = int(nursery.stdout.readline())  # it publishes, however busy the machine is
            time.sleep(dice.random() / 10)
            os.kill(int(line.split()[1]), signal.SIGKILL)
            while (line := nursery.stdout.readline()) != "dead\n":
                confirmed = int(line)
            catalog = load_catalog(sqlite_database)
            assert catalog.revision >= confirmed
            if catalog.revision:
                number = catalog.policies["plain"].document["number"]
                assert {one.content.title for one in catalog.prompts.values()} == {f"Title {number}"}
                assert len(catalog.prompts) == 8
                assert catalog.policies["plain"].revision == catalog.revision
        nursery.stdin.close()
    assert confirmed > 0
