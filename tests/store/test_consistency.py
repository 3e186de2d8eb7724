import msgspec
import pytest
from store_content import assistant, bundle, prompt

from store.consistency import check_bundle
from store.content import AssistantTexts
from store.errors import InvalidContent

SITE = {
    "slots": [{"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds"}, {"value": "Gdansk"}]}],
    "reply": {"mode": "verbatim", "answer": "{site} is open."},
}


def with_slot(**slot):
    return prompt(slots=[{"name": "x", "ask": "?", **slot}], reply={"mode": "verbatim", "answer": "{x}"})


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            bundle(prompt(), prompt("it.b", phrasings=["TELL me about it.vpn?"])),
            "prompts/it/b.yaml: phrasings[0]: 'TELL me about it.vpn?' is a phrasing of prompt it.vpn already",
        ),
        (bundle(prompt(phrasings=["a", "A."])), "prompts/it/vpn.yaml: phrasings[1]: 'A.' is a phrasing of this prompt"),
        (
            bundle(prompt(phrasings=["a b"], counterexamples=["c", "A  b!"])),
            "prompts/it/vpn.yaml: counterexamples[1]: 'A  b!' is also phrasings[0]",
        ),
        (
            bundle(prompt(phrasings=["open {site}"], counterexamples=["close {site}"], **SITE)),
            "prompts/it/vpn.yaml: counterexamples[0]: 'close {site}' has a blank",
        ),
        (bundle(prompt(phrasings=["{site}?"], **SITE)), "prompts/it/vpn.yaml: phrasings[0]: '{site}?' has no words"),
        (
            bundle(with_slot(type="pattern", pattern="(?=a)")),
            "prompts/it/vpn.yaml: slots[0].pattern: pattern '(?=a)' is not one that RE2 accepts",
        ),
        (bundle(with_slot(type="pattern", pattern="(")), "prompts/it/vpn.yaml: slots[0].pattern:"),
        *(
            (
                bundle(with_slot(type="pattern", pattern=pattern)),
                f"prompts/it/vpn.yaml: slots[0].pattern: {pattern!r} lets whole sentences through",
            )
            for pattern in ("(?s).+", ".*", ".{10}", "[a-z ]+", "[A-Z].{63}", "\\D*[?!]", "[^0-9]{60,}")
        ),
        (
            bundle(with_slot(type="integer", minimum=5, maximum=4)),
            "prompts/it/vpn.yaml: slots[0].minimum: 5 is above maximum 4",
        ),
        (
            bundle(with_slot(type="enum", values=[{"value": "Leeds"}, {"value": "York", "also": ["LEEDS"]}])),
            "prompts/it/vpn.yaml: slots[0].values[1]: 'LEEDS' stands for 'Leeds' already",
        ),
        (
            bundle(prompt(follows=["it.gone"], follow_ups=["and?"])),
            "prompts/it/vpn.yaml: follows[0]: there is no other prompt it.gone",
        ),
        (
            bundle(prompt(follows=["it.vpn"], follow_ups=["and?"])),
            "prompts/it/vpn.yaml: follows[0]: there is no other prompt it.vpn",
        ),
        (
            bundle(
                prompt(),
                prompt("it.a", follows=["it.vpn"], follow_ups=["and now"]),
                prompt("it.b", follows=["it.vpn"], follow_ups=["And now?"]),
            ),
            "prompts/it/b.yaml: follow_ups[0]: 'And now?' after it.vpn leads to it.a already",
        ),
        (
            bundle(assistants=(assistant(areas=("it", "hr")),)),
            "assistants/desk.yaml: areas[1]: no prompt is in area hr",
        ),
        (
            bundle(prompt(), prompt("hr.a"), assistants=(assistant(suggestions=("it.vpn", "hr.a")),)),
            "assistants/desk.yaml: suggestions[1]: the assistant has no prompt hr.a",
        ),
        (bundle(policies={}), "assistants/desk.yaml: policy: there is no policy plain"),
    ],
)
def test_content_that_does_not_fit_together_is_named(content, line):
    with pytest.raises(InvalidContent) as caught:
        check_bundle(content)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "pattern",
    ["INC-[0-9]{6}", "[a-z]+", "\\S{1,20}", "(Room|Floor) [0-9A-Z]{1,4}", "[A-Z][a-z]+ [A-Z][a-z]+", ".{1,8}"],
)
def test_a_pattern_for_something_with_a_form_is_taken(pattern):
    check_bundle(bundle(with_slot(type="pattern", pattern=pattern)))


def test_every_problem_is_shown_at_once():
    with pytest.raises(InvalidContent) as caught:
        check_bundle(bundle(prompt(follows=["it.gone"], follow_ups=["and?"]), policies={}))
    assert len(str(caught.value).splitlines()) == 2


def test_the_gateways_own_canonical_form_decides_what_is_the_same():
    two = bundle(prompt(), prompt("it.b", phrasings=["TELL me about it.vpn?"]))
    check_bundle(two, normalize=lambda text: text)


def test_the_same_follow_up_may_follow_different_prompts():
    check_bundle(
        bundle(
            prompt(),
            prompt("it.c"),
            prompt("it.a", follows=["it.vpn"], follow_ups=["and now"]),
            prompt("it.b", follows=["it.c"], follow_ups=["and now"]),
        )
    )


@pytest.mark.parametrize("field", ["no_match", "clarify", "withheld"])
def test_an_assistants_texts_have_no_blanks(field):
    texts = {"no_match": "No.", "clarify": "Which?", "withheld": "Withheld."}
    with pytest.raises(msgspec.ValidationError, match="an assistant has no slots"):
        msgspec.convert(texts | {field: "About {site}."}, AssistantTexts)
