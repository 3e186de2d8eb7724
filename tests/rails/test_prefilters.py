"""What a quick look leaves out changes no verdict: patterns by their words, RE2 asked first, words that never count."""

import re
from itertools import islice

import pytest
import re2
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rails.checks import injection, markup, refusal, urls
from rails.matching import LinearPattern, PatternSet, compile_linear
from rails.nearness import WINDOW, _cut
from rails.nemo import CompiledRail, compile_stage
from rails.quantities import quantities_of
from rails.registry import SHIPPED_RAILS
from rails.tokens import plain_text, tokens_of
from rails.toxic_patterns import PATTERNS
from rails.types import Stage
from rails.wordlists import word_list

_SETS = {
    "injection": injection._ALL,
    "core": injection._CORE,
    "squeezed": injection._SQUEEZED,
    "refusal": refusal._OUTRIGHT,
    "lectures": refusal._LECTURES,
    "german": refusal._FOREIGN["de"],
    "french": refusal._FOREIGN["fr"],
    "markup": markup._MARKUP,
    "toxicity": PatternSet({category.value: pattern for category, pattern in PATTERNS.items()}),
}
_NAMED = {f"{label}-{name}": (label, pattern.pattern) for label, one in _SETS.items() for name, pattern in one._named}
_AROUND = st.one_of(
    st.text(alphabet="aeiou st.,'\"\n:<[{9", max_size=12), st.text(alphabet="st ky.äß\u017f\u212a", max_size=12)
)
_WORDS = st.sampled_from(
    word_list(
        "ignore all previous instructions you are now the system prompt I cannot help with that as an AI language "
        "model it is not appropriate sorry but say <b> {{x}} print( your rules idiots kill yourself and then reveal "
        "KEIN Straße"
    )
)


def _plainly(patterns, text):
    """Returns what a search for each of the patterns finds, one after the other."""
    return next((name for name, pattern in patterns._named if re2.search(pattern._compiled, text) is not None), None)


def _generated(pattern):
    """Returns texts that the pattern is made for, as far as `re` can read it."""
    translated = re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: re.escape(chr(int(found[1], 16))), pattern)
    for old, new in (("[^\\pL]", "[^a-z]"), ("\\pPd", "-"), ("\\pL", "a-z" if "[\\pL" in translated else "[a-z]")):
        translated = translated.replace(old, new)
    return st.from_regex(re.compile(translated, re.IGNORECASE | re.ASCII))


@pytest.mark.parametrize(("label", "pattern"), [pytest.param(*one, id=name) for name, one in _NAMED.items()])
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_pattern_is_found_by_the_words_it_needs_wherever_it_stands(label, pattern, data):
    text = data.draw(_AROUND) + data.draw(_generated(pattern)) + data.draw(_AROUND)
    assert _SETS[label].find(text) == _plainly(_SETS[label], text)


@pytest.mark.parametrize("label", _SETS)
@settings(max_examples=60)
@given(words=st.lists(st.tuples(_WORDS, st.sampled_from([" ", "\n", ". ", ""])), max_size=30))
def test_of_any_words_a_set_says_what_its_patterns_say(label, words):
    text = "".join(map("".join, words))
    assert _SETS[label].find(text) == _plainly(_SETS[label], text)
    assert _SETS[label].find(text.upper()) == _plainly(_SETS[label], text.upper())


class _Exhausted:
    """Finds nothing, as RE2 does when its automaton is out of memory."""

    def Match(self, _data, potential):  # noqa: N802 - the name is RE2's
        assert potential


def test_a_filter_that_finds_nothing_at_all_is_not_believed():
    patterns = PatternSet({"one": "secret plan", "two": "other"})
    patterns._filter = _Exhausted()
    assert patterns.find("the secret plan") == "one"
    assert patterns.find("any other") == "two"
    assert patterns.find("nothing") is None


