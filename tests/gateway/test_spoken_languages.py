"""A policy that does not fit the languages of an assistant is refused before people meet it."""

import msgspec
import pytest

from gateway.activation import Activation
from gateway.content import import_bundle
from gateway.spoken_languages import language_problems
from rails.definition import NO_SERVICES
from rails.fakes import InProcessSandbox
from store.catalog import live_revision
from store.content import Assistant
from store.errors import InvalidContent
from store.formats.bundle import Bundle
from store.formats.documents import write_yaml
from tests.building import ASSISTANT, POLICY
from tests.gateway.following import Place


def assistant_of(*languages):
    return msgspec.convert(ASSISTANT | {"languages": list(languages)}, Assistant)


def told(languages, rails=(), refusals=()):
    assistant = assistant_of(*languages)
    policy = {"input": [{"rail": one} for one in rails], "refusals": {tag: {"default": "No."} for tag in refusals}}
    return list(language_problems([assistant], {assistant.policy: policy}))


@pytest.mark.parametrize("tag", ["mt", "xx", "English", "zu-ZA"])
def test_an_unknown_language_is_named_where_the_rail_runs(tag):
    (line,) = told(("en", tag), ["length", "language"])
    assert f"cannot tell {tag}." in line
    assert told(("en", tag), ["length"]) == []


def test_known_languages_with_and_without_a_region_pass():
    assert told(("en", "pt-BR", "ar"), ["language"]) == []


@pytest.mark.parametrize(
    ("served", "written", "missing"),
    [
        (("en",), ("de",), "en"),
        (("en", "fr"), ("fr", "de"), "en"),
        (("pt-BR", "es"), ("en",), "pt-BR, es"),
    ],
)
def test_an_assistant_whose_people_would_read_a_foreign_refusal_is_named_with_its_language(served, written, missing):
    (line,) = told(served, refusals=written)
    assert f"the assistant desk serves {missing}, " in line
    assert f"only in {', '.join(written)}." in line
    assert f"Add `{served[0]}:`" in line


@pytest.mark.parametrize(
    ("served", "written"),
    [
        (("en",), ("de", "en")),
        (("en", "fr", "de"), ("en",)),  # the first language serves the others
        (("pt-BR",), ("pt",)),
        (("pt",), ("pt-BR",)),
        (("pt-br",), ("pt-BR",)),
        (("en", "fr"), ("fr", "en-GB")),
    ],
)
def test_a_refusal_in_the_language_or_in_the_first_one_is_enough(served, written):
    assert told(served, refusals=written) == []


GERMAN = {**POLICY, "refusals": {"de": {"default": "Das wurde angehalten."}}}


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.publish()
    yield made
    made.database.close()


def test_a_policy_that_refuses_only_in_a_foreign_language_is_not_activated(place):
    report = Activation(place.database, NO_SERVICES, InProcessSandbox()).activate(write_yaml(GERMAN), author="tests")
    assert report.published is None
    (problem,) = report.examination.problems
    assert "the assistant desk serves en, " in problem
    assert live_revision(place.database) == 1


def test_a_policy_that_refuses_only_in_a_foreign_language_is_not_imported(place):
    with pytest.raises(InvalidContent, match="the assistant desk serves en, "):
        import_bundle(place.database, Bundle(policies={"desk": GERMAN}), sandbox=InProcessSandbox())
    with pytest.raises(InvalidContent, match="the assistant desk serves fr, "):
        import_bundle(place.database, Bundle(assistants=(assistant_of("fr"),)), sandbox=InProcessSandbox())
    assert live_revision(place.database) == 1
