"""Whether a change can be served, whether somebody may still approve it, and whether a policy grows weaker."""

from types import SimpleNamespace

import pytest

from gateway.changing.judgements import still_holds_of, weakens
from store.changes.live import Ground
from store.changes.rules import Touched
from store.errors import InvalidContent
from store.people import OPERATOR, SYSTEM, Role
from store.repositories.users import Users
from tests.building import POLICY
from tests.gateway.changing.gate_world import ADA, BOB, person


@pytest.mark.parametrize(
    ("after", "is_weaker"),
    [
        (POLICY, False),
        (POLICY | {"input": POLICY["input"][1:]}, True),
        (POLICY | {"input": [*POLICY["input"], {"rail": "language"}]}, False),
        (POLICY | {"input": [{"rail": "length", "max_chars": 100000}, *POLICY["input"][1:]]}, True),
        (POLICY | {"input": [{"rail": "length", "monitor": True}, *POLICY["input"][1:]]}, True),
        (POLICY | {"refusals": {"en": {"default": "No."}}}, False),
        (POLICY | {"input": [{"rail": "no-such-rail"}]}, True),
        (None, True),
        ({}, True),
    ],
)
def test_a_policy_that_may_stop_less_is_weaker(after, is_weaker):
    assert weakens(POLICY, after) is is_weaker


def test_what_cannot_be_compared_counts_as_weaker():
    assert weakens({"name": "desk"}, POLICY)


class Opened:
    """A change that reaches one area."""

    def __init__(self, *, needs_admin: bool = False) -> None:
        self.touched = Touched(frozenset({"it"}), needs_admin=needs_admin)
        self.change = SimpleNamespace(items=(), edits=(), authors=frozenset(), approved_by=BOB.person)
        self.ground = Ground({})


def test_only_an_approver_who_is_still_a_user_holds_the_role(gating):
    holds = still_holds_of(Users(gating.database))
    bob = gating.add_user(BOB)
    gating.add_user(ADA)
    gating.add_user(person("out", Role.APPROVER), is_disabled=True)
    opened = Opened()
    assert holds(BOB.person, opened)
    for nobody in (ADA.person, "user:out", "user:unknown", "", OPERATOR.person, SYSTEM.person, "key:1"):
        assert not holds(nobody, opened), nobody
    gating.take_roles(bob)
    assert not holds(BOB.person, opened)


def test_what_an_admin_must_agree_to_is_held_by_an_approver_who_is_one(gating):
    holds = still_holds_of(Users(gating.database))
    gating.add_user(BOB)
    gating.add_user(person("root", Role.APPROVER, Role.ADMIN))
    opened = Opened(needs_admin=True)
    assert not holds(BOB.person, opened)
    opened.change.approved_by = "user:root"
    assert holds("user:root", opened)
    assert holds(BOB.person, opened), "who sets the time need not be an admin"


def test_an_emergency_publishes_what_fails_its_tests_and_nothing_that_cannot_be_served(gating):
    root = person("root", Role.ADMIN)
    change = gating.drafted(gating.edit(phrasings=["Send me a new secret word"]))
    gating.publishing.publish_in_emergency(root, change.id, "now", rev=change.rev)
    broken = gating.drafted(
        gating.edit(reply=gating.edit().document["reply"] | {"sampling": {"grammar": "root ::= x"}})
    )
    with pytest.raises(InvalidContent, match="could not be answered"):
        gating.publishing.publish_in_emergency(root, broken.id, "now", rev=broken.rev)
