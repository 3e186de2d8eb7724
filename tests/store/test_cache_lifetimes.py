"""How long a prompt lets its answers be used again: written down, checked where it is read, and kept through files."""

import msgspec
import pytest
from store_content import AT, prompt

from store.content import CanonicalPrompt
from store.errors import InvalidContent
from store.formats.bundle import Bundle, prompt_path, read_bundle, write_bundle
from store.plain import canonical_hash, to_plain
from store.repositories.prompts import Prompts

REPLY = {"mode": "generate", "prompt": "Explain it.", "facts": "It works.", "fallback": "It works."}
QUOTE = {"type": "quoted_text", "name": "text", "ask": "Paste it."}


@pytest.mark.parametrize(
    ("written", "seconds"), [("off", None), ("1m", 60), ("30m", 1800), ("1h", 3600), ("7d", 604800), ("999d", 86313600)]
)
def test_a_lifetime_is_minutes_hours_or_days(written, seconds):
    assert prompt(reply={**REPLY, "cache": written}).reply.cache_s == seconds


def test_nothing_is_kept_unless_the_prompt_says_so():
    assert prompt().reply.cache_s is None
    assert "cache" not in to_plain(prompt().reply)


@pytest.mark.parametrize(
    "written", ["", "0h", "-1h", "1", "h", "1 h", "1H", "1s", "1.5h", "1000d", "1h\n", "on", "01h"]
)
def test_any_other_lifetime_is_refused(written):
    with pytest.raises(msgspec.ValidationError, match="cache"):
        prompt(reply={**REPLY, "cache": written})


def test_written_out_or_left_out_off_is_the_same_version_and_a_lifetime_is_another():
    assert canonical_hash(prompt(reply={**REPLY, "cache": "off"})) == canonical_hash(prompt())
    assert canonical_hash(prompt(reply={**REPLY, "cache": "1h"})) != canonical_hash(prompt())


def test_an_answer_that_cannot_be_repeated_is_not_kept():
    with pytest.raises(msgspec.ValidationError, match="set temperature to 0, or write a seed above 0"):
        prompt(reply={**REPLY, "cache": "1h", "sampling": {"temperature": 0.7}})
    for sampling in ({"temperature": 0.0}, {"temperature": 0.7, "seed": 1}):
        assert prompt(reply={**REPLY, "cache": "1h", "sampling": sampling}).reply.cache_s == 3600


def test_an_answer_to_quoted_text_is_not_kept():
    reply = {**REPLY, "prompt": "Summarise {text}"}
    assert prompt(slots=[QUOTE], reply={**reply, "cache": "off"}).has_quoted_text
    with pytest.raises(msgspec.ValidationError, match="quoted text is never kept"):
        prompt(slots=[QUOTE], reply={**reply, "cache": "1h"})


@pytest.mark.parametrize(
    "reply",
    [{"mode": "verbatim", "answer": "Yes."}, {"mode": "handoff", "answer": "Yes.", "contact": {"name": "Desk"}}],
    ids=["verbatim", "handoff"],
)
def test_an_approved_answer_needs_no_cache(reply):
    assert prompt(reply=reply)
    with pytest.raises(msgspec.ValidationError, match="unknown field `cache`"):
        prompt(reply={**reply, "cache": "1h"})


def test_a_lifetime_comes_back_from_files_and_from_the_database(tmp_path, database):
    content = prompt(reply={**REPLY, "cache": "12h"})
    write_bundle(Bundle(prompts=(content,)), tmp_path / "out")
    assert read_bundle(tmp_path / "out").prompts == (content,)
    stored = Prompts(database).publish(content, author="a", note="", at=AT, normalize=str.lower)
    assert Prompts(database).version("it.vpn", stored.number).content.reply.cache_s == 43200


def test_a_bare_off_in_a_file_is_told_what_to_do(tmp_path):
    folder = tmp_path / "out"
    write_bundle(Bundle(prompts=(prompt(),)), folder)
    path = folder / prompt_path("it.vpn")
    path.write_text(path.read_text() + "  cache: off\n")
    with pytest.raises(InvalidContent, match=r"reply\.cache: Expected `str`, got `bool`\. Put the text in quotes\."):
        read_bundle(folder)
    path.write_text(path.read_text().replace("cache: off", 'cache: "off"'))
    (read,) = read_bundle(folder).prompts
    assert isinstance(read, CanonicalPrompt)
    assert read.reply.cache_s is None
