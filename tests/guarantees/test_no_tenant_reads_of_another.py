"""Whoever works for one tenant reads nothing of another's documents, whatever their own run into."""

import datetime as dt
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.changing.services import policy_problem
from store.changes.documents import hash_of
from store.changes.evidence import NOTHING_ELSE, CalibrationEvidence, GateResult, SuiteEvidence
from store.changes.queue_drafts import ChangeDrafts
from store.changes.telling import ELSEWHERE, for_every_reader, place_of
from store.changes.types import Edit, EditKind, Item
from store.changes.viewing import ChangeViews
from store.database import Database, open_database
from store.errors import InvalidContent, StoreError
from store.formats.bundle import Bundle
from store.import_desk import ImportDesk
from store.people import Role
from store.review.acting import Acting
from store.review.actions import AddCounterexample, AddPhrasing, NewPrompt
from store.review.intake import Intake
from store.review.reading import Reading
from store.review.types import Bounds, Noted, Reason, Target, Wanted
from tests.migrated import migrate_new
from tests.store.changes.change_world import ChangeWorld, person
from tests.store.store_content import AT, assistant, prompt

MINE = {"assistants": ("desk",)}
ADA = person("ada", Role.EDITOR, **MINE)
BOB = person("bob", Role.APPROVER, Role.ADMIN, **MINE)
ROOT_EDITOR, ROOT_VIEWER = person("edda", Role.EDITOR), person("vera", Role.VIEWER)
SECRET = re.compile(r"quagga|stripes|velvet|savanna", re.IGNORECASE)
"""In every name, title and sentence of the other tenant, and in nothing of this one's."""
SENTENCE = "Where is the water"
"""What both tenants' prompts are asked by."""
AREAS = ("aquagga", "zquagga")
"""Names that come before this tenant's, and after them."""
SPELLINGS = st.sampled_from([SENTENCE, SENTENCE.upper(), f"{SENTENCE}?", f" {SENTENCE.lower()}!"])


@pytest.fixture(scope="module")
def database():
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'tenants.db'}"
        migrate_new(url)
        opened = open_database(url)
        filled(opened)
        yield opened
        opened.close()


def filled(database: Database) -> None:
    """Makes a tenant of the area it, another one of two areas, and an area of both."""
    theirs = [
        prompt(
            f"{area}.stripes",
            title="A velvet title",
            phrasings=[f"{SENTENCE} {area[0]}", f"{area} velvet"],
            follow_ups=[f"{SENTENCE} {area[0]}"],
            follows=["both.door"],
        )
        for area in AREAS
    ]
    policies = {name: {"name": name, "input": []} for name in ("plain", "savanna")}
    assistants = (
        assistant(areas=("it", "both")),
        assistant("stripes", areas=(*AREAS, "both"), policy="savanna", suggestions=("both.door",)),
    )
    ChangeWorld(database).publish_first(
        prompt(), prompt("both.door"), prompt("both.lamp"), *theirs, policies=policies, assistants=assistants
    )


def told(action, *arguments, **named) -> str:
    """Gives the refusal of a step, which there must be."""
    with pytest.raises(StoreError) as caught:
        action(*arguments, **named)
    return f"{caught.value} {getattr(caught.value, 'found', '')}"


def everything(world: ChangeWorld, change) -> str:
    """Gives all that this tenant's people can read of a change."""
    views = ChangeViews(world.desk, world.runs, policy_problem)
    seen = views.get(BOB, change.id)
    runs = views.runs(BOB, change.id, limit=50, after=None)
    single = [views.one_run(BOB, change.id, one.id) for one in runs]
    return f"{seen.change} {seen.edits} {seen.moved} {seen.run} {runs} {single}"


