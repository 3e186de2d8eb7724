"""What webhooks tell of: every step of a review, handoffs and growing clusters, and never a person's words."""

import datetime as dt
import json
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.errors import SettingsInvalid
from gateway.reviewing.recorder import NOBODY
from gateway.settings import load_settings
from gateway.webhook_settings import WebhookEndpointSettings, WebhookSettings
from gateway.webhooks.delivering import Deliveries, Route
from gateway.webhooks.events import _OF_CHANGES, WebhookEvent, event_of_decision
from gateway.webhooks.making import make_webhooks
from gateway.webhooks.watching import ClusterWatch, HandoffWatch, TrailWatch
from store.audit import AuditTrail
from store.changes.types import EventKind
from store.database import open_database
from store.people import OPERATOR
from store.review.types import Cluster
from store.types import Decision, Outcome
from tests.migrated import migrate_new

pytestmark = pytest.mark.anyio
AT = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)
SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
WORDS = "my manager shouts at me"


@pytest.fixture
def trail(tmp_path):
    url = f"sqlite:///{tmp_path / 'trail.db'}"
    migrate_new(url)
    database = open_database(url)
    yield SimpleNamespace(audit=AuditTrail(database, b"a" * 32), database=database, place=tmp_path / "told")
    database.close()


def add(trail, action: str, **details) -> None:
    with trail.database.writing() as session:
        trail.audit.append(OPERATOR, action, "change c1", {"rev": 3, **details}, session=session, at=AT)


def queue(most_waiting: int = 100) -> tuple[Deliveries, Route]:
    route = Route("receiver", SimpleNamespace(), b"k" * 32, frozenset(WebhookEvent))
    return Deliveries([route], attempts=1, most_waiting=most_waiting), route


async def test_each_step_of_a_review_is_told_with_ids_and_states_alone(trail):
    deliveries, route = queue()
    watch = TrailWatch(trail.audit, deliveries, trail.place)
    add(trail, "change.submitted")
    await watch.look()
    assert not route.waiting  # that was before the gateway began to tell
    add(trail, "change.submitted", content="ab" * 32)
    add(trail, "change.commented")
    add(trail, "change.changes_requested", reason=WORDS)
    add(trail, "change.rejected")
    add(trail, "change.approved", gate_run="g1")
    add(trail, "change.published", revision=7, is_emergency=False, reason=WORDS)
    add(trail, "user.created")
    await watch.look()
    told = [(event.kind.value, dict(event.data)) for event in route.waiting]
    assert told == [
        ("change.submitted", {"change": "c1", "state": "in_review", "rev": 3}),
        ("change.returned", {"change": "c1", "state": "changes_requested", "rev": 3}),
        ("change.returned", {"change": "c1", "state": "withdrawn", "rev": 3}),
        ("change.approved", {"change": "c1", "state": "approved", "rev": 3}),
        ("change.published", {"change": "c1", "state": "live", "rev": 3, "revision": 7, "is_emergency": False}),
    ]
    assert WORDS.encode() not in b"".join(event.body() for event in route.waiting)


async def test_a_gateway_that_ended_before_it_told_tells_later_with_the_same_id(trail):
    deliveries, route = queue()
    watch = TrailWatch(trail.audit, deliveries, trail.place)
    await watch.look()
    add(trail, "change.submitted")
    add(trail, "change.approved")
    await watch.look()
    route.waiting.popleft()  # the first was taken, then the process ended
    await watch.look()
    missed = [event.id for event in route.waiting]

    deliveries, route = queue()
    add(trail, "change.published")
    await TrailWatch(trail.audit, deliveries, trail.place).look()
    assert [event.id for event in route.waiting][: len(missed)] == missed
    assert [event.kind.value for event in route.waiting] == ["change.approved", "change.published"]


