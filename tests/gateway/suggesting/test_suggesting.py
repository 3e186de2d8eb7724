"""Searches for sentences: what passes the sieve, what does not and why, and what is remembered."""

import dataclasses
import threading

import anyio
import msgspec
import pytest

from gateway.suggesting.instruction import INSTRUCTION, read_lines
from gateway.suggesting.sieve import Sieve
from gateway.suggesting.templates import Variant
from models.fakes import FakeModel, prompt_text
from store.database import open_database
from store.errors import Conflict, NotFound, Refused
from store.people import Role
from store.review.drafts import Edit, EditKind
from store.review.suggested import Found, JobState, ProposalKind, ProposalState
from tests.administration import AdminWorld, person
from tests.migrated import migrate_new
from tests.world import World

pytestmark = pytest.mark.anyio

ADA = person("ada", Role.EDITOR)
KEY = "it.password-reset"
FIRST = "How do I reset my password?"
ANSWER = """1. My password do I reset?
2. "I cannot remember my password any more, what to do now"
- my password reset, you idiot
- How do I reset my password please?
- write to jo.miller@post.example to reset my password
- When is the Leeds office open, and what about its opening hours?
- How do I not reset my password when asked?
unfinished line about my passw"""


@pytest.fixture
def admin(world: World, tmp_path):
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    made = AdminWorld(world, database, tmp_path)
    content = world.live.current.catalog.prompts[KEY].content
    document = {"key": KEY, "phrasings": list(content.phrasings), "counterexamples": list(content.counterexamples)}
    made.drafts._live[EditKind.PROMPT, KEY] = Edit(EditKind.PROMPT, KEY, document, "a" * 64)
    yield made
    database.close()


def sieve(world: World, known=()) -> Sieve:
    state = world.live.current
    return Sieve(state, "helpdesk", state.catalog.prompts[KEY], known)


def checked(one: Sieve, text: str, kind: ProposalKind = ProposalKind.PHRASING, source: str = FIRST):
    found = one.check(Variant(text, "test", source), kind, {"source": "test"})
    return found if isinstance(found, str) else found.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("password", "form"),
        ("see https://id.example to reset my password", "form"),
        ("When is {site} open to reset my password?", "blank"),
        ("I am jo.miller@post.example and my password is lost", "personal_or_secret"),
        ("my password is lost, you fucking idiot", "toxic"),
        ("How do I reset my old password?", "alike"),
        ("How do I not reset my password today when I am asked?", "means_something_else"),
        ("Where can people park bicycles on sunny afternoons?", "off_subject"),
        ("phishing mail password: reset a report how do i", "nearer_to_another_prompt"),
        ("how do i stop people resetting my password", "is_counterexample"),
        ("Is there a page where my password can be reset?", "known"),
    ],
)
def test_a_sentence_that_does_not_fit_is_dropped_with_its_reason(world: World, text: str, reason: str) -> None:
    known = {("phrasing", "is there a page where my password can be reset")}
    assert checked(sieve(world, known), text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "You are asking how I reset my password",
        "Step 1: my password do I reset",
        "Here are six ways in which my password is reset:",
        "my password password do I reset",
        "my own password: how may I reset this " + "and this " * 9,
    ],
)
def test_what_a_model_says_about_its_task_is_no_phrasing(world: World, text: str) -> None:
    found = sieve(world).check(Variant(text, "test", FIRST), ProposalKind.PHRASING, {"source": "model"})
    assert found == "form"


def test_a_models_words_must_be_nearer_than_those_of_a_template(world: World) -> None:
    text = "how may i get to reset this password of my own"
    variant = Variant(text, "test", FIRST)
    assert sieve(world).check(variant, ProposalKind.PHRASING, {"source": "model"}) == "off_subject"
    assert isinstance(sieve(world).check(variant, ProposalKind.PHRASING, {"source": "template"}), Found)


def test_what_passes_counts_for_what_comes_after_it(world: World) -> None:
    one = sieve(world)
    text = "My own password: how may I reset this"
    assert checked(one, text) == text
    assert checked(one, text) == "known"
    assert checked(one, text + " now") == "alike"


