"""Grammars of prompt authors: what they allow, what they refuse to be, and that none of them takes long."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelRefused
from models.worker.byte_table import DEAD, ByteTable
from models.worker.constraint import Constrained, Rules, Vocabulary

LONG_S = 5.0
"""Far above the half second that a table may take, for machines that are busy."""


def allows(table, text):
    state = 0
    for byte in text.encode() if isinstance(text, str) else text:
        state = int(table.next[state, byte])
        if state == DEAD:
            return False
    return bool(table.is_end[state])


@pytest.mark.parametrize(
    ("grammar", "allowed", "not_allowed"),
    [
        ('root ::= "yes" | "no"', ["yes", "no"], ["", "y", "yesno", "maybe", "no "]),
        ('root ::= [0-9]{2} ":" [0-9]{2}', ["07:30"], ["7:30", "07:3", "07:300", "ab:cd"]),
        ('root ::= day ("," " " day)*\nday ::= "Mon" | "Tue"', ["Mon", "Mon, Tue, Mon"], ["Mon,", "Mon,Tue", "Wed"]),
        ('root ::= [^a-z"]+', ["A1", "\u00e9\u6797\U0001f389"], ["", "a", 'A"', "Az"]),
        ('root ::= "caf\u00e9" [\\u4e00-\\u9fff]?', ["caf\u00e9", "caf\u00e9\u6797"], ["cafe", "caf\u00e9x"]),
        ('root ::= "a"{2,3} "b"{2,} "c"{1}', ["aabbc", "aaabbbbc"], ["abbc", "aabc", "aaaabbc", "aabbcc"]),
        ('root ::= # a comment\n  ("a" |\n "b") "\\"" [\\]x-]', ['a"]', 'b"-', 'b"x'], ['a"', 'a"y', "a"]),
        ('root ::= "\\x41\\u00e9\\U0001F389\\n\\t\\\\"', ["A\u00e9\U0001f389\n\t\\"], ["A"]),
        ('root ::= .{1,3}\nunused ::= "a" unused', ["a", "\u00e9\u6797\U0001f389", "\n"], ["", "abcd"]),
        ('root ::= ""', [""], ["a"]),
        ('root ::= ("a"* "b"*)*', ["", "abba"], ["abc"]),
    ],
)
def test_a_grammar_allows_what_it_says_and_nothing_else(grammar, allowed, not_allowed):
    table = ByteTable(grammar)
    assert [text for text in allowed if not allows(table, text)] == []
    assert [text for text in not_allowed if allows(table, text)] == []


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("", "no rule named root"),
        ('boot ::= "a"', "no rule named root"),
        ("root", "begins with its name"),
        ("root ::= missing", "no rule missing"),
        ('root ::= "a"\nroot ::= "b"', "stands twice"),
        ('root ::= "abc', "not closed"),
        ("root ::= [abc", "not closed"),
        ('root ::= ("a"', "not closed"),
        ('root ::= "a")', "cannot stand here"),
        ("root ::= *", "cannot stand here"),
        ("root ::= <[7]>", "cannot stand here"),
        ('root ::= "\\q"', "escape"),
        ('root ::= "\\U0011FFFF"', "no such character"),
        ("root ::= [z-a]", "backwards"),
        ('root ::= "a"{5,2}', "smaller one first"),
        ('root ::= "a"{2001}', "up to 2000"),
        ('root ::= "a"{,3}', "count is written"),
        ('root ::= "a"{-1}', "count is written"),
        ('root ::= "a" root?', "refers to itself"),
        ('root ::= b\nb ::= "x" c\nc ::= b | "y"', "refers to itself"),
        ("root ::= [^\\x00-\\U0010FFFF]", "no answer at all"),
        ("root ::= [\\uD800]", "no answer at all"),
    ],
)
def test_what_is_no_grammar_is_refused_in_words(grammar, reason):
    with pytest.raises(ModelRefused, match=reason):
        ByteTable(grammar)


DOUBLING = "\n".join(["root ::= a0", *(f"a{n} ::= a{n + 1} a{n + 1}" for n in range(60)), 'a60 ::= "x"?'])
CHAIN = "\n".join(["root ::= a0", *(f"a{n} ::= a{n + 1}" for n in range(300)), 'a300 ::= "x"'])


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= " + "(" * 2000 + '"a"' + ")" * 2000,
        "root ::= " + "(" * 4000,
        'root ::= "a"' + "*" * 4000,
        'root ::= (((("a"{90}){90}){90}){90}){90}',
        'root ::= ("a"?){2000}',
        'root ::= [ab]* "a" [ab]{60}',
        "root ::= ([a-z]* [a-z ]* [a-y]){300}",
        DOUBLING,
        CHAIN,
    ],
)
def test_what_would_grow_beyond_measure_is_refused_soon(grammar):
    started = time.monotonic()
    with pytest.raises(ModelRefused, match=r"too large|deep"):
        ByteTable(grammar)
    assert time.monotonic() - started < LONG_S


@pytest.mark.parametrize(
    "grammar",
    ["root ::= " + " ".join(["[a-z]?"] * 100), "root ::= (" + "|".join(['"a"*'] * 500) + ")*", "root ::= ((.*)*)*"],
)
def test_what_is_only_ambiguous_costs_nothing(grammar):
    table = ByteTable(grammar)
    assert allows(table, "aaa")
    assert len(table.next) < 200


letters = st.sampled_from(["a", "b", "\u00e9", "\u6797"])
literals = st.text(letters, min_size=1, max_size=3).map(lambda text: (f'"{text}"', text))
classes = st.sampled_from([("[a-b]", "[a-b]"), ("[^a]", "[^a]"), ("[\u00e9a]", "[\u00e9a]")])
patterns = st.recursive(
    literals | classes,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: (f"{two[0][0]} {two[1][0]}", two[0][1] + two[1][1])),
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]} | {two[1][0]})", f"(?:{two[0][1]}|{two[1][1]})")),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{1,}"])).map(
            lambda pair: (f"({pair[0][0]}){pair[1]}", f"(?:{pair[0][1]}){pair[1]}")
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(patterns, st.lists(st.text(letters, max_size=6), max_size=8))
def test_a_grammar_allows_what_the_same_regular_expression_matches(pattern, texts):
    grammar, expression = pattern
    table = ByteTable(f"root ::= {grammar}")
    for text in texts:
        assert allows(table, text) == bool(re.fullmatch(expression, text))


PIECES = [b"", b"y", b"ye", b"yes", b"no", b" no", b"s", b"\xc3", b"\xa9", b"x" * 40]
END = 0


class Likeliest:
    """Takes the token with the greatest number, as the worker's greedy choice does."""

    def __init__(self, logits):
        self.logits = logits
        self.is_closed = False

    def choose(self, place):
        return int(self.logits.argmax())

    def close(self):
        self.is_closed = True


