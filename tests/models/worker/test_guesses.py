"""Guessed tokens: where they come from, and that no answer is another one for them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ports import Sampling
from models.worker.guesses import AGREEING, MOST_GUESSED, Guesses
from models.worker.messages import Done
from models.worker.prefix_store import PrefixStore
from models.worker.scheduler import Scheduler
from tests.models.worker.cell_backend import CellBackend, answer_alone, job

LONG = Sampling(max_tokens=40)
TWICE = (1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5)


def worked(backend, *jobs):
    """Returns the answers of requests that run together, and the scheduler."""
    said = []
    store = PrefixStore(backend.identity, most_memory_bytes=0)
    scheduler = Scheduler(backend, said.append, lambda _: False, prefix_cells=0, store=store)
    for one in jobs:
        scheduler.add(one, time.monotonic() + 60)
    while not scheduler.is_idle:
        scheduler.step()
    return {message.job_id: message.completion.text for message in said if isinstance(message, Done)}


def repetitive(**how):
    """Returns a backend whose answers run in circles."""
    return CellBackend(recalled=1, context_tokens=128, cells=400, step=32, **how)


def questions(count):
    """Returns requests whose answers are cut off by their length."""
    some = (job(number, f"question {number}", sampling=LONG) for number in range(1, 1000))
    return [one for one in some if len(answer_alone(one.prompt, LONG, recalled=1).split()) == LONG.max_tokens][:count]


def test_a_guess_is_what_followed_when_the_last_words_stood_there_before():
    assert Guesses(TWICE).next(10) == (6, 7, 8)


def test_the_longer_the_agreement_the_longer_the_guess():
    assert [len(Guesses(TWICE[: 9 + n]).next(10)) for n in (2, 3, 4, 5)] == [0, 1, 2, 3]


def test_the_longest_agreement_decides_and_then_the_latest():
    assert Guesses((9, 1, 2, 3, 70, 8, 1, 2, 3, 71, 9, 1, 2, 3)).next(1) == (70,)
    assert Guesses((1, 2, 3, 70, 5, 1, 2, 3, 71, 6, 1, 2, 3)).next(1) == (71,)


@pytest.mark.parametrize("most", [0, -1])
def test_where_there_is_no_room_nothing_is_guessed(most):
    assert Guesses(TWICE).next(most) == ()


@given(st.lists(st.integers(0, 3), max_size=80), st.integers(0, 40))
def test_a_guess_always_stood_behind_the_last_words(tokens, most):
    guess = list(Guesses(tokens).next(most))
    assert len(guess) <= min(most, MOST_GUESSED)
    wanted = tokens[-AGREEING:] + guess
    whole = tokens + guess
    starts = range(len(tokens) - AGREEING)
    assert not guess or any(whole[at : at + len(wanted)] == wanted for at in starts)


def test_a_guess_goes_round_with_a_text_that_does():
    assert Guesses((1, 2, 3) * 4).next(20) == (1, 2, 3, 1, 2, 3, 1)


def test_an_answer_that_repeats_itself_takes_fewer_batches_and_says_the_same():
    alone = {}
    for can_guess in (False, True):
        backend = repetitive()
        backend.can_guess = can_guess
        jobs = questions(6)
        said = worked(backend, *jobs)
        assert said == {one.job_id: answer_alone(one.prompt, LONG, recalled=1) for one in jobs}
        alone[can_guess] = len(backend.batches)
    assert alone[True] < alone[False] * 0.8


def test_a_lone_answer_is_guessed_only_when_so_many_tokens_are_worth_a_larger_batch():
    backend = repetitive(fewest_guesses=6)
    worked(backend, *questions(1))
    sizes = {len(batch) for batch in backend.batches if batch[0].is_last}
    assert 1 in sizes
    assert not sizes & {2, 3, 4, 5, 6}
    assert max(sizes) > 6


def test_a_chooser_is_asked_once_for_each_token_that_is_said():
    # Samplers draw from chance and grammars move on: what is guessed wrong must not be asked about.
    backend = repetitive()
    asked = []
    choose = backend.choose
    backend.choose = lambda place, seed: asked.append(place) or choose(place, seed)
    [said] = worked(backend, *questions(1)).values()
    assert len(asked) == len(said.split())
