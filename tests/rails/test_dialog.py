"""Tests of the dialog lane: what it says, to what, and that it says nothing else."""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rails.definition import NO_SERVICES
from rails.dialog import DialogReport
from rails.dialog_document import check_dialog
from rails.errors import PolicyInvalid, ProbeFailed
from rails.policy import load_policy, policy_schema
from rails.types import RailContext, RailStatus
from tests.rails.dialog_policies import DIALOG, GREETING, PERSON, SERVICES, dialog_policy, document

# Hypothesis watches garbage collection; a thread that is told to end may hear it just there.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

OTHER = "how do I reset my password today"


@pytest.fixture(scope="module")
def policy():
    return dialog_policy()


def converse(policy, text, language="en", **changes) -> DialogReport:
    return asyncio.run(policy.dialog.converse(text, RailContext(language), **changes))


@pytest.mark.parametrize(
    ("text", "language", "topic", "wanted"),
    [
        ("hello", "en", "greeting", GREETING["replies"]["en"]),
        ("good morning", "pt-BR", "greeting", GREETING["replies"]["pt-BR"]),
        ("hello", "fr", "greeting", GREETING["replies"]["en"]),
        ("let me talk to a person", "en", "person", PERSON["replies"]["en"]),
    ],
)
def test_a_topic_gets_one_of_its_approved_replies_in_the_right_language(policy, text, language, topic, wanted):
    report = converse(policy, text, language)
    reasons = {"greeting": "dialog.greeting", "person": "dialog.person.handoff"}
    assert (report.reply.topic, report.record.reason) == (topic, reasons[topic])
    assert report.record.status is RailStatus.PASSED
    assert report.reply.text in wanted
    assert not report.has_failed


@pytest.mark.parametrize(
    ("language", "served", "wanted"),
    [
        ("fr", ("pt", "en"), "pt-BR"),
        ("pt-PT", ("en",), "pt-BR"),
        ("de", ("en", "pt"), "en"),
        ("fr", ("de", "fr"), None),
        ("en", ("de", "fr"), "en"),
    ],
)
def test_a_reply_is_in_the_language_of_the_message_or_of_the_assistant_and_in_no_other(
    policy, language, served, wanted
):
    report = asyncio.run(policy.dialog.converse("hello", RailContext(language, served)))
    assert not report.has_failed
    assert (report.reply.text if report.reply else None) in (GREETING["replies"][wanted] if wanted else [None])
    shown = {text for _, text in policy.dialog.texts(language, served[0])}
    assert shown == ({*GREETING["replies"][wanted], *PERSON["replies"][wanted]} if wanted else set())


def test_the_same_message_gets_the_same_reply_and_other_messages_get_every_variant():
    policy, messages = dialog_policy(limit=0.3), ["hello " * number for number in range(1, 25)]
    said = [converse(policy, message).reply for message in messages]
    again = [converse(policy, message).reply for message in messages]
    assert said == again
    assert {reply.text for reply in said if reply} == set(GREETING["replies"]["en"])


def test_a_topic_that_hands_over_says_to_whom(policy):
    assert converse(policy, "let me talk to a person").reply.contact.phone == "4100"
    assert converse(policy, "hello").reply.contact is None


def test_what_is_near_no_example_is_handed_back(policy):
    report = converse(policy, OTHER)
    assert (report.reply, report.record.status, report.record.reason) == (None, RailStatus.PASSED, None)


def test_an_approved_prompt_that_was_meant_is_handed_back_whatever_the_message_says(policy):
    report = converse(policy, "hello", is_matched=True)
    assert (report.reply, report.has_failed) == (None, False)


def test_a_topic_has_the_dialogs_limit_or_its_own():
    text = "hello there you"
    assert converse(dialog_policy(limit=0.3), text).reply.topic == "greeting"
    assert converse(dialog_policy(limit=1.0), text).reply is None
    own = {"limit": 1.0, "topics": [{**GREETING, "limit": 0.3}, PERSON]}
    assert converse(dialog_policy(own), text).reply.topic == "greeting"


