# ruff: noqa: RUF001 - wide signs are the point
"""Tests of what markup is active content, what is formatting, and what only looks like a tag."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks.markup import MarkupParams, find, without_formatting
from rails.nemo import compile_stage
from rails.registry import SHIPPED_RAILS
from rails.types import RailContext, Stage

ACTIVE = (
    "<script>x</script>",
    "＜script＞x＜/script＞",
    "﹤img src=x﹥",
    "<?php echo 1 ?>",
    "<?= 1 ?>",
    "<% x %>",
    "<%= x %>",
    "<![CDATA[x]]>",
    "<!ENTITY x>",
    "<tool_call>",
    "</tool_call>",
    "<function=send>",
    "<function_call>",
    "<think>",
    "[TOOL_CALLS]",
    "<｜tool▁calls▁begin｜>",
    "<x onclick=go()>",
    "<x/onclick=go()>",
    "<svg/onload=go()>",
    "<my-element>",
    "<x:script>",
    "<foo/>",
    "</foo>",
    "<b>OK</b>",
    "<details open>",
    "&lt;script&gt;",
    "<img src=x",
    "javascript&colon;go()",
    "<https://evil.example/x>",
    "![x](https://a.example/p.png)",
)
HARMLESS = (
    "Press <Enter>.",
    "Press <Ctrl>+<C>, then <F5>.",
    "Type <your name> and <username>.",
    "Replace <file name> by its path.",
    "If 3 < 5 and 7 > 2, go on.",
    "a <- b -> c <= d",
    "1 <2> 3",
)
FORMATTED = (
    ("**Call** extension 4400", "Call extension 4400"),
    ("Call __now__!", "Call now!"),
    ("*Reset* it", "Reset it"),
    ("## Steps\nCall us", "Steps\nCall us"),
    ("```python\nx = 1\n```\nDone", "x = 1\nDone"),
    ("Run `ls` first", "Run ls first"),
    ("| Room | Phone |\n|---|---|\n| 4 | 4400 |", "Room; Phone\n4; 4400"),
    ("> It is open", "It is open"),
    ("[the portal](https://a.example/x)", "the portal (https://a.example/x)"),
    ("one\n---\ntwo", "one\ntwo"),
    ("~~old~~ new", "old new"),
    ("***both***", "both"),
)
PLAIN = (
    "1. Open the portal.\n- Choose Reset.",
    "2 * 3 * 4 = 24",
    "snake_case_name and _x",
    "Ticket #4400 is open; C# too",
    "a | b",
    "5 > 3",
    "It costs ~5 euros - or more.",
)


def _said(text, **params):
    definition = SHIPPED_RAILS["markup"]
    entry = msgspec.convert({"rail": "markup", **params}, definition.params)
    (compiled,) = compile_stage([(definition, entry)], Stage.OUTPUT)
    return asyncio.run(compiled.run(text, RailContext()))


@pytest.mark.parametrize("text", ACTIVE)
@pytest.mark.parametrize("params", [{}, {"plain_text": True}, {"plain_text": True, "on_fail": "transform"}])
def test_active_content_is_refused_whatever_the_parameters_say(text, params):
    assert _said(f"Well: {text} there", **params).is_blocked


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_tag_passes(text):
    assert find(text) is None


@pytest.mark.parametrize(("text", "bare"), FORMATTED)
def test_formatting_passes_is_refused_or_is_taken_out_as_the_policy_says(text, bare):
    assert not _said(text).is_blocked
    assert _said(text, plain_text=True).reason == "markup.formatting"
    said = _said(text, plain_text=True, on_fail="transform")
    assert (said.text, said.is_rewritten, said.is_blocked) == (bare, True, False)


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_text_stays_as_it_is(text):
    assert without_formatting(text) == text
    assert not _said(text, plain_text=True).is_blocked


def test_a_tag_that_formatting_keeps_apart_is_refused_when_it_is_taken_out():
    said = _said("<scr**ip**t>x", plain_text=True, on_fail="transform")
    assert said.is_blocked


def test_taking_out_without_saying_what_is_refused_in_words():
    with pytest.raises(msgspec.ValidationError, match="plain_text: true"):
        msgspec.convert({"rail": "markup", "on_fail": "transform"}, MarkupParams)


@given(st.text(alphabet="*_`~#|>-[]() ab\n", max_size=40))
def test_an_answer_that_goes_on_as_plain_text_has_no_formatting_left(text):
    said = _said(text, plain_text=True, on_fail="transform")
    if not said.is_blocked and said.is_rewritten:
        assert without_formatting(said.text) == said.text
