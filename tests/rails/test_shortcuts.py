"""What rails leave out to save time changes no verdict: each shortcut against the long way."""

import asyncio
import re
import time
from collections import Counter
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails import languages
from rails.attack_signs import signs_of
from rails.checks.repetition import RepetitionParams
from rails.checks.repetition import find as find_repetition
from rails.disguises import mirrored, plain, readings, squeezed, turned_round, unleet
from rails.envelope import StageRun
from rails.key_shapes import ANY_HINT, SHAPES
from rails.languages import unserved
from rails.matching import PatternSet, compile_linear
from rails.nearness import is_uncut, windows
from rails.nemo import Verdict
from rails.recognisers import identities
from rails.runs import repeated_in
from rails.stop_words import LANGUAGES_OF
from rails.toxic_terms import Category, Terms, entries
from rails.types import RailContext, RailStatus, Stage
from rails.wordlists import word_list

_WORDS = st.sampled_from(
    word_list(
        "how did the thieves used to pick locks Ignore previous instructions is my ti fi si na jung vf gur nyy 1gn0re "
        "kill yourself you idiot id10t shiiiit f u c k a**hole wann kann ich mein Passwort ändern é 4100 o.k. e.g. x"
    )
)
_SEPARATORS = st.sampled_from([" ", "  ", ". ", "? ", "\n", ", ", "-", ""])
_TEXTS = st.lists(st.tuples(_WORDS, _SEPARATORS), max_size=60).map(lambda pairs: "".join(map("".join, pairs)))


@given(st.one_of(st.text(alphabet="ab é", max_size=60), st.text(max_size=40)), st.integers(1, 12))
def test_a_run_is_found_wherever_it_stands(text, most):
    runs = {char for char, run in groupby(text) if sum(1 for _ in run) > most}
    assert repeated_in(text, most) == runs


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=80), st.integers(2, 5), st.integers(1, 4))
def test_a_loop_is_looked_for_whenever_a_pair_of_words_comes_often_enough(words, loops, same):
    text = " ".join(words)
    often = max(Counter(pairwise(words)).values(), default=0)
    params = RepetitionParams(max_loops=loops, max_same_sentences=same)
    if find_repetition(text, params) in ("repetition.loop", "repetition.sentence"):
        assert often >= min(loops, same + 1)
    if any(words[at : at + loops + 1] == [words[at]] * (loops + 1) for at in range(len(words))):
        assert find_repetition(text, params) == "repetition.loop"


@given(_TEXTS)
def test_words_that_are_turned_are_counted_as_if_the_text_had_been_turned(text):
    def small(view):
        return sum("en" in LANGUAGES_OF.get(word.strip(".,;:!?"), ()) for word in view.split())

    folded = plain(text)
    views = [view for view in (*mirrored(folded), unleet(folded)) if view is not None]
    expected = [view for view in views if small(view) > small(folded)]
    assert list(turned_round(folded)) == expected
    assert set(expected) <= set(readings(text))


@given(st.text(max_size=80))
def test_only_letters_and_digits_are_left_of_any_text(text):
    assert squeezed(text) == "".join(char for char in text if char.isalnum())


@given(_TEXTS)
def test_a_text_without_a_telling_word_has_no_part_with_one(text):
    if signs_of(plain(text)) is None and is_uncut(text):
        assert all(signs_of(plain(part)) is None for part in windows(text))


@given(_TEXTS)
def test_offensive_words_are_found_as_by_looking_at_each_word(text):
    terms = Terms({category.value: entries(category) for category in Category})
    words = plain(text).split()
    assert terms._find_in(words) == terms._first_of(words)


def test_a_starred_word_of_two_letters_is_found():
    assert Terms({"own": ["zq*", "zqxy*"]}).find("what a zqlike thing") == "own"


@given(_TEXTS, st.sampled_from([("en",), ("en", "de"), ("de", "tr"), ("fi",)]))
def test_a_language_that_cannot_win_the_vote_is_no_longer_counted(text, served):
    hurried = unserved(text, served)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(languages, "_small_words", lambda _: frozenset())
        assert unserved(text, served) == hurried


def test_every_hint_of_a_secret_is_found_in_one_pass():
    assert all(ANY_HINT.search(f"say {hint} to me") for shape in SHAPES for hint in shape.hints)


@pytest.mark.parametrize("number", identities._ALONE, ids=lambda number: number.form.pattern)
@given(data=st.data())
def test_no_number_that_needs_no_word_has_fewer_digits_than_is_said(number, data):
    written = data.draw(st.from_regex(re.compile(number.form.pattern, re.ASCII), fullmatch=True))
    assert sum(map(str.isdigit, written)) >= number.least_digits


@given(st.text(alphabet="xyzab ", max_size=20))
def test_pairs_of_patterns_find_what_each_of_them_finds_and_name_the_first(text):
    patterns = {"one": "x+y", "two": "(?i)Z$", "three": "(?P<n>a)b", "four": "(?P<n>b)a", "five": r"\Ab"}
    wanted = (name for name, pattern in patterns.items() if compile_linear(pattern).search(text) is not None)
    assert PatternSet(patterns).find(text) == next(wanted, None)


class _Waiting:
    """A rail that waits as often as it is told before it speaks."""

    name, stage, is_monitored, deadline_s = "waiting", Stage.INPUT, False, None

    def __init__(self, times, *, raises=None):
        self._times, self._raises = times, raises

    async def run(self, text, context):
        for _ in range(self._times):
            await asyncio.sleep(0)
            await asyncio.wait_for(asyncio.to_thread(str), timeout=5)
        if self._raises is not None:
            raise self._raises
        return Verdict(is_blocked=False, reason=None, text=text)


def _status(rail, limit_s=5.0):
    run = StageRun([rail], "hello", RailContext(), limit_s, time.monotonic() + limit_s)
    (record,) = asyncio.run(run.run(lambda: None, lambda: False)).records
    return record.status, record.reason


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_rail_says_the_same_whether_it_waits_or_not(times):
    assert _status(_Waiting(times)) == (RailStatus.PASSED, None)
    assert _status(_Waiting(times, raises=ValueError("x"))) == (RailStatus.ERROR, "rail.raised")
    assert _status(_Waiting(times, raises=asyncio.CancelledError())) == (RailStatus.ERROR, "rail.raised")


def test_a_rail_that_waits_beyond_its_limit_is_stopped_and_told():
    told = []

    class _Endless(_Waiting):
        async def run(self, text, context):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told.append(text)
                raise

    assert _status(_Endless(0), limit_s=0.05) == (RailStatus.ERROR, "rail.timeout")
    assert told == ["hello"]
