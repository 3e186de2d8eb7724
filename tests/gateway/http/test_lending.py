"""An application that is lent to tests is as one made anew: it keeps nothing of whoever had it before."""

from dataclasses import replace
from functools import partial

import pytest
from litestar import get

from gateway.app import create_app
from gateway.limit_settings import LimitSettings
from tests.lending import Lending

pytestmark = pytest.mark.anyio
bare = partial(create_app, listeners=frozenset())
"""Makes an application without routes, which is made from the same parts and takes no time."""


def asking(world, lent):
    world.app = lent
    return world.client(world.key())


async def test_it_serves_with_what_its_borrower_has(make_world):
    one, other, lending = make_world(), make_world(more_assistants=("desk",)), Lending()
    first = lending.lend(one.components)
    async with asking(one, first) as client:
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["helpdesk"]
        lending.give_back(first)
        second = lending.lend(other.components)
        assert second is first
        assert (await client.get("/v1/models")).status_code == 401, "the key is the first one's"
    async with asking(other, second) as client:
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["desk", "helpdesk"]
    assert b'status="200"' in other.telemetry.text()


def test_two_borrow_two(make_world):
    world, lending = make_world(), Lending(bare)
    assert lending.lend(world.components) is not lending.lend(world.components)


def test_one_made_from_other_values_or_other_parts_is_not_lent(make_world, admin):
    world, lending = make_world(), Lending(bare)
    made = lending.lend(world.components)
    lending.give_back(made)
    assert lending.lend(make_world(limits=LimitSettings(body_bytes=1000)).components) is not made
    assert lending.lend(make_world(limits=LimitSettings(queue_s=9.0)).components) is not made
    assert lending.lend(admin.components) is not made
    assert lending.lend(replace(world.components, widget=admin.widget)) is not made
    assert lending.lend(make_world().components) is made


def test_one_with_a_route_of_a_test_is_not_lent_again(world):
    @get("/v1/forgotten")
    async def forgotten() -> str:
        return "open"

    lending = Lending(bare)
    made = lending.lend(world.components)
    made.register(forgotten)
    lending.give_back(made)
    assert lending.lend(world.components) is not made