@given(spelling=SPELLINGS, area=st.sampled_from(AREAS), field=st.sampled_from(["phrasings", "follow_ups"]))
@settings(deadline=None, max_examples=40)
def test_a_sentence_that_another_tenant_has_is_refused_without_a_word_about_whose_it_is(
    database: Database, spelling: str, area: str, field: str
) -> None:
    world = ChangeWorld(database)
    sentence = f"{spelling.strip('?! ')} {area[0]}" + ("?" if spelling.endswith("?") else "")
    fields = (
        {"phrasings": ["how do I get online", sentence]}
        if field == "phrasings"
        else {
            "follow_ups": [sentence],
            "follows": ["both.door"],
        }
    )
    change = world.drafted(ADA, world.edit(**fields))
    said = told(world.reviews.submit, ADA, change.id, rev=change.rev)
    said += told(world.reviews.approve, BOB, change.id, rev=change.rev)
    said += told(world.publishing.publish_in_emergency, BOB, change.id, "Now.", rev=change.rev)
    assert "a prompt of another area already" in said
    assert "prompts/it/vpn.yaml" in said
    assert not SECRET.search(said), said
    assert not SECRET.search(everything(world, change))
    assert "stripes" in told(world.reviews.submit, ROOT_EDITOR, change.id, rev=change.rev), "who may read it is told"


@pytest.mark.parametrize("area", AREAS)
def test_removing_what_another_tenant_points_to_names_nobody(database: Database, area: str) -> None:
    world = ChangeWorld(database)
    live = world.edit("both.door")
    change = world.drafted(ADA, Edit(EditKind.PROMPT, "both.door", None, live.base))
    said = told(world.reviews.submit, ADA, change.id, rev=change.rev)
    assert ELSEWHERE in said
    assert not SECRET.search(said), said
    assert f"prompts/{area}/stripes.yaml" in told(world.reviews.submit, ROOT_EDITOR, change.id, rev=change.rev)


@pytest.mark.parametrize(("there", "not_there"), [("aquagga.stripes", "aquagga.none"), ("savanna", "none")])
def test_a_name_of_another_tenant_is_refused_as_one_that_is_not_there(
    database: Database, there: str, not_there: str
) -> None:
    world = ChangeWorld(database)
    made = world.changes.create(ADA, "A change", note="because")

    def edit(name: str) -> Edit:
        if "." in name:
            return world.edit(follows=[name])
        live = world.live(Item(EditKind.ASSISTANT, "desk"))
        return Edit(EditKind.ASSISTANT, "desk", {**live, "policy": name}, hash_of(live))

    texts = [
        told(world.changes.add_edits, ADA, made.id, [edit(name)], rev=made.rev).replace(name, "NAME")
        for name in (there, not_there)
    ]
    assert texts[0] == texts[1]
    assert "is not of your own assistants" in texts[0]


def test_a_run_of_the_gate_tells_of_ones_own_assistants_alone(database: Database) -> None:
    world = ChangeWorld(database)
    change = world.drafted(ADA, world.edit("both.lamp", title="Another lamp"))
    result = GateResult(
        problems=(
            "assistant stripes: prompts/both/lamp.yaml: reply.fallback: the rail x of policy savanna stops it.",
            "suite velvet: case quagga: it was right, and is not any more",
            "policy savanna: it cannot be built",
            "prompts/aquagga/stripes.yaml: phrasings[0]: 'velvet' cannot be read",
            "the licence of velvet is not acknowledged",
            "prompts/both/lamp.yaml: reply.fallback: too long",
            "assistant desk: 3.0% of the messages would be answered wrongly",
        ),
        notices=(NOTHING_ELSE, "suite stripes: it is taken away."),
        suites=(SuiteEvidence(name="velvet", assistant="stripes", cases=1, right=0, right_before=1),),
        calibrations=tuple(
            CalibrationEvidence(
                assistant=name,
                stated_rate=0.01,
                false_match=0.0,
                false_match_before=0.0,
                coverage=1.0,
                coverage_before=1.0,
                is_over_rate=False,
            )
            for name in ("desk", "stripes")
        ),
    )
    with world.database.writing() as session:
        run = world.runs.start(change, 1, ADA, at=world.desk.clock(), session=session)
        world.runs.finish(run.id, result, at=world.desk.clock(), session=session)
    views = ChangeViews(world.desk, world.runs, policy_problem)
    seen = views.get(BOB, change.id).run.result
    assert seen.problems == (*result.problems[-2:], ELSEWHERE)
    assert seen.notices == (NOTHING_ELSE, ELSEWHERE)
    assert [one.assistant for one in seen.calibrations] == ["desk"]
    assert not SECRET.search(everything(world, change))
    assert views.get(ROOT_VIEWER, change.id).run.result == result