def test_conversations_at_the_same_time_keep_apart(policy):
    asked = [("hello", "greeting"), ("let me talk to a person", "person"), (OTHER, None)] * 6

    async def all_at_once():
        return await asyncio.gather(*(policy.dialog.converse(text, RailContext()) for text, _ in asked))

    reports = asyncio.run(all_at_once())
    assert [report.reply and report.reply.topic for report in reports] == [topic for _, topic in asked]


def test_nothing_is_kept_of_a_conversation(policy):
    before = len(policy.dialog.engine._rails.events_history_cache)
    for _ in range(5):
        converse(policy, "hello")
    assert len(policy.dialog.engine._rails.events_history_cache) == before == 0


def test_a_dialog_fits_the_published_schema():
    jsonschema.Draft202012Validator(policy_schema()).validate(document())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(policy_schema()).validate(document(topic=[]))


def changed(path, value):
    dialog = copy.deepcopy(DIALOG)
    place = dialog
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return dialog


@pytest.mark.parametrize(
    ("dialog", "words"),
    [
        (changed(["limit"], 1.5), "limit"),
        ({"topics": [GREETING]}, "limit"),
        (changed(["topics"], []), "topics"),
        (changed(["topics", 0, "examples"], []), "examples"),
        (changed(["topics", 0, "exampels"], ["x"]), "exampels"),
        (changed(["topics", 0, "name"], "Big Name"), "name"),
        (changed(["topics", 1, "name"], "greeting"), "already"),
        (changed(["topics", 1, "examples"], ["Good  MORNING"]), "too"),
        (changed(["topics", 0, "examples"], ["  "]), "examples"),
        (changed(["topics", 1, "replies"], {"en": ["Call."]}), "same languages"),
        (changed(["topics", 0, "replies", "en"], ["a", "b", "c", "d"]), "en"),
        (changed(["topics", 0, "replies", "en"], ["  "]), "blank"),
        (changed(["topics", 0, "replies", "en"], ["Hello {name}"]), "shown as it stands"),
        (changed(["topics", 0, "replies", "en"], ["Hello $user_message"]), "shown as it stands"),
        (changed(["topics", 0, "replies", "en"], ["Hello {{ 7 * 7 }}"]), "shown as it stands"),
        (changed(["topics", 1, "contact"], {"name": "Desk"}), "reached by name"),
        (changed(["topics", 1, "contact", "fax"], "1"), "fax"),
    ],
)
def test_a_dialog_that_would_not_do_what_it_says_is_refused_with_its_place(dialog, words):
    with pytest.raises(PolicyInvalid, match=words):
        load_policy(document(dialog))


def test_a_dialog_without_an_embedder_is_refused():
    for services in (NO_SERVICES, replace(SERVICES, embed=None), replace(SERVICES, neighbours=None)):
        with pytest.raises(PolicyInvalid, match="embedder"):
            dialog_policy(services=services)


@given(st.lists(st.text(min_size=1, max_size=80), min_size=30, max_size=30))
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_reply_that_is_taken_comes_out_as_it_was_approved(texts):
    topics = []
    for number, text in enumerate(texts):
        topic = {"name": f"t{number}", "examples": [f"word{number}"], "replies": {"en": [text]}}
        try:
            check_dialog(load_policy(document({"limit": 0.9, "topics": [topic]})).dialog)
        except PolicyInvalid:
            continue
        topics.append(topic)
    if not topics:
        return
    # `compile_policy` raises for a reply that comes out changed: none that was taken may.
    with ThreadPoolExecutor(1) as beside:
        policy = beside.submit(dialog_policy, {"limit": 0.9, "topics": topics}).result()
    assert converse(policy, "word" + topics[0]["name"][1:]).reply.text == topics[0]["replies"]["en"][0].strip()


