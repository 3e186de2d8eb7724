"""A model in other processes, over a carrier that stays in this one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.fakes import FakeModel
from models.ports import Cancellation, PartKind, PromptPart, RenderedPrompt, Sampling
from models.remote.messages import Done, Text, encode
from models.remote.model import RemoteModel, RemoteWeights, affinity_of
from models.remote.model_replica import ModelReplica
from models.worker.limits import ModelState
from tests.models.prompts import approved
from tests.models.remote.loopback import LoopbackModelCalls, SayingModelCalls, remote

PROMPT = approved("Explain the opening hours.", instructions="Answer briefly.", assistant="helpdesk")
WEIGHTS = RemoteWeights("fake", "f" * 64, {})


def ask(model, prompt=PROMPT, *, timeout_s=20.0, cancellation=None, on_text=None):
    return model.complete(
        prompt,
        Sampling(),
        deadline_s=time.monotonic() + timeout_s,
        cancellation=cancellation or Cancellation(),
        on_text=on_text,
    )


@pytest.fixture
def started():
    made = []

    def start(calls, **places):
        model = RemoteModel(WEIGHTS, calls, **{"parallel": 2, "waiting": 1, **places})
        model.start(10.0)
        made.append(model)
        return model

    yield start
    for model in made:
        model.close()


@pytest.fixture
def loop(started):
    """A remote model, its carrier, and the model at the other end."""

    def make(fake=None, **places):
        fake = fake or FakeModel()
        calls = LoopbackModelCalls(ModelReplica(fake, places=4))
        return started(calls, **places), calls, fake

    return make


def test_the_prompt_arrives_as_it_was_built(loop):
    model, _, fake = loop()
    prompt = approved("When is it open in ", slot="Leeds", instructions="Answer.", assistant="helpdesk")
    assert ask(model, prompt).text == fake.answer
    assert fake.prompts == [prompt]


def test_stretches_come_in_order_and_are_the_answer(loop):
    model, _, _ = loop(FakeModel(answer="one two three four", stretch_chars=5))
    heard = []
    assert ask(model, on_text=heard.append).text == "one two three four"
    assert heard == ["one t", "wo th", "ree f", "our"]


def test_errors_of_the_model_keep_their_kind(loop):
    model, _, fake = loop()
    fake.is_busy = True
    with pytest.raises(ModelBusy) as caught:
        ask(model)
    assert caught.value.retry_after_s == 1.0
    fake.is_busy, fake.is_unavailable = False, True
    with pytest.raises(ModelUnavailable, match="told to be"):
        ask(model)
    fake.is_unavailable = False
    with pytest.raises(ModelRefused):
        ask(model, approved("word " * 3000))


def test_a_deadline_and_a_cancellation_stop_the_model_at_the_other_end(loop):
    stopped = threading.Event()

    class Noticing(FakeModel):
        def complete(self, *given, cancellation, **more):
            cancellation.then(stopped.set)
            return FakeModel.complete(self, *given, cancellation=cancellation, **more)

    model, _, _ = loop(Noticing(delay_s=60.0))
    with pytest.raises(ModelTimeout):
        ask(model, timeout_s=0.1)
    assert stopped.wait(10)
    stopped.clear()
    cancellation = Cancellation()
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(RequestCancelled):
        ask(model, cancellation=cancellation)
    assert stopped.wait(10)


def test_a_replica_with_other_weights_or_another_adapter_does_not_answer(started):
    fake = FakeModel(sha256="e" * 64)
    with pytest.raises(ModelRefused, match="weights"):
        ask(started(LoopbackModelCalls(ModelReplica(fake, places=2))))
    adapted = FakeModel(adapters={"helpdesk": "a" * 64})
    with pytest.raises(ModelRefused, match="adapter"):
        ask(started(LoopbackModelCalls(ModelReplica(adapted, places=2))))
    assert fake.prompts == adapted.prompts == []


def test_with_no_replica_requests_fail_at_once(loop):
    model, calls, fake = loop()
    calls.words = "no replica of the model is running"
    until_s = time.monotonic() + 20
    while model.state is ModelState.READY:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    with pytest.raises(ModelUnavailable, match="no replica"):
        ask(model)
    assert (model.state, fake.prompts) == (ModelState.DOWN, [])


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (encode(Text("unasked")),),
        (b"\xc1",),
        ("words",),
        (encode({"type": "done"}),),
        (None,),
    ],
)
def test_a_replica_that_talks_nonsense_answers_nothing(started, answers):
    with pytest.raises(ModelUnavailable):
        ask(started(SayingModelCalls(*answers)))


def test_what_a_replica_that_dies_said_before_is_no_answer(started):
    heard = []
    dies = SayingModelCalls(encode(Text("half an ")), error=ModelUnavailable("a replica of the model failed: Died"))
    with pytest.raises(ModelUnavailable, match="Died"):
        ask(started(dies), on_text=heard.append)
    assert heard == ["half an "]


def test_a_bug_of_the_replica_ends_as_an_error_there(loop):
    model, _, _ = loop(FakeModel(answer=lambda _: 1 / 0))
    with pytest.raises(ZeroDivisionError):  # Ray carries it as an error of its own, which its calls translate
        ask(model)


def test_more_than_the_places_is_busy_at_once(loop):
    model, _, fake = loop(FakeModel(delay_s=60.0), parallel=1, waiting=1)
    assert model.places == 2
    cancellation = Cancellation()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, model, timeout_s=60.0, cancellation=cancellation) for _ in range(2)]
        until_s = time.monotonic() + 20
        while len(fake.prompts) < 2:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        with pytest.raises(ModelBusy):
            ask(model)
        cancellation.cancel()
        assert all(isinstance(one.exception(20), RequestCancelled) for one in waiting)


def test_after_close_nothing_is_taken():
    model = remote(FakeModel())
    model.close()
    assert model.state is ModelState.DOWN
    with pytest.raises(ModelUnavailable):
        ask(model)


def test_prompts_with_a_common_beginning_belong_together():
    def built(question, *, slot=None, assistant="helpdesk", instructions="Answer."):
        return affinity_of(approved(question, slot=slot, assistant=assistant, instructions=instructions))

    assert built("Open in ", slot="Leeds") == built("Open in ", slot="Lisbon")
    assert built("Open in ", slot="Leeds") != built("Closed in ", slot="Leeds")
    assert built("Open") != built("Open", assistant="other")
    assert built("Open") != built("Open", instructions="Answer at length.")
    slot_first = RenderedPrompt((), (PromptPart("Leeds", PartKind.SLOT), PromptPart("x", PartKind.APPROVED)))
    assert "Leeds" not in affinity_of(slot_first)
    other = RenderedPrompt((), (PromptPart("Lisbon", PartKind.SLOT), PromptPart("x", PartKind.APPROVED)))
    assert affinity_of(slot_first) == affinity_of(other), "what a person typed decides nothing"


def test_a_completion_survives_the_way(loop):
    model, _, fake = loop()
    given = fake.complete(
        PROMPT, Sampling(), deadline_s=time.monotonic() + 20, cancellation=Cancellation()
    ).prompt_sha256
    assert ask(model).prompt_sha256 == given
    assert isinstance(encode(Done(ask(model))), bytes)