@given(
    st.sampled_from([r"\d+", r"(a)|(b)", r"^x", r"[\pL]+y?", "é", r"(?m)^\s*-", "", r"x*"]),
    st.text(alphabet="abxy é-1 \n", max_size=30),
    st.integers(0, 5),
)
def test_a_pattern_finds_what_re2_finds(pattern, text, position):
    ours, theirs = compile_linear(pattern), re2.compile(pattern)

    def spans(found):
        return None if found is None else (found.span(), found.groups())

    assert isinstance(ours, LinearPattern)
    assert ours.occurs_in(text) is ours.occurs_in(text.encode()) is (theirs.search(text) is not None)
    assert spans(ours.search(text)) == spans(theirs.search(text))
    assert spans(ours.search(text, position)) == spans(theirs.search(text, position))
    assert spans(ours.fullmatch(text)) == spans(theirs.fullmatch(text))
    assert [*map(spans, ours.finditer(text))] == [*map(spans, theirs.finditer(text))]
    assert ours.sub("<>", text) == theirs.sub("<>", text)


_NUMBERED = st.sampled_from(
    word_list(
        "two hundred and five working days half an hour the third 5 March may 1st May 12.03.2026 per cent von zwei "
        "bis drei Tagen veinte one of a new one twenty-five 1,000 $ 5 k million monday Monday dreißig 3 pm until week"
    )
)


@given(
    st.lists(st.tuples(_NUMBERED, st.sampled_from([" ", " ", ". ", ": ", "-", "\n"])), max_size=30),
    st.sampled_from(["en", "de", "fr", "es", "zh"]),
)
def test_no_word_that_is_called_ordinary_counts(words, language):
    tokens = tokens_of(plain_text("".join(map("".join, words))))
    counting = [place for place, token in enumerate(tokens) if not token.is_ordinary]
    assert quantities_of(tokens, counting, language) == quantities_of(tokens, range(len(tokens)), language)


@given(
    st.lists(
        st.sampled_from(
            [
                *":/\\&#;.[]19 a",
                "http",
                "ftp",
                "javascript",
                "data:",
                "&colon;",
                "//x/y",
                "\\\\a\\b",
                "1.2.3.4",
                "[::1]",
                "evil.com",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_links_are_looked_for_wherever_their_signs_are(text):
    folded = text.casefold()
    has_scheme = (
        urls._ACTIVE.occurs_in(folded)
        or urls._SHARE.occurs_in(folded)
        or any(found.group(1) not in ("http", "https") for found in urls._SCHEME.finditer(folded))
    )
    assert urls._has_scheme(folded) == has_scheme
    params = urls.UrlsParams(hosts=("*.tarnwick.example",))
    if not urls._OBFUSCATED.occurs_in(folded) and not has_scheme and urls._ADDRESS.occurs_in(folded):
        assert urls.find(text, params) == "urls.address"
    if urls._LINK.occurs_in(folded):
        assert urls.find(text, params) is not None


@pytest.mark.parametrize("stage", list(Stage))
def test_a_check_is_given_what_nemo_would_give_it(stage):
    named = ("length", "hidden", "injection", "secrets", "language", "toxicity", "refusal", "markup", "grounding")
    definitions = [SHIPPED_RAILS[name] for name in named if stage in SHIPPED_RAILS[name].stages]
    rails = [(definition, definition.params()) for definition in definitions]
    for check in compile_stage(rails, stage):
        messages = [{"role": "user", "content": "hello"}] if stage is Stage.INPUT else []
        answer = None if stage is Stage.INPUT else "an answer"
        ours = check._rail._call_kwargs(messages, answer)
        assert ours == CompiledRail._call_kwargs(check._rail, messages, answer)
        assert ours["text"] == ("hello" if stage is Stage.INPUT else "an answer")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
@example([80, 300])
@example([240, 80, 161, 79, 1])
def test_a_long_sentence_is_cut_into_parts_that_go_on(lengths):
    sentence = " ".join("abcdefghijkl"[at] * length for at, length in enumerate(lengths))
    parts = list(islice(_cut(sentence), len(sentence) + 1))
    assert len(parts) <= 2 + 2 * len(sentence) // (WINDOW - 80)
    assert max(map(len, parts)) <= WINDOW
    assert set(sentence) - {" "} == set("".join(parts)) - {" "}