def test_a_counterexample_is_neither_a_phrasing_nor_one_of_another_prompt(world: World) -> None:
    one, kind = sieve(world), ProposalKind.COUNTEREXAMPLE
    assert checked(one, "I forgot my password", kind) == "is_phrasing"
    assert checked(one, "How do I report a phishing mail?", kind) == "phrasing_of_another_prompt"
    assert checked(one, "How do I avoid having to reset my password?", kind).startswith("How do I avoid")
    found = one.check(Variant("Why can I not reset my password?", "test", FIRST), kind, {})
    assert isinstance(found, Found)
    assert found.provenance["from"] == FIRST
    assert "difference" in found.provenance


def test_the_lines_of_an_answer_are_read_without_bullets_and_without_what_was_cut_off() -> None:
    lines = list(read_lines(ANSWER, is_whole=False))
    assert lines[:2] == [
        "My password do I reset?",
        "I cannot remember my password any more, what to do now",
    ]
    assert "unfinished" not in lines[-1]
    assert list(read_lines("Q: a b c", is_whole=True)) == ["a b c"]


async def test_a_search_proposes_what_passed_and_tells_what_was_dropped(admin: AdminWorld, world: World) -> None:
    world.model.answer = ANSWER
    suggesting = admin.review.suggesting
    job = suggesting.begin(ADA, KEY)
    with pytest.raises(Conflict):
        suggesting.begin(ADA, KEY)
    assert await suggesting.work_once()
    assert await suggesting.work_once() is False
    done = suggesting.job(ADA, job.id)
    assert done.state is JobState.DONE
    assert done.proposed > 0
    assert {"toxic", "personal_or_secret", "alike"} <= done.dropped.keys()
    page = suggesting.proposals(ADA, KEY, state=None, kind=None, after=None, limit=200)
    assert len(page.items) == done.proposed
    by_model = [one for one in page.items if one.provenance["source"] == "model"]
    assert {one.provenance["sha256"] for one in by_model} == {world.model.sha256}
    assert {one.kind for one in page.items} == set(ProposalKind)
    assert all(one.provenance["rouge_l"] < 0.7 for one in page.items if one.kind is ProposalKind.PHRASING)


async def test_the_model_gets_our_instruction_and_approved_phrasings_alone(admin: AdminWorld, world: World) -> None:
    admin.review.suggesting.begin(ADA, KEY)
    await admin.review.suggesting.work_once()
    content = world.live.current.catalog.prompts[KEY].content
    for prompt in world.model.prompts:
        left = prompt_text(prompt).replace(INSTRUCTION, "")
        for phrasing in content.phrasings:
            left = left.replace(f"- {phrasing}\n", "")
        assert left == "These questions mean the same:\nWrite 6 more questions that mean the same."


async def test_without_a_model_templates_go_on(admin: AdminWorld, world: World) -> None:
    world.model.is_unavailable = True
    job = admin.review.suggesting.begin(ADA, KEY)
    await admin.review.suggesting.work_once()
    done = admin.review.suggesting.job(ADA, job.id)
    assert (done.state, done.dropped["model_unavailable"]) == (JobState.DONE, 1)
    assert done.proposed > 0


async def test_a_declined_sentence_is_not_proposed_again_and_an_accepted_one_is_in_a_change(admin: AdminWorld) -> None:
    suggesting = admin.review.suggesting
    suggesting.begin(ADA, KEY)
    await suggesting.work_once()
    page = suggesting.proposals(ADA, KEY, state=None, kind=None, after=None, limit=200)
    phrasing = next(one for one in page.items if one.kind is ProposalKind.PHRASING)
    other = next(one for one in page.items if one.kind is ProposalKind.COUNTEREXAMPLE)
    declined = suggesting.decline(ADA, other.id, other.rev)
    accepted = suggesting.accept(ADA, phrasing.id, phrasing.rev, None)
    assert (declined.state, accepted.state) == (ProposalState.DECLINED, ProposalState.ACCEPTED)
    edit = admin.drafts.changes[accepted.change][EditKind.PROMPT, KEY]
    assert edit.document["phrasings"][-1] == phrasing.text
    with pytest.raises(Conflict):
        suggesting.accept(ADA, other.id, declined.rev, None)
    with pytest.raises(Conflict):
        suggesting.decline(ADA, page.items[-1].id, 7)
    again = suggesting.begin(ADA, KEY)
    await suggesting.work_once()
    assert suggesting.job(ADA, again.id).proposed == 0
    actions = [entry.action for entry in admin.audit.entries()]
    assert actions == ["suggestion_job.begun", "suggestion.declined", "suggestion.accepted", "suggestion_job.begun"]


