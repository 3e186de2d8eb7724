"""`canongate widget`: what a person types to let a place embed the widget."""

import base64
import hashlib
import json
import re

import pytest
from joserfc.jwk import RSAKey

from gateway.commands import widget
from gateway.http.static import StaticFile
from tests.gateway.command_line import is_one_line_of_ours

CREATE = ("widget", "create", "hr-portal", "--assistant", "helpdesk", "--origin", "https://intranet.example")


def listed(run) -> list[dict]:
    return json.loads(run("widget", "list", "--json").out)


def test_a_place_is_made_with_a_secret_that_is_shown_once(published):
    done = published(*CREATE)
    assert re.fullmatch(r"[A-Za-z0-9]{43}\n", done.out), done.err
    assert "only time" in done.err
    (row,) = listed(published)
    assert (row["id"], row["assistant"], row["origins"]) == ("hr-portal", "helpdesk", ["https://intranet.example"])
    assert (row["sign_in"], row["title"], row["disabled_at"], len(row["secrets"])) == ("required", "hr-portal", None, 1)
    assert done.out.strip() not in json.dumps(row)
    assert "https://intranet.example" in published("widget", "list").out
    assert json.loads(published("widget", "show", "hr-portal", "--json").out) == row
    assert "max_length: 2000" in published("widget", "show", "hr-portal").out


def test_a_place_with_keys_of_its_own_or_without_sign_in_needs_no_secret(published, tmp_path):
    keys = tmp_path / "keys.json"
    key = RSAKey.generate_key(2048)
    keys.write_text(json.dumps({"keys": [{"kid": "a", **key.as_dict(private=False)}]}))
    made = json.loads(published(*CREATE, "--algorithm", "RS256", "--keys", str(keys), "--json").out)
    assert made == {"id": "hr-portal", "secret": None}
    assert is_one_line_of_ours(published("widget", "rotate", "hr-portal"))
    done = published(*CREATE[:2], "shop", *CREATE[3:], "--sign-in", "none")
    assert "needs no secret" in done.out
    keys.write_text(json.dumps({"keys": [{"kid": "a", **key.as_dict(private=True)}]}))
    refused = published(*CREATE[:2], "third", *CREATE[3:], "--algorithm", "RS256", "--keys", str(keys))
    assert refused.status == 2
    assert str(key.as_dict(private=True)["d"]) not in refused.err


