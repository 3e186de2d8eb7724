"""Which upstream may be called, and what stands for it in a decision."""

import re

import pytest

from models.errors import ModelRefused
from models.upstream.model import UpstreamLimits, UpstreamModel
from models.upstream.target import PromptStyle, UpstreamTarget

LOCAL = "http://127.0.0.1:8081/v1"


@pytest.mark.parametrize("url", [LOCAL, "http://[::1]:8081/v1", "http://localhost/v1/", "https://models.example/v1"])
def test_loopback_and_encrypted_servers_may_be_called(url):
    assert UpstreamTarget(url, "m").base == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8081",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http:///v1",
        "https://host:0/v1",
        "https://host:99999/v1",
        "https://host:port/v1",
        "https://host/v1?key=1",
        "https://host/v1#a",
        "https://host/v1 ",
        "https://host/\r\nX: 1",
        "https://h\u00f6st/v1",
        "https://[::1/v1",
    ],
)
def test_what_is_no_servers_url_is_refused(url):
    with pytest.raises(ModelRefused, match=r"upstream\.url"):
        UpstreamTarget(url, "m")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@host/v1",
        "https://hunter2@host/v1",
        "https://user:[hunter2@host/v1",
        "https://user:hunter2@host:99999/v1",
        "https://user:hunter2/@host/v1",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url):
    with pytest.raises(ModelRefused, match="user or password") as refused:
        UpstreamTarget(url, "m")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://10.0.0.5/v1", "http://models.example/v1", "http://localhost.example/v1"])
def test_an_unencrypted_server_elsewhere_needs_a_yes(url):
    with pytest.raises(ModelRefused, match="without encryption"):
        UpstreamTarget(url, "m")
    assert UpstreamTarget(url, "m", allow_plain_http=True).url == url


@pytest.mark.parametrize("key", ["two words", "line\nend", "\u00e4", "x" * 5000])
def test_what_is_no_key_is_refused_and_not_repeated(key):
    with pytest.raises(ModelRefused, match=r"upstream\.key") as refused:
        UpstreamTarget(LOCAL, "m", key=key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("style", "format_name", "words"),
    [
        (PromptStyle.CHAT, "chatml", "upstream.format belongs to"),
        (PromptStyle.TEXT, "", "upstream.format belongs to"),
        (PromptStyle.TOKENS, "", "upstream.format belongs to"),
        (PromptStyle.TOKENS, "nobodys", "is not known"),
        (PromptStyle.TEXT, "../../secrets", "is not known"),
    ],
)
def test_a_format_goes_with_text_and_tokens_alone(style, format_name, words):
    with pytest.raises(ModelRefused, match=re.escape(words)):
        UpstreamTarget(LOCAL, "m", style=style, format_name=format_name)


def test_a_model_needs_a_name():
    with pytest.raises(ModelRefused, match="name of a model"):
        UpstreamTarget(LOCAL, " ")


def test_its_hash_changes_with_everything_that_decides_the_answers():
    targets = [
        UpstreamTarget(LOCAL, "m"),
        UpstreamTarget("http://127.0.0.1:8082/v1", "m"),
        UpstreamTarget(LOCAL, "n"),
        UpstreamTarget(LOCAL, "m", revision="2"),
        UpstreamTarget(LOCAL, "m", style=PromptStyle.TEXT, format_name="chatml"),
        UpstreamTarget(LOCAL, "m", style=PromptStyle.TOKENS, format_name="chatml"),
        UpstreamTarget(LOCAL, "m", style=PromptStyle.TOKENS, format_name="vicuna"),
    ]
    hashes = {target.sha256 for target in targets}
    assert len(hashes) == len(targets)
    assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in hashes)


def test_its_hash_does_not_change_with_the_key_or_a_slash():
    assert len({UpstreamTarget(LOCAL, "m").sha256, UpstreamTarget(f"{LOCAL}/", "m", key="k").sha256}) == 1


def test_certificates_that_are_none_are_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        with pytest.raises(ModelRefused, match=r"upstream\.ca_file"):
            UpstreamModel(UpstreamTarget("https://host/v1", "m", ca_file=file), UpstreamLimits())


@pytest.mark.parametrize("values", [{"requests": 0}, {"context_tokens": 0}])
def test_limits_without_meaning_do_not_exist(values):
    with pytest.raises(ValueError, match="at least 1"):
        UpstreamLimits(**values)
