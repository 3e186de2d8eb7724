"""Beginnings of prompts that were ready are counted, and so are those that were not."""

from models.ports import Completion, FinishReason
from models.worker.reuse import ReuseCounter, Reused


def completion(*, tokens: int, ready: int) -> Completion:
    return Completion("Yes.", FinishReason.STOP, tuple(range(tokens)), 2, 1.0, 2.0, reused_tokens=ready)


def test_hits_misses_and_tokens_add_up():
    counter = ReuseCounter()
    assert counter.counted == Reused()
    for one in (completion(tokens=60, ready=0), completion(tokens=60, ready=50), completion(tokens=70, ready=60)):
        counter.count(one)
    assert counter.counted == Reused(hits=2, misses=1, ready_tokens=110, read_tokens=80)