@pytest.mark.parametrize(
    "wrong",
    [
        (*CREATE[:-1], "http://intranet.example"),
        (*CREATE[:-1], "https://*.example"),
        (*CREATE[:4], "nowhere", *CREATE[5:]),
        (*CREATE[:2], "HR Portal", *CREATE[3:]),
        (*CREATE, "--language", "English"),
        (*CREATE, "--algorithm", "RS256"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_one_line_of_ours(published, wrong):
    assert is_one_line_of_ours(published(*wrong))
    assert listed(published) == []


def test_secrets_are_rotated_and_places_turned_off_and_on(published):
    first = json.loads(published(*CREATE, "--json").out)["secret"]
    second = json.loads(published("widget", "rotate", "hr-portal", "--json").out)["secret"]
    assert first != second
    assert [one["ends_at"] is None for one in listed(published)[0]["secrets"]] == [False, True]
    published("widget", "rotate", "hr-portal", "--overlap", "0")
    assert len(listed(published)[0]["secrets"]) == 1
    assert "disabled" in published("widget", "disable", "hr-portal").out
    assert listed(published)[0]["disabled_at"] is not None
    assert json.loads(published("widget", "enable", "hr-portal", "--json").out)["disabled_at"] is None
    assert listed(published)[0]["disabled_at"] is None
    assert is_one_line_of_ours(published("widget", "disable", "nobody"))


def test_the_snippets_hold_the_hash_of_the_very_file(published, monkeypatch):
    published(*CREATE, "--title", 'HR "portal"')
    script = b"export {};"
    monkeypatch.setattr(widget, "FILES", {"widget.js": StaticFile.of(script, ".js")})
    told = json.loads(published("widget", "snippet", "hr-portal", "--server", "https://chat.example/", "--json").out)
    digest = base64.b64encode(hashlib.sha384(script).digest()).decode()
    assert f'integrity="sha384-{digest}" crossorigin="anonymous"' in told["pinned"]
    assert '<canongate-chat server="https://chat.example" client="hr-portal">' in told["pinned"]
    assert told["loader"].startswith('<script src="https://chat.example/embed/v1/loader.js" defer')
    assert 'title="HR &quot;portal&quot;"' in told["frame"]
    assert told["content_security_policy"][0] == "script-src https://chat.example"
    monkeypatch.setattr(widget, "FILES", {})
    plain = published("widget", "snippet", "hr-portal").out
    assert "not built" in plain
    assert "http://127.0.0.1:8080/embed/v1/loader.js" in plain


def test_a_frame_comes_with_lines_that_tell_it_who_is_signed_in_where_somebody_is(published):
    published(*CREATE)
    published(*CREATE[:2], "shop", *CREATE[3:], "--sign-in", "none")
    server = ("--server", "https://chat.example")
    told = json.loads(published("widget", "snippet", "hr-portal", *server, "--json").out)
    assert 'allow="clipboard-write"' in told["frame"]
    assert 'origin !== "https://chat.example"' in told["frame_token"]
    assert "canongate:token" in published("widget", "snippet", "hr-portal", *server).out
    assert json.loads(published("widget", "snippet", "shop", *server, "--json").out)["frame_token"] is None


def test_a_place_is_changed_where_something_is_said_and_stays_as_it_is_elsewhere(published, tmp_path):
    published(*CREATE)
    before = listed(published)[0]
    texts = tmp_path / "texts.toml"
    texts.write_text('[de]\nheading = "Personal"\nstrings = {send = "Los"}\n')
    change = ("widget", "change", "hr-portal")
    told = published(
        *change, "--origin", "https://a.example", "--origin", "https://b.example", "--title", "HR",
        "--accent", "#7a1fa2",
        "--language", "en", "--language", "de", "--texts", str(texts), "--contact", "name=HR desk", "--contact",
        "phone=4250",
    )  # fmt: skip
    assert "hr-portal is changed: contact, languages, origins, texts, theme, title." in told.out
    published(*change, "--contact", "email=hr@example.test", "--radius", "4")
    after = listed(published)[0]
    assert after["origins"] == ["https://a.example", "https://b.example"]
    assert (after["title"], after["languages"], after["texts"]["de"]["heading"]) == ("HR", ["en", "de"], "Personal")
    assert (after["theme"]["accent"], after["theme"]["radius"]) == ("#7a1fa2", 4)
    assert (after["contact"]["name"], after["contact"]["phone"]) == ("HR desk", "4250")
    assert after["contact"]["email"] == "hr@example.test"
    changed = {"title", "origins", "languages", "texts", "theme", "contact"}
    assert {name: value for name, value in after.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    assert json.loads(published(*change, "--no-contact", "--json").out)["contact"] is None


def test_a_place_that_signs_in_anew_gets_a_secret_or_takes_keys(published, tmp_path):
    published(*CREATE, "--sign-in", "none")
    change = ("widget", "change", "hr-portal")
    secret = json.loads(published(*change, "--sign-in", "required", "--json").out)["secret"]
    assert re.fullmatch(r"[A-Za-z0-9]{43}", secret)
    keys = tmp_path / "keys.json"
    key = RSAKey.generate_key(2048)
    keys.write_text(json.dumps({"keys": [{"kid": "a", **key.as_dict(private=False)}]}))
    told = json.loads(published(*change, "--algorithm", "RS256", "--keys", str(keys), "--json").out)
    assert (told["secret"], told["secrets"], told["algorithm"]) == (None, [], "RS256")
    assert json.loads(published(*change, "--algorithm", "HS256", "--json").out)["secret"]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--origin", "https://*.example"),
        ("--contact", "fax=1"),
        ("--accent", "red"),
        ("--accent", "#ffffff"),
        ("--assistant", "nowhere"),
        ("--algorithm", "RS256"),
        ("--texts", __file__),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_meant_changes_nothing(published, wrong):
    published(*CREATE)
    before = listed(published)
    refused = published("widget", "change", "hr-portal", *wrong)
    assert refused.status != 0
    assert "Traceback" not in refused.err
    assert listed(published) == before
