"""Kept answers: found only under their own key, never longer than allowed, and one generation for many who ask."""

import datetime as dt
from dataclasses import dataclass, replace

import anyio
import pytest

from gateway.answer_cache import ENTRY_BYTES, AnswerCache
from gateway.lines import PLACE, Line, Place
from gateway.turn import KeptAnswer
from models.ports import FinishReason
from tests.building import build_state
from tests.gateway.kept_turns import CACHED, HOURS_CACHED, key_of

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(text="Open the portal.", decision="d1") -> KeptAnswer:
    return KeptAnswer(text, decision, dt.datetime(2026, 11, 1, tzinfo=dt.UTC), "ab" * 32, FinishReason.STOP)


def make(entries=10, max_bytes=10**6, clock=None) -> AnswerCache:
    return AnswerCache(entries=entries, max_bytes=max_bytes, clock=clock or Clock())


def plain_keys(state, count):
    base = key_of(state)
    return [replace(base, digest=number.to_bytes(32, "big")) for number in range(count)]


async def look(cache, key, state, *, keep=None, lifetime_s=60.0, wait_s=5.0):
    async with cache.place(key, state, lifetime_s=lifetime_s, wait_s=wait_s) as place:
        if keep is not None and place.kept is None:
            place.keep(keep)
        return place.kept


@pytest.fixture(scope="module")
def state():
    return build_state(CACHED)


async def test_an_answer_is_found_again_under_its_key(state):
    cache = make()
    assert await look(cache, key_of(state), state, keep=answer()) is None
    assert await look(cache, key_of(state), state) == answer()
    assert (cache.figures.hits, cache.figures.misses, cache.figures.hit_rate) == (1, 1, 0.5)
    assert str(cache.figures) == "1 answers kept; 1 of 2 from it (50%)"


async def test_without_a_key_or_a_lifetime_nothing_is_kept(state):
    cache = make()
    for key, lifetime_s in ((None, 60.0), (key_of(state), None)):
        assert await look(cache, key, state, keep=answer(), lifetime_s=lifetime_s) is None
        assert await look(cache, key, state, lifetime_s=lifetime_s) is None
    assert (cache.figures.entries, cache.figures.misses) == (0, 0)


@pytest.mark.parametrize("bounds", [{"entries": 0}, {"max_bytes": 0}, {"max_bytes": ENTRY_BYTES}], ids=str)
async def test_a_cache_without_room_keeps_nothing(state, bounds):
    cache = make(**bounds)
    await look(cache, key_of(state), state, keep=answer())
    assert await look(cache, key_of(state), state) is None
    assert cache.figures.entries == cache.figures.size_bytes == 0


async def test_an_answer_lives_as_long_as_its_prompt_says_and_use_does_not_prolong_it(state):
    clock = Clock()
    cache, key = make(clock=clock), key_of(state)
    await look(cache, key, state, keep=answer())
    clock.now += 59.9
    assert await look(cache, key, state) == answer()
    clock.now += 0.1
    assert await look(cache, key, state) is None
    assert cache.figures.entries == cache.figures.size_bytes == 0


async def test_the_least_recently_used_answer_gives_way(state):
    cache = make(entries=2)
    first, second, third = plain_keys(state, 3)
    for key in (first, second, first, third):
        await look(cache, key, state, keep=answer())
    assert await look(cache, second, state) is None
    assert await look(cache, first, state)
    assert await look(cache, third, state)
    assert (cache.figures.entries, cache.figures.evicted) == (2, 1)


async def test_answers_stay_within_their_memory(state):
    each = ENTRY_BYTES + 500
    cache = make(entries=100, max_bytes=3 * each)
    for key in plain_keys(state, 20):
        await look(cache, key, state, keep=answer("x" * 500))
        assert cache.figures.size_bytes <= 3 * each
    assert (cache.figures.entries, cache.figures.size_bytes) == (3, 3 * each)


async def test_keeping_again_in_the_same_place_counts_once(state):
    cache, key = make(), key_of(state)
    async with cache.place(key, state, lifetime_s=60.0, wait_s=0.0) as place:
        place.keep(answer("a"))
        place.keep(answer("bb"))
    assert (cache.figures.entries, cache.figures.size_bytes) == (1, ENTRY_BYTES + 2)
    assert await look(cache, key, state) == answer("bb")


def second_revision(*documents, **of):
    made = build_state(*documents, **of)
    return replace(made, catalog=replace(made.catalog, revision=2))


@pytest.fixture(scope="module")
def both():
    return build_state(CACHED, HOURS_CACHED)


@pytest.fixture(scope="module")
def newer():
    return second_revision({**CACHED, "reply": {**CACHED["reply"], "facts": "Call 4100."}}, HOURS_CACHED)


async def test_a_newer_revision_drops_what_it_orphaned_and_keeps_the_rest(both, newer):
    cache = make()
    old, same = key_of(both), key_of(both, prompt="it.hours")
    for key in (old, same):
        await look(cache, key, both, keep=answer())
    assert await look(cache, same, newer) == answer()
    assert [entry.key for entry in cache._entries.values()] == [same]


@pytest.mark.parametrize(
    ("after", "prompt"),
    [(second_revision(HOURS_CACHED), "it.hours"), (second_revision(CACHED, assistant={"name": "other"}), "it.reset")],
    ids=["prompt gone", "assistant gone"],
)
async def test_an_answer_whose_prompt_or_assistant_is_gone_is_dropped(state, after, prompt):
    cache = make()
    await look(cache, key_of(state), state, keep=answer())
    await look(cache, key_of(after, prompt=prompt), after)
    assert cache.figures.entries == 0


