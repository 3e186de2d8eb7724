"""What the worker remembers of jobs: whether they are cancelled, for as long as they are in hand."""

import pytest

from models.ports import Sampling
from models.worker.loop import _Inbox
from models.worker.messages import Cancel, Done, Failed, FailureKind
from models.worker.prefix_store import PrefixStore
from models.worker.scheduler import Scheduler
from tests.models.worker.cell_backend import CellBackend, job


class Desk:
    """An inbox and its scheduler, as the worker has them."""

    def __init__(self):
        self.inbox, self.said = _Inbox(), []
        backend = CellBackend()
        store = PrefixStore(backend.identity, most_memory_bytes=0)
        tell = self.inbox.forgetting(self.said.append)
        self.scheduler = Scheduler(backend, tell, self.inbox.is_cancelled, prefix_cells=64, store=store)

    def send(self, *messages):
        for message in messages:
            self.inbox.take(message)

    def step(self):
        for one, deadline_s in self.inbox.jobs(is_waited_for=False):
            self.scheduler.add(one, deadline_s)
        self.scheduler.step()

    def finish(self):
        self.step()
        while not self.scheduler.is_idle:
            self.step()

    @property
    def remembered(self):
        return len(self.inbox._cancellations)


@pytest.fixture
def desk():
    return Desk()


def ended(desk):
    return [message for message in desk.said if isinstance(message, Done | Failed)]


def test_a_worker_that_is_never_idle_remembers_what_is_in_hand_alone(desk):
    number = 0
    while number < 500:
        while number - len(ended(desk)) < 3:
            number += 1
            desk.send(job(number, f"Question {number}?"))
        desk.send(Cancel(number - number % 5))
        desk.step()
        assert desk.remembered == number - len(ended(desk))
    desk.finish()
    assert (desk.remembered, len(ended(desk))) == (0, number)


def test_a_cancellation_overtakes_its_job_and_is_forgotten_with_it(desk):
    desk.send(job(1, "When?"), job(2, "Where?"), Cancel(2))
    assert (desk.inbox.is_cancelled(1), desk.inbox.is_cancelled(2)) == (False, True)
    desk.finish()
    (failed,) = (message for message in desk.said if isinstance(message, Failed))
    assert (failed.job_id, failed.kind) == (2, FailureKind.CANCELLED)
    desk.send(Cancel(1), Cancel(7))
    assert desk.remembered == 0


def test_a_refused_job_is_forgotten_too(desk):
    desk.send(job(1, "When?", sampling=Sampling(grammar="none")))
    desk.finish()
    assert ([message.kind for message in ended(desk)], desk.remembered) == ([FailureKind.REFUSED], 0)