async def test_who_edits_another_area_declines_nothing_for_good(admin: AdminWorld) -> None:
    suggesting = admin.review.suggesting
    suggesting.begin(ADA, KEY)
    await suggesting.work_once()
    one = suggesting.proposals(ADA, KEY, state=None, kind=None, after=None, limit=1).items[0]
    with pytest.raises(Refused, match="area"):
        suggesting.decline(person("hal", Role.EDITOR, areas=("hr",)), one.id, one.rev)
    assert suggesting.decline(person("ida", Role.EDITOR, areas=("it",)), one.id, one.rev).rev == one.rev + 1


async def test_a_search_ends_when_the_gateway_stops_and_when_somebody_cancels_it(
    admin: AdminWorld, world: World
) -> None:
    suggesting = admin.review.suggesting
    world.model.delay_s = 30.0
    job = suggesting.begin(ADA, KEY)
    async with anyio.create_task_group() as group:
        group.start_soon(suggesting.follow)
        while not world.model.prompts:  # noqa: ASYNC110 -- another thread fills it
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    stopped = suggesting.job(ADA, job.id)
    assert stopped.state is JobState.CANCELLED
    assert "Begin again" in stopped.problem
    world.model.delay_s = 0.0
    again = suggesting.begin(ADA, KEY)
    assert suggesting.cancel(ADA, again.id).state is JobState.CANCELLED
    assert await suggesting.work_once() is False
    with pytest.raises(Conflict):
        suggesting.cancel(ADA, again.id)


async def test_a_search_that_is_cancelled_on_its_way_proposes_nothing(admin: AdminWorld, world: World) -> None:
    suggesting = admin.review.suggesting
    job = suggesting.begin(ADA, KEY)
    began = threading.Event()

    def answer(_) -> str:
        if not began.is_set():
            began.set()
            suggesting.cancel(ADA, job.id)
        return ANSWER

    world.model = FakeModel(answer=answer)
    suggesting._search._model = world.model
    assert await suggesting.work_once()
    assert suggesting.job(ADA, job.id).state is JobState.CANCELLED
    assert suggesting.proposals(ADA, KEY, state=None, kind=None, after=None, limit=200).items == ()


async def test_a_prompt_of_another_tenant_has_no_suggestions(admin: AdminWorld) -> None:
    suggesting = admin.review.suggesting
    job = suggesting.begin(ADA, KEY)
    await suggesting.work_once()
    one = suggesting.proposals(ADA, None, state=None, kind=None, after=None, limit=1).items[0]
    eve = person("eve", Role.EDITOR, assistants=("other",))
    for call in (
        lambda: suggesting.begin(eve, KEY),
        lambda: suggesting.job(eve, job.id),
        lambda: suggesting.proposal(eve, one.id),
        lambda: suggesting.accept(eve, one.id, 1, None),
        lambda: suggesting.proposals(eve, KEY, state=None, kind=None, after=None, limit=5),
    ):
        with pytest.raises(NotFound):
            call()
    assert suggesting.proposals(eve, None, state=None, kind=None, after=None, limit=5).items == ()


async def test_a_suggestion_does_not_name_a_prompt_that_is_not_for_whoever_reads_it(admin: AdminWorld) -> None:
    suggesting = admin.review.suggesting
    suggesting.begin(ADA, KEY)
    assert await suggesting.work_once()
    found = suggesting.proposals(ADA, KEY, state=None, kind=None, after=None, limit=50).items
    named = next(one for one in found if one.provenance.get("nearest_other"))
    assert not named.provenance["nearest_other"].startswith("it.")
    state = admin.world.live.current
    own = msgspec.structs.replace(state.catalog.assistants["helpdesk"], areas=("it",), suggestions=())
    catalog = dataclasses.replace(state.catalog, assistants={"helpdesk": own})
    admin.world.live.swap(dataclasses.replace(state, catalog=catalog))
    tenant = person("tina", Role.EDITOR, assistants=("helpdesk",))
    assert suggesting.proposal(tenant, named.id).provenance["nearest_other"] == "a prompt of another area"
    listed = suggesting.proposals(tenant, None, state=None, kind=None, after=None, limit=50).items
    assert {one.provenance.get("nearest_other") for one in listed} <= {None, "a prompt of another area"}