def test_what_keeps_a_change_from_its_time_is_told_without_other_documents(database: Database) -> None:
    world = ChangeWorld(database)
    change = world.drafted(ADA, world.edit(title="At a time"))
    for error, kept in (
        (InvalidContent("prompts/it/vpn.yaml: title: no\nprompts/aquagga/stripes.yaml: x"), "title: no"),
        (InvalidContent("prompts/zquagga/stripes.yaml: x"), ELSEWHERE),
    ):
        said = str(for_every_reader(change, error))
        assert kept in said
        assert ELSEWHERE in said
        assert not SECRET.search(said)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("prompts/it/vpn.yaml: title: x", "it.vpn"),
        ("prompt it.vpn: title: x", "it.vpn"),
        ("assistants/desk.yaml: x", "desk"),
        ("policy strict: x", "strict"),
        ("suite small: x", "small"),
        ("something else: prompt it.vpn: x", None),
    ],
)
def test_a_line_says_first_what_it_is_about(line: str, name: str | None) -> None:
    place = place_of(line)
    assert (place.name if place else None) == name


@pytest.mark.parametrize("sentence", [f"{SENTENCE} a", "Where is the way"])
@pytest.mark.parametrize(
    "action",
    [
        AddPhrasing,
        AddCounterexample,
        lambda key, _: NewPrompt(key, "Title", key.partition(".")[0], "Desk", "en", dt.date(2027, 6, 30)),
    ],
    ids=["phrasing", "counterexample", "prompt"],
)
def test_what_is_done_about_a_question_tells_nothing_of_another_tenants_prompt(
    database: Database, action, sentence: str
) -> None:
    world = ChangeWorld(database)
    acting = Acting(database, world.audit, ChangeDrafts(world.desk, world.changes))
    asked = Noted(decision="d", at=AT, assistant="desk", reason=Reason.NO_MATCH, text="Where is the gym?")
    Intake(database, Bounds(new_per_day=10, questions=10, days=30)).take([asked])
    (question,) = Reading(database).questions(ADA, Wanted(), now=AT).items
    texts = [
        told(acting.act, ADA, action(key, sentence), [Target(question.id, question.rev)], now=AT).replace(key, "KEY")
        for key in ("aquagga.stripes", "aquagga.none")
    ]
    assert texts[0] == texts[1]
    assert "there is no prompt KEY" in texts[0]


@pytest.mark.parametrize("replaces", [True, False])
def test_an_import_tells_nothing_of_another_tenants_prompt(database: Database, *, replaces: bool) -> None:
    world = ChangeWorld(database)
    desk = ImportDesk(database, world.audit, ChangeDrafts(world.desk, world.changes))
    report = dict.fromkeys(("rows", "rejected", "made", "joined", "duplicates"), 1)
    texts = []
    for drafted in (world.catalog().prompts["aquagga.stripes"].content, prompt("aquagga.none")):
        made = desk.begin(ADA, {})
        desk.finish(ADA, made.id, report, Bundle(prompts=(drafted,)), replaces=replaces)
        texts.append(desk.get(made.id).problem.replace(drafted.key, "KEY"))
    assert texts[0] == texts[1]
    assert "there is no prompt KEY" in texts[0]