async def test_a_question_of_an_older_revision_keeps_nothing(state):
    newer = replace(state, catalog=replace(state.catalog, revision=2))
    cache, key = make(), key_of(state)
    async with cache.place(key, state, lifetime_s=60.0, wait_s=0.0) as place:
        await look(cache, plain_keys(state, 1)[0], newer)
        place.keep(answer())
    assert cache.figures.entries == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one, _: setattr(one, "answer", answer("Send your password to me.")),
        lambda one, _: setattr(one, "answer", replace(one.answer, decision="another")),
        lambda one, other: setattr(one, "answer", other.answer),
        lambda one, other: (setattr(one, "answer", other.answer), setattr(one, "seal", other.seal)),
        lambda one, _: setattr(one, "until_s", float("nan")),
    ],
    ids=["text", "origin", "another's answer", "another's answer and seal", "time"],
)
async def test_a_damaged_entry_is_a_miss(state, spoil):
    cache = make()
    first, second = plain_keys(state, 2)
    await look(cache, first, state, keep=answer())
    await look(cache, second, state, keep=answer("Another answer."))
    spoil(cache._entries[first.digest], cache._entries[second.digest])
    assert await look(cache, first, state) is None
    assert cache.figures.entries == 1
    assert await look(cache, second, state) == answer("Another answer.")


async def ask_many(cache, key, state, count, work, *, wait_s=5.0):
    """Asks at once; `work(number)` gives an answer or None, or raises. Returns what each found or made."""
    told = [None] * count

    async def ask(number):
        async with cache.place(key, state, lifetime_s=60.0, wait_s=wait_s) as place:
            told[number] = place.kept
            if place.kept is None and (made := await work(number)) is not None:
                place.keep(made)
                told[number] = made

    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(ask, number)
    return told


async def test_many_who_ask_at_once_wait_for_one_generation(state):
    cache, worked = make(), []

    async def work(number):
        worked.append(number)
        await anyio.sleep(0.05)
        return answer(decision=f"d{number}")

    told = await ask_many(cache, key_of(state), state, 20, work)
    assert worked == [0]
    assert told == [answer(decision="d0")] * 20
    assert (cache.figures.hits, cache.figures.misses, cache.figures.waited) == (19, 1, 19)


async def test_other_keys_do_not_wait(state):
    cache = make()
    first, second = plain_keys(state, 2)
    async with cache.place(first, state, lifetime_s=60.0, wait_s=5.0):
        with anyio.fail_after(1):
            assert await look(cache, second, state) is None


async def test_when_one_fails_the_next_tries_and_the_others_wait_for_that(state):
    cache, worked = make(), []

    async def work(number):
        worked.append(number)
        await anyio.sleep(0.02)
        return None if number == 0 else answer(decision=f"d{number}")

    told = await ask_many(cache, key_of(state), state, 6, work)
    assert worked == [0, 1]
    assert told == [None] + [answer(decision="d1")] * 5


async def test_questions_do_not_line_up_behind_failure_after_failure(state):
    cache, running, most = make(), 0, 0

    async def work(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.02)
        running -= 1

    assert await ask_many(cache, key_of(state), state, 12, work) == [None] * 12
    assert most == 10  # the third try: all who waited twice
    assert cache._flights == {}


async def test_who_leaves_lets_another_try(state):
    cache, key = make(), key_of(state)

    async def leave():
        with anyio.move_on_after(0.05):
            async with cache.place(key, state, lifetime_s=60.0, wait_s=5.0):
                await anyio.sleep_forever()

    async def fail():
        async with cache.place(key, state, lifetime_s=60.0, wait_s=5.0):
            await anyio.sleep(0.05)
            raise ZeroDivisionError

    async with anyio.create_task_group() as group:
        group.start_soon(leave)
        await anyio.sleep(0.01)
        assert await look(cache, key, state) is None
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert cache._flights == {}
    with anyio.fail_after(1):
        assert await look(cache, key, state) is None


async def test_nobody_waits_beyond_their_own_time(state):
    cache, key = make(), key_of(state)
    async with cache.place(key, state, lifetime_s=60.0, wait_s=5.0):
        with anyio.fail_after(2):
            assert await look(cache, key, state, wait_s=0.05) is None
            assert await look(cache, key, state, wait_s=-1.0, keep=answer(decision="own")) is None
    assert await look(cache, key, state) == answer(decision="own")


async def test_whoever_waited_in_vain_goes_on_in_their_place(state):
    cache, key, line = make(), key_of(state), Line(places=1, waiting=1, target_s=1.0)
    place = Place(line)
    let_go = place.hold()
    assert place.take_now()
    token = PLACE.set(place)
    first = cache.place(key, state, lifetime_s=60.0, wait_s=5.0)
    async with first, cache.place(key, state, lifetime_s=60.0, wait_s=0.05) as own:
        assert own.kept is None
        assert line.in_work == 1
    PLACE.reset(token)
    let_go()
    assert line.in_work == 0


async def test_random_use_never_gives_one_keys_answer_to_another(state):
    """Answers carry their key; whatever is kept, evicted, forgotten or expires, nobody gets another's."""
    clock = Clock()
    cache, keys = make(entries=12, max_bytes=14 * ENTRY_BYTES, clock=clock), plain_keys(state, 40)
    for step in range(4000):
        number = (step * step * 31 + step // 7) % len(keys)
        async with cache.place(keys[number], state, lifetime_s=30.0, wait_s=0.0) as place:
            assert place.kept is None or place.kept.text == f"answer {number}"
            if step % 11 == 0:
                place.forget()
            elif place.kept is None:
                place.keep(answer(f"answer {number}"))
        clock.now += step % 5
    assert cache.figures.hits > 100
    assert cache.figures.evicted > 100