async def test_events_of_the_review_wait_in_the_database_while_the_queue_is_full(trail):
    deliveries, route = queue(most_waiting=2)
    watch = TrailWatch(trail.audit, deliveries, trail.place)
    await watch.look()
    for _ in range(5):
        add(trail, "change.submitted")
    seen = []
    for _ in range(3):
        await watch.look()
        seen += [event.row for event in route.waiting]
        route.waiting.clear()
    assert (seen, route.dropped) == ([1, 2, 3, 4, 5], 0)


def routes_for(*wanted: frozenset[WebhookEvent]) -> list[Route]:
    return [Route(f"receiver {number}", SimpleNamespace(), b"k" * 32, kinds) for number, kinds in enumerate(wanted)]


async def test_a_full_queue_of_handoffs_does_not_keep_events_of_the_review_from_others(trail):
    handoffs, changes = routes_for(
        frozenset({WebhookEvent.HANDOFF_REQUESTED}), frozenset({WebhookEvent.CHANGE_SUBMITTED})
    )
    deliveries = Deliveries([handoffs, changes], attempts=1, most_waiting=2)
    watch = TrailWatch(trail.audit, deliveries, trail.place)
    await watch.look()
    for number in range(2):
        deliveries.tell(event_of_decision(replace(decision(), id=f"d{number}", source="handoff")))
    add(trail, "change.submitted")
    await watch.look()
    assert (len(handoffs.waiting), len(changes.waiting)) == (2, 1)


async def test_who_was_given_up_on_holds_nobody_back_who_takes_events(trail):
    down, up = routes_for(frozenset(WebhookEvent), frozenset(WebhookEvent))
    watch = TrailWatch(trail.audit, Deliveries([down, up], attempts=1, most_waiting=1), trail.place)
    await watch.look()
    seen = []

    async def look() -> None:
        await watch.look()
        seen.append([event.row for event in up.waiting])
        up.waiting.clear()

    for _ in range(4):
        add(trail, "change.submitted")
    await look()
    await look()  # as long as the other is only slow, both wait
    down.has_given_up = True
    await look()
    up.has_given_up = True
    await look()  # nobody takes any, so that nothing is to be lost for somebody's sake
    assert (seen, down.dropped, [event.row for event in down.waiting]) == ([[1], [], [2], []], 1, [1])


async def test_a_place_that_cannot_be_read_begins_with_what_comes_now(trail, caplog):
    trail.place.write_text("not a number")
    add(trail, "change.submitted")
    deliveries, route = queue()
    watch = TrailWatch(trail.audit, deliveries, trail.place)
    await watch.look()
    add(trail, "change.approved")
    await watch.look()
    assert [event.kind.value for event in route.waiting] == ["change.approved"]
    assert "webhook_place_not_read" in caplog.text


def decision() -> Decision:
    known = {"id": "0190dec0", "at": AT, "assistant": "helpdesk", "conversation": "c-7"}
    known |= {"source": "generate", "outcome": Outcome.ANSWERED}
    return Decision(**dict.fromkeys(one.name for one in fields(Decision)) | known)


def test_a_handoff_is_told_without_the_message_and_passed_on():
    heard = []
    deliveries, route = queue()
    watch = HandoffWatch(deliveries, SimpleNamespace(decided=lambda made, message: heard.append((made.id, message))))
    handoff = replace(decision(), source="handoff", prompt_key="hr.grievance", prompt_version=2)
    watch.decided(handoff, WORDS)
    watch.decided(replace(decision(), source="generate"), WORDS)
    (event,) = route.waiting
    assert json.loads(event.body())["type"] == "handoff.requested"
    assert dict(event.data) == {
        "decision": handoff.id,
        "assistant": handoff.assistant,
        "prompt": "hr.grievance",
        "prompt_version": 2,
        "conversation": handoff.conversation,
    }
    assert [message for _, message in heard] == [WORDS, WORDS]
    assert event_of_decision(replace(handoff, outcome=Outcome.BLOCKED_OUTPUT)) is None


