"""Memory that is bounded: in all, for each client, and in time."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.widget.keeping import Bounds, Shelf

BOUNDS = Bounds(lifetime_s=10.0, client_bytes=100, bytes=250, entries=20)


@dataclass
class Thing:
    client: str
    size: int
    may_go: bool = True


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abcd"), st.integers(1, 100), st.booleans()), max_size=80)
)
def test_no_client_and_not_all_together_hold_more_than_they_may(puts) -> None:
    shelf: Shelf[int, Thing] = Shelf(BOUNDS, clock=Time())
    kept: dict[int, Thing] = {}
    for key, client, size, _ in puts:
        if (before := kept.get(key)) is not None and before.client != client:
            shelf.drop(key)
        kept[key] = Thing(client, size)
        shelf.put(key, kept[key])
        assert shelf.get(key) is kept[key], "what was put last stays"
        assert shelf.size == sum(one.size for one in shelf.values()) <= BOUNDS.bytes
        assert len(shelf) <= BOUNDS.entries
        for name in "abcd":
            assert shelf.size_of(name) == sum(one.size for one in shelf.values() if one.client == name)
            assert shelf.size_of(name) <= BOUNDS.client_bytes


def test_a_client_that_asks_much_takes_nothing_from_the_others() -> None:
    shelf: Shelf[str, Thing] = Shelf(BOUNDS, clock=Time())
    shelf.put("quiet", Thing("a", 50))
    for number in range(50):
        shelf.put(f"loud {number}", Thing("b", 40))
    assert shelf.get("quiet") is not None
    assert [key for key in range(50) if shelf.get(f"loud {key}")] == [48, 49]


def test_work_that_is_not_done_stays_and_what_is_done_goes_in_time() -> None:
    time = Time()
    shelf: Shelf[str, Thing] = Shelf(BOUNDS, clock=time)
    work = Thing("a", 90, may_go=False)
    shelf.put("work", work)
    shelf.put("more", Thing("a", 90))
    assert shelf.get("work") is work
    time.at = 11.0
    shelf.sweep()
    assert (shelf.get("work"), shelf.get("more")) == (work, None)
    work.may_go = True
    assert shelf.get("work") is None
    shelf.sweep()
    assert (len(shelf), shelf.size) == (0, 0)
