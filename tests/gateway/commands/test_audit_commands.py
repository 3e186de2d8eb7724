"""`canongate audit` on a real data folder."""

import json
import sqlite3

from gateway.bootstrap import auditing_of
from gateway.opening import open_store
from gateway.settings import load_settings
from store.people import SYSTEM
from tests.gateway.command_line import CommandLine, is_one_line_of_ours


def add(count: int = 1) -> None:
    settings = load_settings()
    with open_store(settings) as store:
        for number in range(count):
            with store.database.writing() as session:
                trail = auditing_of(settings, store.database).trail
                trail.append(SYSTEM, "key.made", f"key {number}", {"number": number}, session=session)


def test_a_trail_is_shown_exported_signed_and_verified(run: CommandLine) -> None:
    add(3)
    assert "Without a checkpoint" in run("audit", "verify").out
    made = run("audit", "checkpoint")
    assert made.out == (run.data / "checkpoints").read_text().removesuffix("\n")
    assert "canongate/audit/" in made.err
    assert "says the same" in run("audit", "checkpoint").out
    assert "the first 3 proved" in run("audit", "verify").out
    lines = [json.loads(line) for line in run("audit", "export", "--after", 1).out.splitlines()]
    assert [(line["number"], line["target"], line["details"]) for line in lines] == [
        (2, "key 1", {"number": 1}),
        (3, "key 2", {"number": 2}),
    ]
    shown = run("audit", "show", "--target", "key 1")
    assert "key.made" in shown.out
    assert "key 2" not in shown.out
    assert [row["number"] for row in json.loads(run("audit", "show", "--json").out)] == [3, 2, 1]


def test_a_damaged_trail_has_another_exit_status_and_is_not_signed(run: CommandLine, tmp_path) -> None:
    add(3)
    run("audit", "checkpoint")
    copy = tmp_path / "copy"
    copy.write_bytes((run.data / "checkpoints").read_bytes())
    (run.data / "checkpoints").unlink()
    with sqlite3.connect(run.data / "canongate.db") as raw:
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute("DELETE FROM audit WHERE number = 3")
    raw.close()
    assert run("audit", "verify").status == 0
    done = run("audit", "verify", "--checkpoint", copy, "--json")
    assert done.status == 1
    assert json.loads(done.out)["fault"] == {"kind": "truncated", "row": 3, "until": 3}
    copy.rename(run.data / "checkpoints")
    assert is_one_line_of_ours(run("audit", "checkpoint"))
