"""Prompts on pages: reading, drafting, mending, comparing and restoring, without a script and without losing a text."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.pages.prompt_forms import document_of, form_of
from gateway.http.pages.prompt_words import PromptWords
from store.changes.documents import plain_document
from store.changes.problems import Fault, prompt_problems
from store.changes.types import Edit, EditKind
from store.errors import StoreUnavailable
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import PROMPT, draft, fill, hidden, live, publish
from tests.gateway.http.pages.test_page_states import keep_decisions, through
from tests.plain_browser import PlainBrowser
from tests.store.store_content import prompt

pytestmark = pytest.mark.anyio

KNOWN = {"key", "title", "area", "owner", "language", "audience", "review_by", "phrasings", "counterexamples"} | {
    *("follows", "follow_ups", "slots", "reply")
}
NAMES = st.sampled_from(sorted(KNOWN | {"mode", "prompt", "contact", "sampling", "values", "name", "type", "unknown"}))
LINES = st.lists(st.text(alphabet="abc {}é?", min_size=1, max_size=12).map(str.strip).filter(bool), max_size=4)
REPLIES = st.sampled_from(
    [
        {"mode": "generate", "prompt": "Say it.", "facts": "Two\nlines\n", "fallback": "x", "sampling": {"seed": 3}},
        {"mode": "verbatim", "answer": "It is so."},
        {"mode": "handoff", "answer": "Ask them.", "contact": {"name": "Desk", "hours": "8-17", "fax": "kept"}},
        {"mode": "other", "strange": 1},
    ]
)
SLOTS = st.lists(
    st.sampled_from(
        [
            {"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "A", "also": ["B"], "fact": "C."}]},
            {"type": "enum", "name": "odd", "ask": "Which?", "values": [{"value": "a; b", "fact": "two\nlines"}]},
            {"type": "integer", "name": "days", "ask": "How many?", "minimum": 1, "maximum": 9},
            {"type": "pattern", "name": "code", "ask": "Which?", "pattern": "[a-z]+", "later": "kept"},
        ]
    ),
    unique_by=lambda one: one["name"],
)


@given(phrasings=LINES, counter=LINES, reply=REPLIES, slots=SLOTS)
def test_a_form_that_nobody_touched_makes_the_document_that_it_was_made_of(phrasings, counter, reply, slots) -> None:
    document = {"key": "it.x", "title": "T", "area": "it", "phrasings": phrasings, "reply": reply, "unknown": [1]}
    document |= {"counterexamples": counter} if counter else {}
    document |= {"slots": slots} if slots else {}
    made = document_of(form_of(document), document)
    if reply["mode"] == "other":
        made["reply"] |= reply
    assert made == document


def test_every_field_that_is_wrong_is_told_at_once() -> None:
    document = plain_document(prompt()) | {"title": "", "review_by": "soon", "phrasings": ["a", "x" * 201]}
    document["reply"] = {"mode": "generate", "prompt": "x", "facts": "x"}
    found = {one.field: one for one in prompt_problems("it.vpn", document)}
    assert {name: one.fault for name, one in found.items()} == {
        "title": Fault.EMPTY,
        "review_by": Fault.DATE,
        "phrasings": Fault.TOO_LONG,
        "reply.fallback": Fault.MISSING,
    }
    assert found["phrasings"].line == 2
    assert prompt_problems("it.vpn", plain_document(prompt())) == ()
    whole = plain_document(prompt(phrasings=("a",))) | {"phrasings": ["ask {site}"]}
    (rule,) = prompt_problems("it.vpn", whole)
    assert "no such slot" in rule.text


async def test_the_list_tells_what_matters_of_each_prompt(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    keep_decisions(admin, 3, prompt_key="it.vpn")
    keep_decisions(admin, 1, id="old", prompt_key="it.vpn", at=admin.clock.at - dt.timedelta(days=40))
    publish(admin, "it.due", review_by="2026-01-01", phrasings=("one", "two"))
    ada = await signed_in("ada")
    change = await draft(ada, title="Other words")
    await ada.open("/admin/prompts")
    rows = ada.reply.text.split("<tr>")[2:]
    assert ["it.due" in one for one in rows] == [False, True, False]
    due, vpn = rows[1], rows[2]
    assert ">2<" in due
    assert "Review is due" in due
    assert "About it.vpn" in vpn
    assert ">3<" in vpn
    assert change in vpn
    assert "Draft" in vpn


async def test_the_list_is_searched_and_narrowed(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    publish(admin, "it.due", review_by="2026-01-01", language="fr", phrasings=("une question",))
    ada = await signed_in("ada")
    change = await draft(ada, title="Other words")
    await ada.open("/admin/prompts/new")
    await ada.send("/admin/prompts/new", key="it.fresh")
    for query, keys in (
        ("search=une+quest", {"it.due"}),
        ("area=hr", {"hr.leave"}),
        ("assistant=people", {"hr.leave"}),
        ("language=fr", {"it.due"}),
        ("state=due", {"it.due"}),
        ("state=in_change", {"it.vpn", "it.fresh"}),
        ("state=in_change&search=fresh", {"it.fresh"}),
        ("state=in_change&area=hr", set()),
        ("search=nothing+like+it", set()),
    ):
        await ada.open(f"/admin/prompts?{query}")
        found = {
            key for key in ("it.vpn", "hr.leave", "it.due", "it.fresh") if f"/admin/prompts/{key}" in ada.reply.text
        }
        assert found == keys, query
        if not keys:
            assert ("No result for" if "search" in query else "Nothing matches these filters.") in ada.text
    assert change
    await ada.open("/admin/prompts?state=odd")
    assert ada.status == 400


async def test_a_long_list_is_walked_through_page_by_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    keys = [f"it.p{number:03}" for number in range(110)]
    from store.catalog import publish_bundle  # noqa: PLC0415 -- here alone
    from tests.store.store_content import bundle  # noqa: PLC0415 -- as above

    publish_bundle(admin.database, bundle(*map(prompt, keys)), author="tests")
    browser = await signed_in("vic")
    assert await through(browser, "/admin/prompts?area=it&search=it.p", r"/admin/prompts/(it\.p\d{3})") == keys


async def test_an_empty_store_says_what_belongs_there(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open("/admin/prompts")
    assert "No prompts yet" in browser.text
    assert browser.page.count("table") == 0


async def test_a_prompt_is_shown_in_plain_words(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    keep_decisions(admin, 2, prompt_key="it.vpn")
    vic = await signed_in("vic")
    await vic.open(PROMPT)
    for words in ("About it.vpn", "Live, version 1", "tell me about it.vpn", "The model words the answer", "It works."):
        assert words in vic.text, words
    assert "Answered2" in vic.text
    assert f"{PROMPT}/edit" not in vic.reply.text, "a viewer is offered nothing that is refused"
    arabic = await signed_in("vic", language="ar")
    await arabic.open(PROMPT)
    assert "منشور" in arabic.text
    await vic.open("/admin/prompts/it.nothing")
    assert vic.status == 404


async def test_a_draft_is_saved_with_its_problems_and_mended(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await draft(ada, title="", facts="")
    assert "It cannot be submitted before this is mended." in ada.text
    assert "Title : This is empty." in ada.text.replace("Title:", "Title :") or "This is missing." in ada.text
    assert 'href="#f-title"' in ada.reply.text
    assert 'href="#f-facts"' in ada.reply.text
    where = change.rpartition("/")[2]
    await ada.send(f"{PROMPT}/edit", title="Whole again", facts="It works twice.")
    assert ada.path == f"{PROMPT}?change={where}"
    assert "The draft is saved." in ada.text
    assert "It works twice." in ada.text
    assert "twice</ins>" in ada.reply.text
    assert live(admin).title == "About it.vpn", "nothing is live by saving"


async def test_what_has_no_field_stays_as_it_is(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    reply = {"mode": "generate", "prompt": "Say it.", "facts": "A.", "fallback": "A.", "sampling": {"seed": 7}}
    publish(admin, reply=reply)
    ada = await signed_in("ada")
    change = await draft(ada, facts="B.", max_tokens="99")
    made = admin.changing.drafts.page(admin.access.users.named("ada").actor).changes[0]
    assert change.endswith(str(made.id))
    document = admin.changing.views.get(admin.access.users.named("ada").actor, made.id).edits[0].edit.document
    assert document["reply"]["sampling"] == {"seed": 7, "max_tokens": 99}
    assert document["reply"]["facts"] == "B."


SCHEMA = """{
  "type": "object",
  "properties": {
    "office": {"type": "strin"}
  },
  "required": ["office"],
  "additionalProperties": false
}"""


@pytest.mark.parametrize(
    ("schema", "fallback", "field", "line"),
    [
        (SCHEMA, '{"office":"Leeds"}', "reply.sampling.answer_schema", 4),
        (SCHEMA.replace("strin", "string").replace(": false", ": true"), "{}", "reply.sampling.answer_schema", 1),
        (SCHEMA.replace('"office": {', '"office" {'), "{}", "reply.sampling.answer_schema", 4),
        (SCHEMA.replace('"strin"', '"array"'), "{}", "reply.sampling.answer_schema", 4),
        ("[1]", "{}", "reply.sampling.answer_schema", 1),
        (SCHEMA.replace("strin", "string"), "The Leeds office.", "reply.fallback", None),
    ],
)
def test_a_form_that_answers_cannot_have_is_told_with_its_line(schema, fallback, field, line) -> None:
    document = plain_document(prompt())
    document["reply"] = {"mode": "generate", "prompt": "x", "facts": "x", "fallback": fallback}
    document["reply"]["sampling"] = {"answer_schema": schema}
    (problem,) = prompt_problems("it.vpn", document)
    assert (problem.field, problem.line) == (field, line), problem.text
    good = SCHEMA.replace("strin", "string")
    document["reply"] |= {"fallback": '{"office":"Leeds"}', "sampling": {"answer_schema": good}}
    assert prompt_problems("it.vpn", document) == ()


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_form_of_an_answer_is_typed_and_its_mistakes_are_told(admin: AdminWorld, signed_in, language) -> None:
    fill(admin)
    publish(admin, reply={"mode": "generate", "prompt": "Say it.", "facts": "A.", "fallback": '{"office":"Leeds"}'})
    ada = await signed_in("ada", language=language)
    change = await draft(ada, answer_schema=SCHEMA)
    await ada.open(f"{PROMPT}/edit?change={change.rpartition('/')[2]}")
    assert ("Line 4:" if language == "en" else "السطر") in ada.text
    assert 'href="#f-answer_schema"' in ada.reply.text
    assert hidden(ada, f"{PROMPT}/edit")["answer_schema"] == SCHEMA
    await ada.send(f"{PROMPT}/edit", answer_schema=SCHEMA.replace("strin", "string"))
    made = admin.changing.drafts.page(admin.access.users.named("ada").actor).changes[0]
    document = admin.changing.views.get(admin.access.users.named("ada").actor, made.id).edits[0].edit.document
    assert document["reply"]["sampling"]["answer_schema"] == SCHEMA.replace("strin", "string")
    assert "Line 4:" not in ada.text


async def test_of_two_writers_the_later_sees_both_texts_and_loses_none(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, edda = await signed_in("ada"), await signed_in("edda")
    change = await draft(ada, title="First words")
    where = change.rpartition("/")[2]
    await edda.open(f"{PROMPT}/edit?change={where}")
    await ada.open(f"{PROMPT}/edit?change={where}")
    await edda.send(f"{PROMPT}/edit", title="Edda was here")
    await ada.send(f"{PROMPT}/edit", title="Ada was here", facts="My long text.")
    assert ada.status == 409
    assert "Somebody else changed this meanwhile." in ada.text
    assert "Edda</del>" in ada.reply.text
    assert "Ada</ins>" in ada.reply.text
    kept = hidden(ada, f"{PROMPT}/edit")
    assert (kept["title"], kept["facts"]) == ("Ada was here", "My long text.")
    await ada.send(f"{PROMPT}/edit")
    assert "The draft is saved." in ada.text
    assert "Ada was here" in ada.text


async def test_whoever_saved_it_themselves_is_not_told_of_somebody_else(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    opened = hidden(ada, f"{PROMPT}/edit")
    await ada.send(f"{PROMPT}/edit", title="First words")
    await ada.post(f"{PROMPT}/edit", list((opened | {"title": "Second words"}).items()))
    assert ada.status == 409
    assert "You saved this yourself at " in ada.text
    assert "Somebody else" not in ada.text
    assert "Second</ins>" in ada.reply.text
    await ada.send(f"{PROMPT}/edit")
    assert "The draft is saved." in ada.text


async def test_a_prompt_that_went_live_meanwhile_is_not_written_over(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    publish(admin, title="Newer")
    await ada.send(f"{PROMPT}/edit", title="Mine")
    assert ada.status == 409
    assert "Newer</del>" in ada.reply.text
    assert hidden(ada, f"{PROMPT}/edit")["title"] == "Mine"


async def test_a_new_prompt_is_drafted_and_a_taken_key_keeps_what_was_typed(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open("/admin/prompts/new")
    await ada.send("/admin/prompts/new", title="No key")
    assert ada.status == 422
    assert hidden(ada, "/admin/prompts/new")["title"] == "No key"
    await ada.send("/admin/prompts/new", key="it.vpn", phrasings="a long list\nof lines")
    assert ada.status == 409
    assert hidden(ada, "/admin/prompts/new")["phrasings"] == "a long list\nof lines"
    assert "There is a prompt with this key." in ada.text
    assert "is not what was read" not in ada.text
    assert 'href="#f-key"' in ada.reply.text
    assert 'href="/admin/prompts/it.vpn"' in ada.reply.text
    await ada.send("/admin/prompts/new", key="it.fresh")
    assert ada.path.startswith("/admin/prompts/it.fresh/edit?change=")
    await ada.open("/admin/prompts/it.fresh")
    assert "Not live" in ada.text


async def test_another_way_to_answer_takes_its_own_fields(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await draft(ada, mode="handoff", answer="Ask the desk.", contact_name="Desk", contact_phone="12 34")
    assert "Ask the desk." in ada.text
    assert "12 34" in ada.text
    assert "A person takes over" not in ada.text or "whom to turn to" in ada.text


async def test_blanks_are_added_filled_in_and_taken_out(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    typed = {"slot_0_name": "site", "slot_0_type": "enum", "slot_0_ask": "Which office?"}
    values = "Leeds; Leeds office => Leeds opens at 7.\nLisbon"
    await draft(ada, **typed, slot_0_values=values, prompt="Explain {site}. {facts}", fallback="See {site}.")
    assert "Which office?" in ada.text
    where = ada.path.partition("change=")[2]
    await ada.open(f"{PROMPT}/preview?change={where}")
    await ada.send(f"{PROMPT}/preview")
    assert (ada.status, "A value is needed." in ada.text) == (422, True)
    await ada.send(f"{PROMPT}/preview", value_site="Leeds")
    assert "See Leeds." in ada.text
    assert "<mark>" in ada.reply.text or "What people read" in ada.text
    await ada.open(f"{PROMPT}/edit?change={where}")
    assert hidden(ada, f"{PROMPT}/edit")["slot_0_values"] == values
    await ada.send(f"{PROMPT}/edit", slot_0_name="", prompt="Explain it.", fallback="See it.")
    assert "Which office?" not in ada.text


async def test_phrasings_are_held_against_the_live_ones(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    lines = "How do I report a phishing mail?\ntell me about it.vpn\nwhat is the vpn"
    await draft(ada, phrasings=lines, counterexamples="what is the vpn")
    where = ada.path.partition("change=")[2]
    await ada.open(f"{PROMPT}/edit?change={where}")
    assert "How the phrasings stand" in ada.text
    assert "Also a counterexample" in ada.text


async def test_versions_are_compared_and_an_old_one_is_drafted_again(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    publish(admin, title="Second words")
    publish(admin, title="Third words")
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/versions?from=3&to=1")
    assert "From version 1 to version 3" in ada.text
    assert "Third</ins>" in ada.reply.text.replace("Third words</ins>", "Third</ins>")
    await ada.send(f"{PROMPT}/versions/1/restore")
    assert "The old version is drafted." in ada.text
    assert live(admin).title == "Third words"
    await ada.open(f"{PROMPT}/versions?from=x&to=1")
    assert ada.status == 400
    vic = await signed_in("vic")
    await vic.open(f"{PROMPT}/versions")
    assert "/restore" not in vic.reply.text


async def test_a_removal_is_asked_about_and_drafted(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/remove")
    assert "Remove About it.vpn?" in ada.text
    await ada.send(f"{PROMPT}/remove")
    assert ada.path.startswith("/admin/changes/")
    assert "The removal is drafted." in ada.text
    assert "Removes it" in ada.text
    assert live(admin).key == "it.vpn"


async def test_an_editor_of_another_area_is_told_and_keeps_the_text(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    admin.user("hans", Role.EDITOR, areas=("hr",))
    hans: PlainBrowser = await signed_in("hans")
    await hans.open(f"{PROMPT}/edit")
    assert hans.path == PROMPT, "there is no form in which somebody types for nothing"
    assert "belongs to the area it. You edit prompts of hr" in hans.text
    assert f'href="{PROMPT}/edit"' not in hans.reply.text
    ada: PlainBrowser = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    typed = hidden(ada, f"{PROMPT}/edit") | hidden(hans, "/admin/sign-out") | {"title": "Not my area"}
    await hans.post(f"{PROMPT}/edit", list(typed.items()))
    assert hans.status == 403
    assert hidden(hans, f"{PROMPT}/edit")["title"] == "Not my area"
    await ada.open(PROMPT)
    assert f'href="{PROMPT}/edit"' in ada.reply.text
    assert "belongs to the area" not in ada.text


async def test_long_content_is_shown_whole(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    publish(admin, title="x" * 200, phrasings=tuple(f"question {number} " + "y" * 180 for number in range(200)))
    ada = await signed_in("ada")
    await ada.open(PROMPT)
    assert "Show 180 more" in ada.text
    await ada.open(f"{PROMPT}/edit")
    assert hidden(ada, f"{PROMPT}/edit")["phrasings"].count("\n") == 199


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_whatever_a_draft_holds_it_is_read_out_and_has_a_form(document) -> None:
    words = PromptWords.of(document)
    assert all(isinstance(one, str) for one in (words.title, words.mode, *words.phrasings, *words.contact))
    made = document_of(form_of(document), document)
    assert made["key"] == ("" if document.get("key") is None else str(document["key"]).strip())
    assert {name: made[name] for name in document.keys() - KNOWN} == {
        name: document[name] for name in document.keys() - KNOWN
    }
    prompt_problems("it.x", document)


async def test_a_draft_with_hardly_anything_in_it_opens_on_every_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    actor = admin.access.users.named("ada").actor
    odd = {"key": "it.odd", "slots": ["x", {"type": "enum"}], "reply": "text", "phrasings": 5, "title": None}
    for key, document in (("it.bare", {"key": "it.bare"}), ("it.odd", odd)):
        change = admin.changing.drafts.add_edit(actor, None, Edit(EditKind.PROMPT, key, document))
        for page in ("", "/edit", "/preview"):
            await ada.open(f"/admin/prompts/{key}{page}?change={change.id}")
            assert ada.status == 200, (key, page)
        await ada.open(f"/admin/changes/{change.id}")
        assert ada.status == 200


async def test_a_part_that_cannot_be_read_is_told_and_the_rest_is_shown(
    admin: AdminWorld, signed_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    ada = await signed_in("ada")

    def away(*_args, **_more):
        raise StoreUnavailable("the database at /secret/path is locked")

    monkeypatch.setattr(type(admin.administration.archive), "count", away)
    await ada.open(PROMPT)
    assert ada.status == 200
    assert "The figures cannot be read at the moment." in ada.text
    monkeypatch.setattr(type(admin.changing.finder), "newest_of", away)
    monkeypatch.setattr(type(admin.changing.drafts), "page", away)
    monkeypatch.setattr(type(admin.changing.drafts), "sorted_page", away)
    for path in ("/admin/prompts", "/admin/changes"):
        await ada.open(path)
        assert ada.status == 503, path
        assert "The database does not answer." in ada.text
        assert "/secret" not in ada.reply.text


async def test_a_session_that_ends_while_somebody_types_keeps_the_text(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    admin.clock.pass_by(days=30)
    await ada.send(f"{PROMPT}/edit", facts="Words that took an hour.")
    assert ada.status == 401
    assert "Words that took an hour." in ada.reply.text


async def test_phrasings_are_checked_as_typed_and_nothing_is_saved(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    action, typed = f"{PROMPT}/edit", "A phrasing of no other\nReset my password"
    fields = [one for one in ada.page.form(action)["fields"] if one[0] != "phrasings"]
    assert f'formaction="{PROMPT}/check#live-checks"' in ada.reply.text
    await ada.post(f"{PROMPT}/check", [*fields, ("phrasings", typed)])
    assert ada.status == 200, ada.text
    assert "of 2 phrasings do not stand by themselves." in ada.text
    assert hidden(ada, action)["phrasings"] == typed
    assert hidden(ada, action)["read"] == dict(fields)["read"]
    assert not admin.changing.drafts.page(admin.access.users.named("root").actor, limit=1).changes


async def test_a_check_does_not_make_the_form_one_of_what_was_written_meanwhile(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    publish(admin, title="Written meanwhile")
    await ada.post(f"{PROMPT}/check", ada.page.form(f"{PROMPT}/edit")["fields"])
    await ada.send(f"{PROMPT}/edit", title="Mine")
    assert ada.status == 409
    assert live(admin).title == "Written meanwhile"


async def test_phrasings_of_a_new_prompt_are_checked_before_anything_else_is_written(admin, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open("/admin/prompts/new")
    fields = dict(ada.page.form("/admin/prompts/new")["fields"])
    words = {"key": "it.lamp", "phrasings": "How do I dim the lamp?"}
    await ada.post("/admin/prompts/new/check", [*(fields | words).items()])
    assert "0 of 1 phrasings do not stand by themselves." in ada.text
    assert "the only one" in ada.text
    await ada.post("/admin/prompts/new/check", [*(fields | words | {"key": ""}).items()])
    assert "This cannot be said now" in ada.text
