"""Which refusal text a person reads, whatever languages it is written in."""

import pytest

from rails.engine import compile_policy
from rails.policy import load_policy
from rails.refusals import refusal_language

POLICY = {
    "name": "desk",
    "input": [{"rail": "length"}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No.", "length": "Too long."}, "pt": {"default": "Não."}},
}


@pytest.mark.parametrize(
    ("language", "default", "rail", "want"),
    [
        ("en", "en", "length", "Too long."),
        ("en", "en", "secrets", "No."),
        ("pt-BR", "en", "length", "Não."),
        ("xx", "en", "length", "Too long."),
        ("xx", "pt-BR", "length", "Não."),
        ("xx", "yy", "length", "Too long."),
    ],
)
def test_a_refusal_falls_back_to_a_language_and_a_text_that_exist(language, default, rail, want):
    assert compile_policy(load_policy(POLICY), 7).refusal(language, rail, default=default) == want


@pytest.mark.parametrize(
    ("language", "default", "written", "want"),
    [
        ("pt-BR", "en", ("pt-PT", "pt-BR", "pt"), "pt-BR"),
        ("pt-BR", "en", ("pt-PT", "pt"), "pt"),
        ("pt-BR", "en", ("en", "pt-PT"), "pt-PT"),
        ("PT-br", "en", ("en", "pt-BR"), "pt-BR"),
        ("fr", "en", ("de", "en"), "en"),
        ("fr", "en", ("de",), None),
        ("fr", "en", (), None),
    ],
)
def test_the_nearest_language_serves(language, default, written, want):
    assert refusal_language(language, default, written) == want
