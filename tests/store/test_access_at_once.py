"""Access when two things happen at once, on both databases."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from gateway.access.passwords import Passwords
from gateway.access.profiles import ProfileService
from gateway.access.sealing import Seals
from gateway.access.sessions import SessionKeeper
from gateway.access.signing_in import Attempt, SignIn
from gateway.access.tries import Tries
from gateway.access.users import Awaited, Invited, UserService
from gateway.errors import NotAllowed
from store.accounts import User
from store.audit import AuditTrail
from store.database import Database
from store.errors import Conflict
from store.people import OPERATOR, Grant, Role

PASSWORD = "four words of ours"
SEALS = Seals(b"k" * 32)


class MeddlingPasswords(Passwords):
    """Lets something happen while a password is looked at, as another process could."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64)
        self.meanwhile: Callable[[], object] = lambda: None

    def is_right(self, kept: str | None, password: str) -> bool:
        is_right = super().is_right(kept, password)
        self.meanwhile()
        return is_right


class Access:
    def __init__(self, database: Database) -> None:
        self.audit = AuditTrail(database, b"a" * 32)
        self.keeper = SessionKeeper(database, self.audit, SEALS)
        self.passwords = MeddlingPasswords()
        self.database = database
        self.users = UserService(database, self.audit, self.keeper)
        shared = {"passwords": self.passwords, "tries": Tries()}
        self.profiles = ProfileService(database, self.audit, SEALS, self.keeper, **shared)
        self.sign_in = SignIn(database, self.audit, SEALS, self.keeper, **shared)

    def person(self, name: str, role: Role) -> User:
        invited = self.users.create(OPERATOR, name, grants=[Grant(role)])
        return self.profiles.set_up(invited.token, PASSWORD)

    def enter(self, name: str):
        return self.sign_in.sign_in(
            Attempt(name=name, password=PASSWORD, code=None, address="127.0.0.1", agent="a browser")
        )


@pytest.fixture
def access(database: Database) -> Access:
    return Access(database)


def test_of_gateways_that_start_at_once_one_makes_the_first_administrators_token(access: Access) -> None:
    begun = threading.Barrier(2)

    def start(_: int) -> Invited | Awaited | None:
        begun.wait(60)
        return access.users.first_administrator()

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(start, range(2)))
    assert {type(one) for one in found} == {Invited, Awaited}
    (made,) = (one for one in found if isinstance(one, Invited))
    assert access.profiles.set_up(made.token, PASSWORD).name == "admin"


def test_nobody_enters_with_a_password_that_was_reset_while_it_was_looked_at(access: Access) -> None:
    ada = access.person("ada", Role.EDITOR)
    access.passwords.meanwhile = lambda: access.users.reset_password(OPERATOR, ada.id)
    with pytest.raises(NotAllowed) as told:
        access.enter("ada")
    assert told.value.code == "sign_in_failed"
    assert access.keeper.of(ada.actor) == ()
    assert list(access.audit.entries())[-1].action == "session.refused"


def test_somebody_disabled_while_entering_has_no_session_left_when_enabled_again(access: Access) -> None:
    ada = access.person("ada", Role.EDITOR)
    access.passwords.meanwhile = lambda: access.users.disable(OPERATOR, ada.id, rev=ada.rev)
    with pytest.raises(NotAllowed):
        access.enter("ada")
    assert access.keeper.of(ada.actor) == ()


def test_an_address_that_changes_while_somebody_enters_keeps_nobody_out(access: Access) -> None:
    ada = access.person("ada", Role.EDITOR)

    def move() -> None:
        with access.database.writing() as session:
            access.sign_in._users.change(ada, session=session)

    access.passwords.meanwhile = move
    assert access.enter("ada").session.signed_in.user.id == ada.id


def test_two_administrators_who_take_each_others_role_at_once_do_not_both_succeed(access: Access) -> None:
    ada, bob = access.person("ada", Role.ADMIN), access.person("bob", Role.ADMIN)
    both_have_looked = threading.Barrier(2)

    def now() -> dt.datetime:
        """Is asked for when a change is written to the trail: after all looks, before the commit."""
        with suppress(threading.BrokenBarrierError):  # the other one waits for this one to end, as it should
            both_have_looked.wait(2)
        return dt.datetime.now(dt.UTC)

    users = UserService(access.database, access.audit, access.keeper, now=now)

    def demote(actor: User, other: User) -> bool:
        try:
            users.give(actor.actor, other.id, grants=[Grant(Role.VIEWER)], assistants=[], rev=other.rev)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(demote, (ada, bob), (bob, ada)))
    left = [one.name for one in access.users.page(OPERATOR, limit=10) if one.actor.may(Role.ADMIN)]
    assert (sorted(done), len(left)) == ([False, True], 1)
