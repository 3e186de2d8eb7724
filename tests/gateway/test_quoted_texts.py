"""People's own texts are quoted to the model only where rails look at them and at what comes of them."""

import msgspec
import pytest

from gateway.activation import Activation
from gateway.content import import_bundle
from gateway.quoted_texts import unguarded_quotes
from rails.definition import NO_SERVICES
from rails.fakes import InProcessSandbox
from store.catalog import live_revision, publish_bundle
from store.content import Assistant, CanonicalPrompt
from store.errors import InvalidContent
from store.formats.bundle import Bundle
from store.formats.documents import write_yaml
from tests.building import ASSISTANT, POLICY, RESET, SUMMARY
from tests.gateway.following import Place

LINE = "assistants/desk.yaml: policy: it.summary quotes people's own texts to the model, and policy desk lacks "
PLAIN = POLICY | {"refusals": {"en": {"default": "No."}}}


def policy(rail=None, **instead):
    """The usual policy, without a rail or with other settings of it."""

    def rails(stage):
        for one in PLAIN[stage]:
            if one["rail"] != rail:
                yield one
            elif instead:
                yield one | instead

    return PLAIN | {stage: list(rails(stage)) for stage in ("input", "output")}


def content(guarded, *prompts):
    read = tuple(msgspec.convert(one, CanonicalPrompt) for one in prompts or (RESET, SUMMARY))
    return Bundle(read, (msgspec.convert(ASSISTANT, Assistant),), {"desk": guarded})


UNGUARDED = {
    "no rail on what is brought": (policy("injection"), "injection"),
    "no rail on what comes of it": (policy("grounding"), "grounding"),
    "a rail that only watches": (policy("injection", monitor=True), "injection"),
    "another that only watches": (policy("grounding", monitor=True), "grounding"),
}


@pytest.mark.parametrize(("unguarded", "lacks"), UNGUARDED.values(), ids=UNGUARDED)
def test_an_assistant_that_quotes_without_the_rails_for_it_is_named_with_what_is_lacking(unguarded, lacks):
    (line,) = unguarded_quotes(content(unguarded))
    assert line == f"{LINE}{lacks}. Add what it lacks, without `monitor`."


def test_everything_that_is_lacking_is_told_at_once():
    bare = PLAIN | {"input": [{"rail": "length"}], "output": [{"rail": "secrets"}]}
    (line,) = unguarded_quotes(content(bare))
    assert line.startswith(f"{LINE}injection, grounding.")


def test_whoever_has_the_rails_or_quotes_nobody_is_left_alone():
    assert not list(unguarded_quotes(content(policy())))
    assert not list(unguarded_quotes(content(policy("injection"), RESET)))
    elsewhere = SUMMARY | {"key": "hr.summary", "area": "hr"}
    assert not list(unguarded_quotes(content(policy("grounding"), RESET, elsewhere)))


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    publish_bundle(made.database, content(policy()), author="tests")
    yield made
    made.database.close()


@pytest.mark.parametrize("rail", ["injection", "grounding"])
def test_a_policy_that_drops_such_a_rail_is_not_activated_while_somebody_is_quoted(place, rail):
    activation = Activation(place.database, NO_SERVICES, InProcessSandbox())
    report = activation.activate(write_yaml(policy(rail)), author="tests")
    assert report.published is None
    (problem,) = report.examination.problems
    assert problem.startswith(LINE + rail)
    assert live_revision(place.database) == 1


def test_neither_such_a_policy_nor_a_further_assistant_under_one_is_imported(place):
    bare = policy("grounding") | {"name": "bare"}
    second = msgspec.convert(ASSISTANT | {"name": "second", "policy": "bare"}, Assistant)
    for wrong in (Bundle(policies={"desk": policy("grounding")}), Bundle((), (second,), {"bare": bare})):
        with pytest.raises(InvalidContent, match="quotes people's own texts to the model"):
            import_bundle(place.database, wrong, sandbox=InProcessSandbox())
    assert live_revision(place.database) == 1