@pytest.mark.parametrize(("reason", "is_told"), [("dialog.person.handoff", True), ("dialog.greeting", False)])
def test_the_dialog_is_told_of_where_it_hands_over_and_not_where_it_greets(reason, is_told):
    rails = ({"name": "length", "reason": None}, {"name": "dialog", "reason": reason})
    event = event_of_decision(replace(decision(), source="dialog", rails=rails))
    assert (event is not None) is is_told
    assert event_of_decision(replace(decision(), source="none", rails=rails)) is None
    if event:
        assert (event.data["prompt"], event.data["conversation"]) == (None, "c-7")


def test_the_steps_that_are_told_are_those_that_the_trail_has():
    assert set(_OF_CHANGES) <= {f"change.{kind.value}" for kind in EventKind}
    assert {kind for kind, _ in _OF_CHANGES.values()} == {kind for kind in WebhookEvent if kind.startswith("change.")}


def cluster(name: str, messages: int) -> Cluster:
    known = {"id": name, "assistant": "helpdesk", "label": WORDS, "messages": messages, "last_seen": AT}
    return Cluster(**dict.fromkeys(one.name for one in fields(Cluster)) | known)


async def test_a_cluster_is_told_once_for_each_size_it_reaches():
    deliveries, route = queue()
    there: list[Cluster] = [cluster("c1", 7)]
    watch = ClusterWatch(lambda least: [one for one in there if one.messages >= least], deliveries, (5, 20))
    for now in ([("c1", 7)], [("c1", 19), ("c2", 4)], [("c1", 25), ("c2", 6)], [("c1", 3)], [("c1", 26), ("c2", 6)]):
        there[:] = [cluster(name, count) for name, count in now]
        await watch.look()
    assert [(event.data["cluster"], event.data["size"]) for event in route.waiting] == [("c2", 5), ("c1", 20)]
    assert WORDS.encode() not in b"".join(event.body() for event in route.waiting)


def test_webhooks_are_off_unless_there_are_endpoints(tmp_path):
    made = make_webhooks(WebhookSettings(), NOBODY, SimpleNamespace(), SimpleNamespace(), tmp_path)
    assert (made.listener, made.background) == (NOBODY, ())
    endpoint = WebhookEndpointSettings(
        url="https://hooks.tarnwick.example/a", secret=SECRET, events=tuple(WebhookEvent)
    )
    made = make_webhooks(WebhookSettings(endpoints=(endpoint,)), NOBODY, SimpleNamespace(), SimpleNamespace(), tmp_path)
    assert isinstance(made.listener, HandoffWatch)
    assert (len(made.background), len(made.once)) == (1, 2)


def settings_with(folder: Path, **more) -> Path:
    """Writes a settings file with one endpoint; JSON's texts and lists are TOML's, too."""
    fields = {"url": "https://hooks.tarnwick.example", "secret": SECRET, "events": ["change.submitted"]} | more
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    path = folder / "canongate.toml"
    path.write_text("\n".join(["[[webhooks.endpoints]]", *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://hooks.tarnwick.example"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "https://user:password@hooks.tarnwick.example"},
        {"url": "https:///hooks"},
        {"secret": "whsec_short"},
        {"secret": SECRET.removeprefix("whsec_")},
        {"secret": "whsec_" + "ä" * 32},
        {"events": []},
        {"events": ["change.eaten"]},
    ],
)
def test_a_wrong_endpoint_stops_the_start_and_is_told_without_its_secret(wrong, tmp_path):
    with pytest.raises(SettingsInvalid, match="webhooks") as raised:
        load_settings(settings_with(tmp_path, **wrong), {})
    assert "a2tra2tr" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hooks", "http://localhost/", "https://10.0.0.7/hooks"])
def test_an_endpoint_on_this_machine_or_with_a_literal_address_is_taken(url, tmp_path):
    settings = load_settings(settings_with(tmp_path, url=url), {})
    assert settings.webhooks.endpoints[0].url == url
    assert "a2tra2tr" not in repr(settings)
