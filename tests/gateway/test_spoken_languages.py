"""An assistant in a language that its policy's language rail cannot tell is refused before every question fails."""

import msgspec
import pytest

from gateway.spoken_languages import unjudged_languages
from store.content import Assistant
from tests.building import ASSISTANT


def told(languages, rails):
    assistant = msgspec.convert(ASSISTANT | {"languages": list(languages)}, Assistant)
    return list(unjudged_languages([assistant], {assistant.policy: {"input": [{"rail": one} for one in rails]}}))


@pytest.mark.parametrize("tag", ["mt", "xx", "English", "zu-ZA"])
def test_an_unknown_language_is_named_where_the_rail_runs(tag):
    (line,) = told(("en", tag), ["length", "language"])
    assert f"cannot tell {tag}." in line
    assert told(("en", tag), ["length"]) == []


def test_known_languages_with_and_without_a_region_pass():
    assert told(("en", "pt-BR", "ar"), ["language"]) == []
