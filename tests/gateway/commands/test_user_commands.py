"""People on the command line: made with a token, given roles, kept out."""

import json
import re

import pytest

from tests.gateway.command_line import cells, is_one_line_of_ours


def made(run, *arguments: str) -> dict:
    done = run("user", "create", *arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def listed(run) -> list[dict]:
    return json.loads(run("user", "list", "--json").out)


def test_somebody_is_made_with_a_token_that_is_shown_once(run):
    done = run("user", "create", "ada", "--role", "approver:it,hr", "--mail", "ada@tarnwick.example")
    assert re.fullmatch(r"[A-Za-z0-9]{43}\n", done.out)
    assert "/v1/admin/setup" in done.err
    (row,) = listed(run)
    assert (row["name"], row["roles"], row["has_password"]) == ("ada", ["approver:hr,it"], False)
    assert done.out.strip() not in json.dumps(row)
    assert re.search(r"ada +ada@tarnwick.example +approver:hr,it +all +no +no +active", cells(run("user", "list").out))


@pytest.mark.parametrize("role", ["king", "approver:", "approver:it,", ":it", ""])
def test_a_role_that_is_none_is_told_with_those_there_are(run, role):
    done = run("user", "create", "ada", "--role", role)
    assert done.status == 2
    assert "auditor" in done.err
    assert not run.data.exists()


def test_a_name_that_is_taken_is_one_line_of_ours(run):
    made(run, "ada")
    assert is_one_line_of_ours(run("user", "create", "ADA"))


def test_roles_are_given_and_taken(run):
    made(run, "root", "--role", "admin")
    made(run, "ada", "--role", "viewer", "--assistant", "helpdesk")
    assert "approver:it" in run("user", "grant", "ada", "approver:it").out
    assert json.loads(run("user", "grant", "ada", "editor", "--json").out)["roles"] == [
        "approver:it",
        "editor",
        "viewer",
    ]
    assert json.loads(run("user", "revoke", "ada", "approver", "--json").out)["roles"] == ["editor", "viewer"]
    assert listed(run)[1]["assistants"] == ["helpdesk"]
    assert is_one_line_of_ours(run("user", "revoke", "root", "admin"))


def test_somebody_is_kept_out_and_let_in_again(run):
    made(run, "ada", "--role", "viewer")
    assert "kept out" in run("user", "disable", "ada").out
    assert listed(run)[0]["disabled_at"]
    assert run("user", "enable", "ada").status == 0
    assert listed(run)[0]["disabled_at"] is None


def test_resets_give_a_token_or_say_what_is_so_now(run):
    first = made(run, "ada")["token"]
    second = run("user", "reset-password", "ada").out.strip()
    assert re.fullmatch(r"[A-Za-z0-9]{43}", second)
    assert first != second
    assert "without an authenticator" in run("user", "reset-totp", "ada").out


@pytest.mark.parametrize("command", ["disable", "enable", "reset-password", "reset-totp"])
def test_nobody_of_that_name_is_one_line_of_ours(run, command):
    assert is_one_line_of_ours(run("user", command, "nobody"))


def test_all_of_it_is_in_the_trail(run):
    made(run, "ada", "--role", "viewer")
    run("user", "disable", "ada")
    rows = json.loads(run("audit", "show", "--json").out)
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("operator", "user.disabled"),
        ("operator", "user.invited"),
        ("operator", "user.created"),
    ]


def test_a_key_that_drafts_needs_an_owner_and_keys_rotate(run):
    assert is_one_line_of_ours(run("key", "create", "tool", "--edit"))
    made(run, "ada", "--role", "editor")
    first = json.loads(run("key", "create", "tool", "--edit", "--owner", "ada", "--json").out)
    second = json.loads(run("key", "rotate", first["id"], "--overlap", "2", "--json").out)
    rows = json.loads(run("key", "list", "--json").out)
    assert [row["client"] for row in rows] == ["tool", "tool"]
    assert rows[0]["owner"] == rows[1]["owner"] == listed(run)[0]["id"]
    assert rows[0]["expires_at"] is not None
    assert second["key"] != first["key"]
    assert is_one_line_of_ours(run("key", "rotate", first["id"]))
    assert run("key", "rotate", second["id"], "--overlap", "0", "--json").status == 0
    assert is_one_line_of_ours(run("key", "rotate", second["id"]))
    assert is_one_line_of_ours(run("key", "create", "scan", "--rate", "unlimited"))
