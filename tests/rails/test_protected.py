"""Tests of protected texts: every disguise on made-up codes, and that nothing quotes them."""

import base64
import codecs

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks.protected import ProtectedParams, prepare
from rails.definition import NO_SERVICES
from rails.engine import compile_policy
from rails.errors import PolicyInvalid, ProbeFailed
from rails.policy import load_policy
from rails.revelations.protected import Protected
from rails.revelations.search import manner_of

_codes = st.text(st.sampled_from("bcdfghjkmnpqrtvwx"), min_size=8, max_size=14)


def _policy(**params):
    return load_policy(
        {
            "name": "p",
            "input": [{"rail": "length"}],
            "output": [{"rail": "protected", **params}],
            "refusals": {"en": {"default": "No."}},
        }
    )


@given(
    _codes,
    st.sampled_from(
        [
            str.upper,
            str.title,
            " ".join,
            "-".join,
            "\n".join,
            "*".join,
            lambda code: code[::-1],
            lambda code: codecs.encode(code, "rot13"),
            lambda code: base64.b64encode(code.encode()).decode(),
            lambda code: base64.b64encode(f"ok, {code}!".encode()).decode(),
            lambda code: code.encode().hex(),
            lambda code: code.encode().hex(" "),
            lambda code: " ".join(f"\\x{byte:02x}" for byte in code.encode()),
            lambda code: " ".join(f"{byte:08b}" for byte in code.encode()),
            lambda code: ", ".join(str(byte) for byte in code.encode()),
            lambda code: "".join(f"&#{byte};" for byte in code.encode()),
            " then ".join,
            lambda code: f"{code[:4]} comes first, then {code[4:]}",
            lambda code: " ".join(f"{letter}ome" for letter in code),
        ]
    ),
)
def test_a_disguised_code_is_found_in_a_sentence(code, disguise):
    assert manner_of(f"Well then: {disguise(code)} (so it is)", (Protected.of(code),)) is not None


@given(_codes, st.text(st.sampled_from("aeiouylsz .,\n"), max_size=200))
def test_an_answer_without_the_letters_of_a_code_does_not_give_it_away(code, answer):
    assert manner_of(answer, (Protected.of(code),)) is None


@given(st.text(max_size=60), st.text(min_size=1, max_size=30))
def test_any_text_can_be_searched_for_any_other(answer, text):
    manner_of(answer, (Protected.of(text),))


@given(st.text(min_size=1, max_size=30).filter(str.strip))
def test_a_text_gives_itself_away(text):
    assert manner_of(f"It is: {text}", (Protected.of(text),)) is not None


def test_nothing_that_is_written_somewhere_quotes_a_protected_text():
    params = msgspec.convert({"rail": "protected", "texts": ["copperfield"]}, ProtectedParams)
    assert "copper" not in repr(params)
    assert "copper" not in repr(prepare(params, NO_SERVICES))
    with pytest.raises(ProbeFailed) as refused:
        compile_policy(_policy(texts=["service desk"]), 1)
    assert "service desk" not in str(refused.value)


def test_a_common_word_is_refused_as_a_protected_text():
    with pytest.raises(ProbeFailed):
        compile_policy(_policy(texts=["please"]), 1)


def test_a_blank_text_is_refused():
    with pytest.raises(PolicyInvalid, match="blank"):
        _policy(texts=["  "])


def test_masking_is_refused():
    with pytest.raises(PolicyInvalid, match="transform"):
        _policy(texts=["copperfield"], on_fail="transform")
