"""The first publish of an empty store: by an administrator alone, once, and with everything checked."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.beginning import BEGUN, Beginning, example_folder
from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.fakes import InProcessSandbox
from store.audit import AuditFilter, AuditTrail
from store.catalog import load_catalog, publish_bundle
from store.content import KeepsText
from store.database import Database, open_database
from store.errors import Conflict, InvalidContent, NotFound, Refused
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, bundle_text
from store.people import Actor, Role
from tests.administration import AUDIT_KEY, person
from tests.migrated import migrate_new
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

ADMIN = person("ada", Role.ADMIN)
OWN = Bundle((prompt("it.vpn"),), (assistant("desk", areas=("it",), policy="helpdesk"),), {"helpdesk": POLICY})


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_server")()
    else:
        url = f"sqlite:///{tmp_path / 'begin.db'}"
    migrate_new(url)
    opened = open_database(url)
    yield opened
    opened.close()


def beginning(database: Database, example: Path | None = None) -> Beginning:
    trail = AuditTrail(database, AUDIT_KEY)
    return Beginning(database, trail, rail_services(FakeEmbedder), example=example, sandbox=InProcessSandbox())


def bundled(bundle: Bundle) -> bytes:
    return bundle_text(bundle, Writing.JSON).encode()


def test_the_example_is_published_as_the_repository_has_it_and_the_trail_tells_by_whom(database: Database) -> None:
    begun = beginning(database, example_folder())
    assert begun.is_open_to(ADMIN)
    report = begun.with_example(ADMIN)
    live = load_catalog(database)
    assert (live.revision, report.revision) == (1, 1)
    assert live.assistants["helpdesk"].keeps_text is KeepsText.REDACTED
    (row,) = AuditTrail(database, AUDIT_KEY).page(AuditFilter(action=BEGUN), limit=2)
    assert (row.actor, row.target) == (ADMIN.id, "revision 1")
    assert row.details == {"with": "example", "documents": len(report.added)}


@pytest.mark.parametrize("writing", list(Writing))
def test_a_bundle_is_published_in_either_writing(database: Database, writing: Writing) -> None:
    beginning(database).with_bundle(ADMIN, bundle_text(OWN, writing).encode(), writing)
    assert load_catalog(database).to_bundle().assistants == OWN.assistants


@pytest.mark.parametrize(
    "actor",
    [
        person("eve", Role.EDITOR, Role.APPROVER, Role.AUDITOR),
        person("abe", Role.ADMIN, assistants=("desk",)),
        person("ann", Role.ADMIN, areas=("it",)),
        Actor("key:k", "Key", "user:ada", ADMIN.grants),
    ],
)
def test_nobody_but_an_administrator_of_everything_in_person_begins(database: Database, actor: Actor) -> None:
    begun = beginning(database, example_folder())
    assert not begun.is_open_to(actor)
    for begin in (begun.with_example, lambda one: begun.with_bundle(one, bundled(OWN), Writing.JSON)):
        with pytest.raises(Refused):
            begin(actor)
    assert begun.is_open()


def test_once_anything_is_live_nobody_begins(database: Database) -> None:
    publish_bundle(database, OWN, author="operator")
    begun = beginning(database, example_folder())
    assert not begun.is_open_to(ADMIN)
    for begin in (begun.with_example, lambda one: begun.with_bundle(one, bundled(OWN), Writing.JSON)):
        with pytest.raises(Conflict, match="no longer possible"):
            begin(ADMIN)
    assert load_catalog(database).revision == 1


def test_what_was_taken_away_again_does_not_open_it_once_more(database: Database) -> None:
    publish_bundle(database, OWN, author="operator")
    publish_bundle(database, Bundle(), author="operator", remove_missing=True)
    with pytest.raises(Conflict):
        beginning(database).with_bundle(ADMIN, bundled(OWN), Writing.JSON)


def test_of_several_at_once_one_publishes_and_the_others_are_told(database: Database) -> None:
    begun = [beginning(database) for _ in range(3)]  # as several gateways on one database have them
    begun += begun[:1]

    def told(one: Beginning) -> str:
        try:
            one.with_bundle(ADMIN, bundled(OWN), Writing.JSON)
        except Conflict as error:
            return error.rule
        return "published"

    with ThreadPoolExecutor(4) as beside:
        found = sorted(beside.map(told, begun))
    assert found.count("published") == 1
    assert set(found) <= {"published", "already_begun", "beginning_busy"}
    assert load_catalog(database).revision == 1
    assert len(AuditTrail(database, AUDIT_KEY).page(AuditFilter(action=BEGUN), limit=9)) == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: bundled(Bundle(one.prompts, (), one.policies)), "it has no assistants"),
        (lambda one: bundled(Bundle((), one.assistants, one.policies)), "it has no prompts"),
        (lambda one: bundled(Bundle(one.prompts, one.assistants, {})), "it has no policies"),
        (lambda one: bundled(Bundle(one.prompts, one.assistants, {"helpdesk": {"input": 3}})), "policies/helpdesk"),
        (lambda _: b"{", "not valid JSON"),
    ],
)
def test_what_could_not_serve_is_refused_and_the_store_stays_empty(
    database: Database, spoil: Callable[[Bundle], bytes], told: str
) -> None:
    begun = beginning(database)
    with pytest.raises(InvalidContent, match=told):
        begun.with_bundle(ADMIN, spoil(OWN), Writing.JSON)
    assert begun.is_open_to(ADMIN)
    begun.with_bundle(ADMIN, bundled(OWN), Writing.JSON)


def test_without_the_example_there_is_none_to_begin_with(database: Database) -> None:
    begun = beginning(database)
    assert not begun.has_example
    with pytest.raises(NotFound):
        begun.with_example(ADMIN)