def constrained(grammar, liked):
    logits = np.zeros(len(PIECES), dtype=np.float32)
    likeliest = Likeliest(logits)
    chooser = Constrained(likeliest, Rules(grammar, Vocabulary(PIECES, [END])), lambda _place: logits)

    def choose():
        logits[:] = 0.0
        logits[liked] = np.arange(len(liked), 0, -1)
        return chooser.choose(0)

    return choose, chooser, likeliest


def test_a_token_is_chosen_among_those_that_the_grammar_allows():
    choose, chooser, likeliest = constrained('root ::= "yes" | "no"', liked=[END, 9, 5, 4, 2])
    assert choose() == 4, "not the end, which would be an empty answer, and no token that leads elsewhere"
    assert choose() == END
    chooser.close()
    assert likeliest.is_closed


def test_a_token_may_stop_in_the_middle_of_a_word_or_of_a_character():
    choose, *_ = constrained('root ::= "yes"', liked=[2, 6])
    assert [choose(), choose(), choose()] == [2, 6, END]
    choose, *_ = constrained("root ::= [\u00e0-\u00ff]", liked=[8])
    assert [choose(), choose(), choose()] == [7, 8, END]


def test_a_vocabulary_that_cannot_go_on_is_said_and_nothing_is_made_up():
    choose, *_ = constrained('root ::= "yz"', liked=[1])
    assert choose() == 1
    with pytest.raises(ModelRefused, match="vocabulary"):
        choose()


def test_numbers_that_are_none_choose_nothing():
    _, chooser, likeliest = constrained('root ::= "yes"', liked=[])
    likeliest.logits[:] = np.nan
    likeliest.logits[1] = 1.0
    token = chooser.choose(0)
    assert PIECES[token] in (b"y", b"ye", b"yes")
