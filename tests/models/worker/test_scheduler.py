"""What requests that run together share, and what they never do: each gets the answer that it would get alone."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelRefused
from models.ports import FinishReason, Sampling
from models.worker.messages import Done, Failed, FailureKind, Text, Warm
from models.worker.prefix_store import PrefixStore
from models.worker.scheduler import Scheduler
from tests.models.worker.cell_backend import CellBackend, answer_alone, job

FACTS = "The office is open."


class Bench:
    """A scheduler with what it said."""

    def __init__(self, backend=None, *, prefix_cells=64, store=None):
        self.backend = backend or CellBackend()
        self.said = []
        self.cancelled = set()
        self.scheduler = Scheduler(
            self.backend,
            self.said.append,
            self.cancelled.__contains__,
            prefix_cells=prefix_cells,
            store=store or PrefixStore(self.backend.identity, most_memory_bytes=0),
        )

    def add(self, *jobs, timeout_s=60.0):
        for one in jobs:
            self.scheduler.add(one, time.monotonic() + timeout_s)
        return self

    def run(self, most_steps=2000):
        for _ in range(most_steps):
            if self.scheduler.is_idle:
                return self
            self.scheduler.step()
        raise AssertionError("it does not come to an end")

    @property
    def answers(self):
        return {message.job_id: message.completion for message in self.said if isinstance(message, Done)}

    @property
    def failures(self):
        return {message.job_id: message.kind for message in self.said if isinstance(message, Failed)}

    def is_clean(self):
        """Whether nothing is left but kept prefixes."""
        while self.scheduler.prefixes.drop_one():
            pass
        return (self.backend.cells_in_use, self.backend.open_choosers, self.scheduler.prefixes.cells) == (0, 0, 0)


def alone(one):
    return answer_alone(one.prompt, one.sampling)


def test_requests_together_get_the_answers_that_they_get_alone():
    jobs = [job(n, f"Question {n}?", instructions=FACTS) for n in range(1, 9)]
    bench = Bench(CellBackend(cells=256)).add(*jobs).run()
    assert {n: one.text for n, one in bench.answers.items()} == {one.job_id: alone(one) for one in jobs}
    assert bench.is_clean()


def test_a_shared_beginning_is_computed_once_although_all_come_at_once():
    jobs = [job(n, f"Question {n}?", instructions=FACTS, sampling=Sampling(max_tokens=1)) for n in range(1, 5)]
    bench = Bench().add(*jobs).run()
    assert bench.backend.computed == len(FACTS) + 4 * len("Question 1?")
    assert sorted(one.reused_tokens for one in bench.answers.values()) == [0, *[len(FACTS)] * 3]


def test_a_repeated_prompt_computes_its_last_token_only():
    bench = Bench().add(job(1, "When?", instructions=FACTS)).run()
    before = bench.backend.computed
    bench.add(job(2, "When?", instructions=FACTS, sampling=Sampling(max_tokens=1))).run()
    assert bench.backend.computed == before + 1
    assert bench.answers[2].reused_tokens == len(FACTS) + len("When?") - 1


def test_a_slot_value_is_never_part_of_a_kept_beginning():
    said = "Greet Ada now."
    bench = Bench().add(job(1, said, instructions=FACTS, approved_chars=len("Greet "))).run()
    bench.add(job(2, said, instructions=FACTS, approved_chars=len("Greet "))).run()
    assert bench.answers[2].reused_tokens == len(FACTS) + len("Greet ")


def test_nothing_is_shared_between_assistants():
    first, second = (job(n, "When?", instructions=FACTS, assistant=name) for n, name in ((1, "desk"), (2, "bank")))
    bench = Bench().add(first).run().add(second).run()
    assert bench.answers[2].reused_tokens == 0
    assert bench.answers[2].text == bench.answers[1].text


def test_the_batches_of_a_lone_request_are_the_same_whatever_came_before():
    asked = job(9, "When?", instructions=FACTS)
    fresh, warm = Bench().add(asked).run(), Bench().add(job(1, "Where?", instructions=FACTS)).run()
    warm.backend.batches.clear()
    warm.add(asked).run()
    shapes = [[(entry.token, entry.position) for entry in batch] for batch in warm.backend.batches]
    all_shapes = [[(entry.token, entry.position) for entry in batch] for batch in fresh.backend.batches]
    assert shapes == all_shapes[-len(shapes) :]
    assert len(shapes) < len(all_shapes)


def test_a_long_prompt_does_not_stop_the_answers_of_others():
    bench = Bench(CellBackend(context_tokens=300, cells=400))
    bench.add(job(1, "Hi", sampling=Sampling(max_tokens=4))).scheduler.step()
    bench.scheduler.step()
    bench.backend.batches.clear()
    bench.add(job(2, "x" * 200, sampling=Sampling(max_tokens=1)))
    for _ in range(40):
        if 1 in bench.answers:
            break
        bench.scheduler.step()
    assert 1 in bench.answers
    assert len(bench.backend.batches) <= 4, "it waited for the long prompt"
    assert all(len(batch) <= bench.backend.step + 1 for batch in bench.backend.batches)
    bench.run()
    assert bench.answers[2].text == answer_alone(job(2, "x" * 200).prompt, Sampling(max_tokens=1))


def test_requests_wait_until_there_are_cells_for_the_whole_of_them():
    jobs = [job(n, "q" * 40, assistant=str(n), sampling=Sampling(max_tokens=20)) for n in range(1, 6)]
    bench = Bench(CellBackend(cells=130), prefix_cells=60).add(*jobs).run()
    assert {n: one.text for n, one in bench.answers.items()} == {
        one.job_id: answer_alone(one.prompt, one.sampling) for one in jobs
    }
    assert bench.backend.most_cells <= 130


def test_the_least_recently_used_beginning_makes_room():
    bench = Bench(CellBackend(prefixes=2), prefix_cells=40)
    for n, name in enumerate(("a", "b", "a", "c"), 1):
        bench.add(job(n, "q" * 10, assistant=name)).run()
    for n, name in enumerate(("a", "b"), 10):
        bench.add(job(n, "q" * 10, assistant=name)).run()
    assert (bench.answers[10].reused_tokens, bench.answers[11].reused_tokens) == (9, 0)


def test_a_worker_without_room_for_beginnings_answers_all_the_same():
    bench = Bench(prefix_cells=0).add(*(job(n, "When?", instructions=FACTS) for n in range(1, 5))).run()
    assert len({one.text for one in bench.answers.values()}) == 1
    assert bench.is_clean()


def test_a_cancelled_request_gives_its_cells_back_at_once():
    bench = Bench(prefix_cells=0).add(job(1, "q" * 30), job(2, "When?"))
    bench.scheduler.step()
    bench.cancelled.add(1)
    bench.scheduler.step()
    assert bench.failures == {1: FailureKind.CANCELLED}
    assert bench.backend.cells_in_use <= len("When?") + 6
    assert bench.run().answers[2].text == alone(job(2, "When?"))


def test_a_request_past_its_deadline_is_given_up_wherever_it_is():
    bench = Bench(CellBackend(parallel=1)).add(job(1, "q" * 40), job(2, "q" * 40), timeout_s=0.02)
    bench.scheduler.step()
    time.sleep(0.03)
    assert bench.run().failures == {1: FailureKind.TIMEOUT, 2: FailureKind.TIMEOUT}
    assert bench.is_clean()


def test_a_deadline_that_is_no_number_has_passed():
    bench = Bench().add(job(1, "When?"), timeout_s=float("nan")).run()
    assert bench.failures == {1: FailureKind.TIMEOUT}


def test_a_batch_that_nobody_waits_for_is_given_up_half_way_and_the_next_request_is_right():
    bench = Bench().add(job(1, "q" * 30))
    bench.backend.on_decode = lambda: bench.cancelled.add(1)
    bench.scheduler.step()
    assert bench.backend.cells_in_use == 0
    bench.backend.on_decode = lambda: None
    assert bench.add(job(2, "When?")).run().answers[2].text == alone(job(2, "When?"))


def test_a_batch_is_given_up_for_one_who_left_but_not_twice_in_a_row():
    bench = Bench(CellBackend(parallel=6, cells=400, step=16), prefix_cells=0)
    bench.add(*(job(number, f"{number}" * 40) for number in range(1, 7)))
    leaving = iter(range(2, 7))
    bench.backend.on_decode = lambda: bench.cancelled.add(next(leaving, 6))
    given_up = []
    while len(bench.failures) < 5:
        computed = bench.backend.computed
        bench.scheduler.step()
        given_up.append(bench.backend.computed == computed)
    assert given_up == ([True, False] * 5)[: len(given_up)]
    assert [len(batch) for batch in bench.backend.batches] == ([16, 16 // 4] * 5)[: len(given_up)]
    bench.backend.on_decode = lambda: None
    assert bench.run().answers[1].text == alone(job(1, "1" * 40))
    assert bench.is_clean()


def test_an_answer_that_cannot_go_on_is_refused_and_the_others_go_on():
    bench = Bench().add(job(1, "When?"), job(2, "Where?"))
    bench.scheduler.step()

    class Stuck:
        def choose(self, place):
            raise ModelRefused("the vocabulary cannot go on")

        def close(self):
            bench.backend.open_choosers -= 1

    bench.scheduler._runs[0].chooser = Stuck()
    bench.run()
    assert bench.failures == {1: FailureKind.REFUSED}
    assert bench.answers[2].text == alone(job(2, "Where?"))
    assert bench.is_clean()


def test_who_waits_for_a_cancelled_requests_beginning_computes_it():
    jobs = [job(n, f"Question {n}?", instructions=FACTS) for n in (1, 2)]
    bench = Bench().add(*jobs)
    bench.scheduler.step()
    bench.cancelled.add(1)
    assert bench.run().answers[2].text == alone(jobs[1])


def test_what_cannot_be_worked_on_is_refused_at_once():
    bench = Bench()
    bench.add(job(1, "q" * 60), job(2, "When?", sampling=Sampling(grammar="x")))
    assert bench.failures == {1: FailureKind.REFUSED, 2: FailureKind.REFUSED}
    assert bench.scheduler.is_idle
    assert bench.is_clean()


def test_a_stop_text_ends_an_answer_and_is_not_told():
    whole = alone(job(1, "When?", sampling=Sampling(max_tokens=6, seed=3)))
    stop = whole.split()[1]
    streamed = job(1, "When?", sampling=Sampling(max_tokens=6, seed=3), is_streamed=True)
    streamed = type(streamed)(**{**{n: getattr(streamed, n) for n in streamed.__struct_fields__}, "stop": (stop,)})
    bench = Bench().add(streamed).run()
    assert bench.answers[1].text == whole[: whole.index(stop)]
    assert bench.answers[1].finish_reason is FinishReason.STOP
    assert "".join(message.text for message in bench.said if isinstance(message, Text)) == bench.answers[1].text


def test_a_streamed_answer_comes_in_stretches():
    asked = job(1, "When?", sampling=Sampling(max_tokens=6, seed=3), is_streamed=True)
    bench = Bench().add(asked).run()
    stretches = [message.text for message in bench.said if isinstance(message, Text)]
    assert len(stretches) > 1
    assert "".join(stretches) == bench.answers[1].text


def test_batches_of_several_adapters_take_turns_and_never_mix():
    backend = CellBackend(adapters=("bank",), cells=256)
    jobs = [job(n, f"Question {n}?", instructions=FACTS, assistant="bank" if n % 2 else "desk") for n in range(1, 7)]
    bench = Bench(backend).add(*jobs).run()
    assert {n: one.text for n, one in bench.answers.items()} == {
        one.job_id: answer_alone(one.prompt, one.sampling, "bank" if one.job_id % 2 else "") for one in jobs
    }


def test_a_warmed_beginning_is_there_when_the_first_request_comes():
    bench = Bench()
    bench.scheduler.warm(Warm(job(0, "When?", instructions=FACTS).prompt))
    bench.run()
    assert not bench.said
    bench.add(job(1, "When?", instructions=FACTS)).run()
    assert bench.answers[1].reused_tokens == len(FACTS) + len("When?") - 1


def test_warming_waits_until_nobody_asks():
    bench = Bench()
    bench.scheduler.warm(Warm(job(0, "w" * 30, instructions=FACTS).prompt))
    bench.add(job(1, "When?")).scheduler.step()
    first = {entry.sequence for entry in bench.backend.batches[0]}
    assert len(bench.backend.batches[0]) <= len("When?")
    assert len(first) == 1
    assert bench.run().answers[1].text == alone(job(1, "When?"))


def sequences(batch):
    return {entry.sequence for entry in batch}


def test_a_warming_that_has_begun_lets_people_go_first():
    bench = Bench(CellBackend(step=16), prefix_cells=128)
    bench.scheduler.warm(Warm(job(0, "w" * 30, instructions=FACTS).prompt))
    bench.scheduler.step()
    bench.add(job(1, "q" * 40)).scheduler.step()
    first, second = bench.backend.batches
    assert len(second) == len(first) == 16
    assert sequences(first).isdisjoint(sequences(second))
    assert bench.run().answers[1].text == alone(job(1, "q" * 40))
    assert bench.add(job(2, "w" * 30, instructions=FACTS)).run().answers[2].reused_tokens == len(FACTS) + 29


def test_a_warming_that_somebody_waits_for_keeps_its_turn():
    bench = Bench(CellBackend(cells=256, step=16))
    bench.scheduler.warm(Warm(job(0, "When?", instructions="f" * 40).prompt))
    bench.scheduler.step()
    bench.add(job(1, "q" * 40), job(2, "When?", instructions="f" * 40)).scheduler.step()
    first, second = bench.backend.batches
    assert sequences(first) == sequences(second)
    assert bench.run().answers[2].reused_tokens >= 40


def test_a_warming_whose_beginning_is_kept_already_ends():
    bench = Bench()
    for _ in range(2):
        bench.scheduler.warm(Warm(job(0, "When?", instructions=FACTS).prompt))
    bench.run()
    assert bench.is_clean()


def wait_for(condition):
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


def on_disk(tmp_path):
    return PrefixStore(lambda assistant: assistant, tmp_path)


def saved_on_disk(tmp_path, asked):
    Bench(store=on_disk(tmp_path)).add(asked).run()
    wait_for(lambda: len(list(tmp_path.glob("*.prefix"))) == 2)
    return sorted(tmp_path.glob("*.prefix"))


def test_a_new_worker_takes_beginnings_from_disk(tmp_path):
    asked = job(1, "When?", instructions=FACTS)
    saved_on_disk(tmp_path, asked)
    bench = Bench(store=on_disk(tmp_path)).add(asked).run()
    assert bench.backend.computed == 1 + bench.answers[1].completion_tokens
    assert bench.answers[1].text == alone(asked)
    assert bench.is_clean()


@pytest.mark.parametrize("damage", [lambda data: data[:-1] + b"\x00", lambda data: data[:20], lambda _: b""])
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    asked = job(1, "When?", instructions=FACTS)
    for path in saved_on_disk(tmp_path, asked):
        path.write_bytes(damage(path.read_bytes()))
    bench = Bench(store=on_disk(tmp_path)).add(asked).run()
    assert bench.answers[1].reused_tokens == 0
    assert bench.answers[1].text == alone(asked)


def test_a_beginning_whose_shorter_one_is_gone_is_computed_again(tmp_path):
    asked = job(1, "When?", instructions=FACTS)
    max(saved_on_disk(tmp_path, asked), key=lambda path: path.stat().st_size).unlink()
    bench = Bench(store=on_disk(tmp_path)).add(asked).run()
    assert bench.answers[1].text == alone(asked)
    assert bench.is_clean()


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    asked = job(1, "When?", instructions=FACTS)
    bench = Bench(store=on_disk(tmp_path / "file")).add(asked).run()
    assert bench.answers[1].text == alone(asked)


def test_the_least_recently_used_files_give_way(tmp_path):
    store = PrefixStore(lambda assistant: assistant, tmp_path, most_disk_bytes=1200)
    bench = Bench(store=store)
    for n in range(1, 6):
        bench.add(job(n, "q" * 30, assistant=str(n))).run()
        time.sleep(0.02)
    wait_for(store._backlog.empty)
    time.sleep(0.1)
    assert 0 < sum(path.stat().st_size for path in tmp_path.glob("*.prefix")) <= 1200


def test_what_a_dead_worker_was_writing_goes_after_an_hour(tmp_path):
    for name in ("old.1.tmp", "young.2.tmp"):
        (tmp_path / name).write_bytes(b"half")
    os.utime(tmp_path / "old.1.tmp", (0, 0))
    saved_on_disk(tmp_path, job(1, "When?", instructions=FACTS))
    assert [path.name for path in tmp_path.glob("*.tmp")] == ["young.2.tmp"]


def test_a_beginning_that_had_to_leave_the_cache_comes_back_from_memory():
    bench = Bench(CellBackend(prefixes=2), prefix_cells=30, store=PrefixStore(lambda assistant: assistant))
    for n in range(1, 7):
        bench.add(job(n, "q" * 20, assistant=f"{(n - 1) % 3}")).run()
    assert [bench.answers[n].reused_tokens for n in range(1, 7)] == [0, 0, 0, 19, 19, 19]
    assert bench.backend.exports == 3
    assert len({one.text for one in bench.answers.values()}) == 1
    assert bench.is_clean()


def test_nobody_waits_for_a_request_that_took_its_beginning_from_elsewhere_and_left():
    backend = CellBackend(cells=400, context_tokens=128, prefixes=64, step=16)
    store = PrefixStore(backend.identity)
    read, facts = store.read, "The office is open on every working day."
    bench = Bench(backend, store=store).add(job(1, "When?", instructions=facts)).run()
    bench.is_clean()
    store.read = lambda _: None  # one read fails
    bench.add(job(2, "Where now?", instructions=facts)).scheduler.step()
    store.read = read
    bench.add(job(3, "Why?", instructions=facts)).run()
    bench.is_clean()
    store.read = lambda _: None
    assert bench.add(job(4, "Who?", instructions=facts)).run().answers.keys() == {1, 2, 3, 4}


def test_no_beginning_is_brought_back_for_a_request_that_does_not_fit():
    backend = CellBackend(cells=80)
    bench = Bench(backend, prefix_cells=0, store=PrefixStore(backend.identity))
    bench.add(job(1, "When?", instructions=FACTS)).run()
    bench.add(job(2, "q" * 40, assistant="other", sampling=Sampling(max_tokens=24))).scheduler.step()
    bench.add(job(3, "When?", instructions=FACTS))
    for _ in range(4):
        bench.scheduler.step()
    assert backend.restores == 0
    assert bench.run().answers[3].reused_tokens == len(FACTS) + len("When?") - 1
    assert backend.restores == 2
    assert bench.is_clean()


def test_a_beginning_brought_back_for_a_request_that_does_not_fit_takes_no_promised_cells():
    """It was saved whole, and so does not share the cells of the shorter one that is there."""
    backend = CellBackend(cells=232, context_tokens=128, parallel=8, prefixes=64, step=16)
    bench = Bench(backend, prefix_cells=40, store=PrefixStore(backend.identity))
    small, long = Sampling(max_tokens=2), Sampling(max_tokens=26)
    bench.add(job(1, f"{FACTS}When is it open?", sampling=small)).run()
    bench.add(job(2, "Who?", instructions=FACTS, sampling=long))
    bench.add(*(job(n, "x" * 50, approved_chars=1, assistant=f"b{n}", sampling=long) for n in (3, 4)))
    bench.scheduler.step()
    bench.scheduler.step()
    bench.add(job(5, "When is it open?", instructions=FACTS, sampling=small)).scheduler.step()
    assert backend.restores == 1
    promised = sum(run.reserved for run in bench.scheduler._runs) + bench.scheduler.prefixes.cells
    assert promised <= backend.cells
    assert bench.run().answers.keys() == {1, 2, 3, 4, 5}


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["", FACTS, "Other facts."]),
        st.text("abc", min_size=1, max_size=30),
        st.sampled_from(["desk", "bank"]),
        st.integers(1, 24),
        st.integers(0, 3),
        st.integers(0, 6),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(
    requests=REQUESTS,
    prefix_cells=st.integers(0, 80),
    memory=st.sampled_from([0, 500, 100_000]),
    worker=st.fixed_dictionaries(
        {
            "cells": st.integers(80, 200),
            "step": st.integers(2, 20),
            "recalled": st.sampled_from([None, 1, 2]),
            "fewest_guesses": st.integers(1, 4),
        }
    ),
)
def test_whatever_comes_and_goes_everybody_gets_their_own_answer(requests, prefix_cells, memory, worker):
    backend = CellBackend(adapters=("bank",), context_tokens=80, **worker)
    store = PrefixStore(backend.identity, most_memory_bytes=memory)
    bench = Bench(backend, prefix_cells=prefix_cells, store=store)
    asked = {}
    for n, (facts, question, assistant, most, seed, pause, leaves, has_slot) in enumerate(requests, 1):
        slot_at = len(question) // 2 if has_slot else None
        sampling = Sampling(max_tokens=most, seed=seed)
        asked[n] = job(n, question, instructions=facts, approved_chars=slot_at, assistant=assistant, sampling=sampling)
        bench.add(asked[n])
        for _ in range(pause):
            bench.scheduler.step()
        if leaves:
            bench.cancelled.add(n - pause % 2)
    bench.run()
    assert bench.answers.keys() | bench.failures.keys() == asked.keys()
    assert bench.failures.keys() <= bench.cancelled
    for n, completion in bench.answers.items():
        adapter = "bank" if asked[n].prompt.assistant == "bank" else ""
        assert completion.text == answer_alone(asked[n].prompt, asked[n].sampling, adapter, worker["recalled"])
    assert bench.is_clean()
