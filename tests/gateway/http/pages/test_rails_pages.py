"""Rails on pages: what a policy does, its text and its form, and drafts that never go live by themselves."""

import copy
import re

import pytest

from store.catalog import publish_bundle
from store.changes.types import EditKind, Item
from store.formats.bundle import Bundle
from store.formats.documents import write_yaml
from store.people import Role
from tests.administration import AdminWorld
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = pytest.mark.anyio
ONE = "/admin/rails/helpdesk"


@pytest.fixture
def rails(admin: AdminWorld) -> AdminWorld:
    made = Bundle((prompt("it.vpn"),), (assistant("helpdesk", policy="helpdesk"),), {"helpdesk": POLICY})
    publish_bundle(admin.database, made, author="operator", note="first")
    return admin


def drafted(admin: AdminWorld, person) -> dict:
    (change,) = admin.changing.drafts.page(person.actor).changes
    found = admin.changing.contents.get(person.actor, Item(EditKind.POLICY, "helpdesk"), change.id)
    return dict(found.document)


async def test_without_policies_the_list_says_where_they_come_from(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/rails")
    assert "No policy yet" in browser.text
    assert browser.page.count("table") == 0
    await browser.open("/admin/rails?search=nothing")
    assert "Nothing matches these filters." in browser.text


async def test_the_list_says_what_runs_where_and_what_only_watches(rails: AdminWorld, signed_in) -> None:
    watching = POLICY | {"input": [*POLICY["input"][:-1], {"rail": "injection", "monitor": True}]}
    publish_bundle(rails.database, Bundle(policies={"helpdesk": watching}), author="operator", note="second")
    rails.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/rails")
    assert "Question: Length, Hidden characters, Secrets, Commands to the assistant" in browser.text
    assert "Only watching: 1" in browser.text
    assert "Live since revision 2" in browser.text


async def test_a_policy_is_told_in_plain_words_in_the_order_in_which_it_runs(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open(ONE)
    places = [
        browser.text.index(one) for one in ("On the question", "Length length ● Blocks", "On the answer", "Markup")
    ]
    assert places == sorted(places)
    assert "I cannot help with that." in browser.text
    arabic = await signed_in("ada", language="ar")
    await arabic.open(ONE)
    assert "على السؤال" in arabic.text


async def test_a_typo_in_the_text_is_told_with_its_place_and_nothing_is_lost(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    typed = write_yaml(POLICY).replace("rail: hidden", "rail: hiden").replace("refusals:", "# my note\nrefusals:")
    await browser.send(f"{ONE}/code", text=typed)
    assert browser.status == 422
    assert "There is no rail `hiden`" in browser.text
    line = typed.split("\n").index("  - rail: hiden") + 1
    assert f"Line {line}, column 11" in browser.text
    assert "# my note" in browser.reply.text
    assert not rails.changing.drafts.page(ada.actor).changes


@pytest.mark.parametrize(
    "text", ["", "{", "name: helpdesk", "name: other\n", "- a\n", "a: &b 1\nc: *b\n", "\u2028: \x07"]
)
async def test_whatever_is_typed_is_answered_with_a_place(rails: AdminWorld, signed_in, text: str) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    await browser.send(f"{ONE}/code", text=text)
    assert browser.status == 422
    assert "Line " in browser.text


async def test_another_name_is_refused_because_assistants_use_this_one(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    await browser.send(f"{ONE}/code", text=write_yaml(POLICY | {"name": "another"}))
    assert browser.status == 422
    assert "The name of this policy is `helpdesk`." in browser.text


async def test_text_without_a_weakening_becomes_a_draft_at_once(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    stricter = copy.deepcopy(POLICY)
    stricter["input"][0]["max_chars"] = 500
    await browser.send(f"{ONE}/code", text=write_yaml(stricter))
    assert browser.status == 200
    assert "The draft is saved in a change." in browser.text
    assert "Nothing here lets more through than what is live." in browser.text
    assert "length.max_chars 1000 500" in browser.text
    assert drafted(rails, ada) == stricter
    (change,) = rails.changing.drafts.page(ada.actor).changes
    await browser.open(f"/admin/changes/{change.id}")
    assert "Less is stopped" not in browser.text
    assert "Stops less" not in browser.text
    live = rails.changing.contents.get(ada.actor, Item(EditKind.POLICY, "helpdesk"))
    assert live.document == POLICY


async def test_taking_a_rail_out_is_asked_about_once_more(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    weaker = POLICY | {"input": [one for one in POLICY["input"] if one["rail"] != "secrets"]}
    await browser.send(f"{ONE}/code", text=write_yaml(weaker))
    assert browser.status == 422
    assert "Stops less on the question · secrets is taken out" in browser.text
    assert not rails.changing.drafts.page(ada.actor).changes
    await browser.send(f"{ONE}/code", text=write_yaml(weaker), meant="1")
    assert browser.status == 200
    assert "Less is stopped than now, or may be: 1" in browser.text
    assert drafted(rails, ada) == weaker
    (change,) = rails.changing.drafts.page(ada.actor).changes
    await browser.open(f"/admin/changes/{change.id}")
    assert "Less is stopped than now, or may be: 1" in browser.text, "whoever reviews the change sees it there"
    assert "Stops less on the question · secrets is taken out" in browser.text


async def test_the_form_changes_what_was_touched_and_nothing_else(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/form")
    typed = {
        "input.length.max_chars": "500",
        "input.injection.place": "1",
        "input.secrets.on_fail": "transform",
        "output.grounding.min_support": "0.8",
        "output.add": "refusal",
        "refusal.en.default": "Please call us.",
    }
    await browser.send(f"{ONE}/form", **typed)
    assert (browser.status, "Less would be stopped" in browser.text) == (422, True), "masking stops less than blocking"
    await browser.send(f"{ONE}/form", meant="1")
    assert browser.status == 200
    assert drafted(rails, ada) == POLICY | {
        "input": [
            {"rail": "injection"},
            {"rail": "length", "max_chars": 500},
            {"rail": "hidden"},
            {"rail": "secrets", "on_fail": "transform"},
        ],
        "output": [
            {"rail": "secrets"},
            {"rail": "grounding", "min_support": 0.8},
            {"rail": "markup"},
            {"rail": "refusal"},
        ],
        "refusals": {"en": {"default": "Please call us."}},
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("input.length.max_chars", "many", "Type a whole number."),
        ("input.length.max_chars", "0", "Type a number between 1 and 100,000."),
        ("input.length.min_distinct_share", "nan", "Type a number between 0 and 1."),
        ("input.length.min_distinct_share", "1e999", "Type a number between 0 and 1."),
        ("input.length.place", "first", "Type a whole number."),
    ],
)
async def test_a_value_that_cannot_be_is_told_at_its_field(
    rails: AdminWorld, signed_in, field: str, value: str, words: str
) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/form")
    await browser.send(f"{ONE}/form", **{field: value, "refusal.en.default": "Kept."})
    assert browser.status == 422
    assert words in browser.text
    assert f'href="#f-{field}"' in browser.reply.text
    kept = dict(browser.page.form(f"{ONE}/form")["fields"])
    assert (kept[field], kept["refusal.en.default"]) == (value, "Kept.")


async def test_a_policy_with_no_rail_left_is_refused_in_words(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/form")
    gone = {f"input.{one['rail']}.gone": "1" for one in POLICY["input"]}
    await browser.send(f"{ONE}/form", **gone)
    assert browser.status == 422
    assert "No rail stands under `input`" in browser.text


@pytest.mark.parametrize("view", ["code", "form"])
async def test_two_people_at_once_lose_nothing(rails: AdminWorld, signed_in, view: str) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/{view}")
    other = POLICY | {"refusals": {"en": {"default": "Somebody else's words."}}}
    publish_bundle(rails.database, Bundle(policies={"helpdesk": other}), author="operator", note="meanwhile")
    mine = {"code": {"text": write_yaml(POLICY | {"refusals": {"en": {"default": "Mine."}}})}}
    typed = mine.get(view, {"refusal.en.default": "Mine."})
    await browser.send(f"{ONE}/{view}", **typed)
    assert browser.status == 409
    assert "Mine." in browser.text
    if view == "code":
        assert "Somebody else's words." in browser.text
    await browser.send(f"{ONE}/{view}", **typed)
    assert "The draft is saved in a change." in browser.text


async def test_readers_see_the_text_and_cannot_change_it(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.AUDITOR)
    browser = await signed_in("ada")
    for view in ("code", "form"):
        await browser.open(f"{ONE}/{view}")
        assert browser.status == 200
        assert "Editors and administrators change policies." in browser.text
    await browser.open(ONE)
    assert "Editors, approvers and administrators may try texts" in browser.text


async def test_a_text_is_tried_at_a_stage_with_the_whole_trace(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(ONE)
    key = "AKIA" + "QWERTYUIOPASDFGH"
    await browser.send(f"{ONE}/try#try", text=f"my key is {key}", stage="input")
    assert browser.status == 200
    assert "Blocked" in browser.text
    assert "I cannot help with that." in browser.text
    assert "secrets" in browser.text
    assert "injection" in browser.text
    assert "Not run" in browser.text
    await browser.send(f"{ONE}/try#try", text="The office opens at 7.", stage="output", facts="The office opens at 7.")
    assert "Goes on as it is" in browser.text
    await browser.send(f"{ONE}/try#try", text="", stage="input")
    assert browser.status == 422


async def test_a_policy_of_another_tenant_is_not_there(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.EDITOR, assistants=("shop",))
    browser = await signed_in("ada")
    for path in (ONE, f"{ONE}/code", f"{ONE}/form", "/admin/rails/nothing", f"{ONE}?change=nothing"):
        await browser.open(path)
        assert browser.status == 404, path
    await browser.open("/admin/rails")
    assert "helpdesk" not in browser.text


async def test_a_text_is_checked_without_being_saved(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    fields = [one for one in browser.page.form(f"{ONE}/code")["fields"] if one[0] != "text"]
    typo = write_yaml(POLICY).replace("rail: hidden", "rail: hiden")
    await browser.post(f"{ONE}/code/check", [*fields, ("text", typo)])
    assert (browser.status, "There is no rail `hiden`" in browser.text) == (200, True)
    line = typo.split("\n").index("  - rail: hiden") + 1
    assert f'data-line="{line}" data-column="11"' in browser.reply.text
    assert dict(browser.page.form(f"{ONE}/code")["fields"])["text"].rstrip() == typo.rstrip()
    weaker = POLICY | {"input": [one for one in POLICY["input"] if one["rail"] != "secrets"]}
    await browser.post(f"{ONE}/code/check", [*fields, ("text", write_yaml(weaker))])
    assert "Places where it stops less than what is live: 1." in browser.text
    await browser.post(f"{ONE}/code/check", [*fields, ("text", write_yaml(POLICY))])
    assert ("To be mended: 0. To be looked at: 1." in browser.text, "stops less" in browser.text) == (True, False)
    tested = POLICY | {"tests": [{"text": "How do I reset it?", "stage": "input", "expect": "passed"}]}
    await browser.post(f"{ONE}/code/check", [*fields, ("text", write_yaml(tested))])
    assert "Nothing is wrong with it" in browser.text
    assert not rails.changing.drafts.page(ada.actor).changes


def listed(text: str) -> tuple[int, int]:
    """Gives how many mistakes the panel counts, and how many findings it lists."""
    panel = text.partition('id="live-lint"')[2].partition("</section>")[0]
    told = re.search(r"To be mended: (\d+)", panel)
    named = re.findall(r"<li[ >]", panel.partition('class="findings"')[2].partition("</ul>")[0].partition("</ol>")[0])
    return int(told[1]) if told else 0, len(named)


async def test_as_many_mistakes_are_counted_as_are_listed(rails: AdminWorld, signed_in) -> None:
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    typed = write_yaml(POLICY).replace("rail: hidden", "rail: hiden").replace("rail: length", "rail: lenght")
    fields = [one for one in browser.page.form(f"{ONE}/code")["fields"] if one[0] != "text"]
    for path in (f"{ONE}/code", f"{ONE}/code/check"):
        await browser.post(path, [*fields, ("text", typed)])
        errors, _ = listed(browser.reply.text)
        assert errors == browser.reply.text.count('data-line="') == 2, path
    assert "Mistakes: 2." in (await browser.post(f"{ONE}/code", [*fields, ("text", typed)])).text
    weaker = POLICY | {"input": [one for one in POLICY["input"] if one["rail"] != "secrets"]}
    await browser.post(f"{ONE}/code", [*fields, ("text", write_yaml(weaker))])
    assert ("Stops less" in browser.text, listed(browser.reply.text)) == (True, (0, 0))
    await browser.open(f"{ONE}/form")
    await browser.send(f"{ONE}/form", **{"input.secrets.gone": "1"})
    assert ("Stops less" in browser.text, listed(browser.reply.text)) == (True, (0, 0))
    await browser.open(f"{ONE}/form")
    await browser.send(f"{ONE}/form", **{"input.length.max_chars": "many", "input.length.place": "first"})
    assert listed(browser.reply.text) == (2, 2)
    await browser.open(f"{ONE}/form")
    await browser.send(f"{ONE}/form", **{f"input.{one['rail']}.gone": "1" for one in POLICY["input"]})
    assert listed(browser.reply.text) == (1, 1)


async def test_tests_that_go_are_told_by_their_texts(rails: AdminWorld, signed_in) -> None:
    cases = [{"text": f"Question {number} that goes on", "stage": "input", "expect": "passed"} for number in range(9)]
    live = POLICY | {"tests": cases}
    publish_bundle(rails.database, Bundle(policies={"helpdesk": live}), author="operator", note="second")
    rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/code")
    await browser.send(f"{ONE}/code", text=write_yaml(POLICY | {"tests": cases[:-1]}))
    assert '<del dir="ltr">Question 8 that goes on</del> <ins dir="ltr">\N{EN DASH}</ins>' in browser.reply.text


async def test_a_form_is_checked_without_being_saved(rails: AdminWorld, signed_in) -> None:
    ada = rails.user("ada", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open(f"{ONE}/form")
    fields = browser.page.form(f"{ONE}/form")["fields"]
    await browser.post(f"{ONE}/form/check", [*fields, ("input.length.max_chars", "many")])
    assert browser.status == 422
    assert "To be mended: 1." in browser.text
    await browser.post(f"{ONE}/form/check", [*fields, ("input.secrets.gone", "1")])
    assert "Places where it stops less than what is live: 1." in browser.text
    assert not rails.changing.drafts.page(ada.actor).changes
