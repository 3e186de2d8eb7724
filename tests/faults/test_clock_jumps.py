"""A clock that is set forward or back lets nobody in for longer, and makes nothing happen twice."""

import datetime as dt
from pathlib import Path

import pytest

from gateway.access.sessions import IDLE, LONGEST
from gateway.credentials import KeyRing, new_key
from gateway.errors import NotAllowed, RateLimited
from gateway.rates import MemoryRates, Rate, RateKind
from store.changes.types import ChangeState
from store.database import open_database
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.faults.small_gateway import START, Town
from tests.migrated import migrate_new
from tests.world import PEPPER, Keys, World

YEAR = dt.timedelta(days=365)
EXACT = "How do I reset my password?"


class Wall:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> dt.datetime:
        return self.at


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def town(tmp_path: Path):
    made = Town(tmp_path)
    yield made
    made.close()


def test_a_plan_is_carried_out_once_however_the_clock_jumps(town: Town) -> None:
    change = town.office.schedule("Explain how to reset a forgotten password, planned.", 3600.0)
    town.clock.now -= 7200.0
    town.office.publish_due()
    assert town.published()[0] == 1
    town.clock.now += 7200.0 + 3601.0
    town.office.publish_due()
    assert town.published()[0] == 2
    for seconds in (-7200.0, 7200.0, 86400.0):
        town.clock.now += seconds
        town.office.publish_due()
    assert town.published()[0] == 2
    assert town.office.desk.changes.get(change.id).state is ChangeState.LIVE


def test_no_deadline_or_confirmation_asks_the_wall(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    class Jumping(dt.datetime):
        years = 0

        @classmethod
        def now(cls, tz=None):
            cls.years += 1
            return super().now(tz).replace(year=2026 + (3 if cls.years % 2 else -3), day=1)

    monkeypatch.setattr("gateway.turn.dt.datetime", Jumping)
    for _ in range(4):
        assert town.gateway.ask(EXACT).decision.outcome.value == "answered"
    assert Jumping.years >= 4


def test_a_key_that_is_over_is_not_good_again_within_its_second_and_good_when_the_clock_is_right_again(
    wall: Wall,
) -> None:
    store, seconds = Keys(), iter(range(1000))
    made = new_key("test", PEPPER, scopes=(KeyScope.CHAT,), lifetime=dt.timedelta(hours=1), at=START)
    store.records[made.record.id] = made.record
    ring = KeyRing(store, PEPPER, requests_per_minute=10, clock=lambda: float(next(seconds)), now=wall)
    assert ring.principal(made.token).id == made.record.id
    wall.at += YEAR
    assert ring.known(made.token) is None
    with pytest.raises(NotAllowed):
        ring.principal(made.token)
    wall.at -= YEAR
    assert ring.principal(made.token).id == made.record.id


def test_rates_count_by_a_clock_that_only_goes_on_and_one_that_went_back_locks_nobody_out_for_longer() -> None:
    now = [10**12]
    rates = MemoryRates(clock_ns=lambda: now[0])
    rate = Rate(RateKind.KEY, "one", 2)
    rates.take_now([rate])
    rates.take_now([rate])
    with pytest.raises(RateLimited):
        rates.take_now([rate])
    now[0] += 60 * 10**9
    assert rates.take_now([rate])[0].remaining == 1


class TestSessions:
    @pytest.fixture
    def admin(self, world: World, tmp_path: Path):
        url = f"sqlite:///{tmp_path / 'sessions.db'}"
        migrate_new(url)
        database = open_database(url)
        yield AdminWorld(world, database, tmp_path)
        database.close()

    def test_a_clock_set_forward_ends_them_and_set_back_leaves_them_as_long_as_they_were(self, admin: AdminWorld):
        began = admin.clock.at
        token = admin.session(admin.user("ada")).token
        admin.clock.at = began + YEAR
        assert admin.access.keeper.find(token) is None
        admin.clock.at = began - dt.timedelta(minutes=2)
        assert admin.access.keeper.find(token) is not None
        admin.clock.at = began + IDLE
        assert admin.access.keeper.find(token) is None

    def test_one_that_began_while_the_clock_was_ahead_is_not_good_for_all_the_time_until_then(self, admin: AdminWorld):
        now = admin.clock.at
        admin.clock.at = now + YEAR
        token = admin.session(admin.user("ada")).token
        assert admin.access.keeper.find(token) is not None
        for back in (now, now + dt.timedelta(days=1), now + YEAR - dt.timedelta(minutes=6)):
            admin.clock.at = back
            assert admin.access.keeper.find(token) is None

    def test_one_that_was_used_while_the_clock_was_ahead_is_over(self, admin: AdminWorld):
        now = admin.clock.at
        token = admin.session(admin.user("ada")).token
        admin.clock.at = now + IDLE - dt.timedelta(seconds=1)
        assert admin.access.keeper.find(token) is not None
        admin.clock.at = now
        assert admin.access.keeper.find(token) is None

    def test_none_is_longer_than_the_longest_by_any_jump_ahead(self, admin: AdminWorld):
        token = admin.session(admin.user("ada")).token
        admin.clock.at += LONGEST
        assert admin.access.keeper.find(token) is None