FLOWS = {
    "a topic of its own": """
define flow expert greeting
  user topic greeting
  bot greet like an expert

define bot greet like an expert
  "An expert greets you."
""",
    "two texts": """
define flow expert greeting
  user topic greeting
  if $language == "en"
    bot greet like an expert
    bot offer help

define bot greet like an expert
  "An expert greets you."

define bot offer help
  "What can I do?"
""",
}


def test_an_experts_flow_goes_before_the_generated_one():
    reply = converse(dialog_policy(colang=FLOWS["a topic of its own"]), "hello").reply
    assert (reply.topic, reply.text, reply.contact) == ("greeting", "An expert greets you.", None)


def test_an_experts_flow_may_say_two_approved_texts():
    policy = dialog_policy(colang=FLOWS["two texts"] + "\ndefine flow rest\n  user topic greeting\n  bot offer help\n")
    assert converse(policy, "hello").reply.text == "An expert greets you.\nWhat can I do?"


def test_an_experts_flow_may_answer_what_is_off_topic():
    colang = (
        'define flow off topic\n  user other message\n  bot stay\n\ndefine bot stay\n  "Let us stay with the desk."\n'
    )
    report = converse(dialog_policy(colang=colang), OTHER)
    assert (report.reply.topic, report.reply.text) == ("other", "Let us stay with the desk.")
    assert report.record.reason == "dialog.other"


def test_every_text_that_may_be_shown_is_told_with_its_place():
    told = dict(reversed(pair) for pair in dialog_policy(colang=FLOWS["a topic of its own"]).dialog.texts("en", "en"))
    assert told["Hello. Ask away."] == "dialog.topics[0].replies.en"
    assert told["An expert greets you."] == "dialog.colang"
    assert "Olá." not in told
    assert len(told) == 5


@pytest.mark.parametrize(
    ("colang", "words"),
    [
        ("define flow a\n  user topic greeting\n  while True\n    execute create_event\n", "NeMo cannot read it"),
        ("define flow a\n  user topic greeting\n  bot b\n" * 2, "NeMo cannot read it"),
        ('define bot inform internal error occurred\n  "All is well."\n', "NeMo's own failure"),
        ('define bot fine\n  "I\'m sorry, an internal error has occurred."\n', "NeMo's own failure"),
        ('define bot fine\n  "one"\n  "two"\n', "several texts"),
        ('define bot fine\n  "You said $user_message"\n', "template"),
        ('define bot fine\n  "{{ 7 * 7 }}"\n', "template"),
        ('define bot fine\n  ""\n', "blank"),
    ],
)
def test_a_source_that_nemo_or_its_adapter_does_not_take_is_refused(colang, words):
    with pytest.raises(PolicyInvalid, match=words):
        dialog_policy(colang=colang)


GREETED = "define flow bad\n  user topic greeting\n"


@pytest.mark.parametrize(
    "body",
    [
        "  while True\n    $x = 1\n",
        "  while True\n    execute retrieve_relevant_chunks\n",
        "  bot something that nobody defined\n",
        "  bot $user_message\n",
        '  bot "words of its own"\n',
        "  execute no_such_action\n  bot hand back\n",
        "  execute wolfram_alpha_request(query=$user_message)\n  bot hand back\n",
        "  do no such flow\n  bot hand back\n",
        "  $x = no_such_function()\n  bot hand back\n",
        "  $x = execute generate_value(instructions=$user_message)\n  bot hand back\n",
    ],
    ids=[
        "endless",
        "endless with an action",
        "an undefined text",
        "the person's words",
        "a text without a name",
        "an unknown action",
        "an action of NeMo's library",
        "an undefined flow",
        "an expression that fails",
        "an action that asks the model",
    ],
)
def test_a_flow_that_does_not_end_in_an_approved_text_is_refused_before_it_serves(body):
    with pytest.raises(ProbeFailed, match="topic 'greeting'"):
        dialog_policy(colang=GREETED + body, rail_s=0.4)


@pytest.mark.parametrize("name", ["actions.py", "actions"])
def test_nemo_is_not_started_where_it_would_run_files_of_the_working_folder(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyInvalid, match="working folder"):
        dialog_policy()
