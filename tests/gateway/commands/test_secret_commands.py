"""`canongate secret` tells whose keys are there, and goes on without one that is lost when it is told to."""

import io
import json
import sys

from gateway.key_files import KEY_FILES
from tests.gateway.command_line import CommandLine, is_one_line_of_ours


def test_nothing_works_with_another_key_until_it_is_adopted(published: CommandLine, monkeypatch) -> None:
    run = published
    run("key", "create", "site")
    assert json.loads(run("secret", "show", "--json").out) == dict.fromkeys(KEY_FILES, "the database's")
    assert is_one_line_of_ours(run("secret", "adopt", "pepper", "--yes"))
    for name in ("pepper", "checkpoint-key"):
        (run.data / name).unlink()
    refused = run("key", "create", "other")
    assert is_one_line_of_ours(refused)
    assert "pepper, checkpoint-key: not there" in refused.err
    shown = run("secret", "show")
    assert shown.status == 1
    assert shown.out.count("missing") == 2
    assert "checkpoint-key: not there" in run("secret", "adopt", "pepper", "--yes").err
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert run("secret", "adopt", "pepper", "checkpoint-key").status == 130, "it asks first"
    assert not (run.data / "pepper").exists()
    adopted = run("secret", "adopt", "pepper", "checkpoint-key", "--yes")
    assert adopted.status == 0, adopted.err
    assert "all API keys made so far are refused" in adopted.err
    assert run("key", "create", "other").status == 0
    assert run("audit", "verify").status == 0
    rows = json.loads(run("audit", "show", "--json").out)
    assert [row["target"] for row in rows if row["action"] == "secret.adopted"] == [
        "secret checkpoint-key",
        "secret pepper",
    ]
