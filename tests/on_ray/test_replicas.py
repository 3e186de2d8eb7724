"""Replicas on Ray: which of them is asked, what is lost when one dies, and that it comes back."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.on_ray.names import EMBEDDER, MODEL
from models.errors import ModelBusy, ModelUnavailable, RequestCancelled
from models.ports import Cancellation, Completion, Sampling
from tests.models.prompts import approved
from tests.on_ray.application import AGAIN_S, ON_RAY, REPLICAS, until
from tests.on_ray.served_world import served_world

pytestmark = ON_RAY

PLACES = 8
"""Of one replica."""


@pytest.fixture
def wide(on_ray):
    """The model for as many callers as its replicas work on at once."""
    model = on_ray.model(parallel=PLACES * REPLICAS, waiting=8)
    yield model
    model.close()


def prompt(number, *, instructions="The office is open from 08:00 to 18:00."):
    return approved(
        f"Explain opening hours number {number} at length.", instructions=instructions, assistant="helpdesk"
    )


def ask(model, given, *, max_tokens=8, cancellation=None, on_text=None):
    return model.complete(
        given,
        Sampling(max_tokens=max_tokens, temperature=0.7),
        deadline_s=time.monotonic() + AGAIN_S,
        cancellation=cancellation or Cancellation(),
        on_text=on_text,
    )


def test_prompts_of_one_beginning_find_it_warm(wide):
    prompts = [prompt(number, instructions=f"You are desk number {number}. Answer.") for number in range(8)]
    for one in prompts:
        ask(wide, one)
    again = [ask(wide, one) for one in prompts for _ in range(3)]
    cold = [one.reused_tokens for one in again if one.reused_tokens < one.prompt_token_count // 2]
    assert not cold, "somebody else's replica was asked"


def test_an_actor_that_dies_loses_its_requests_in_flight_and_comes_back(on_ray, wide, record_property):
    until(lambda: on_ray.running(MODEL) == REPLICAS)
    begun = [False] * 12

    def work(number):
        def note(_):
            begun[number] = True

        try:
            return ask(wide, prompt(number), max_tokens=200, on_text=note)
        except ModelUnavailable as error:
            return error

    with ThreadPoolExecutor(12) as pool:
        running = [pool.submit(work, number) for number in range(12)]
        until(lambda: all(begun))
        victim = on_ray.processes(MODEL)[0]
        at_victim = on_ray.at_work(victim)
        os.kill(victim, signal.SIGKILL)
        outcomes = [one.result() for one in running]
    lost = [one for one in outcomes if isinstance(one, ModelUnavailable)]
    kept = [one for one in outcomes if isinstance(one, Completion)]
    record_property("lost", f"{len(lost)} of 12 requests, {at_victim} of them at the replica that died")
    assert len(lost) + len(kept) == 12
    assert lost, "the dead replica had work"
    assert len(lost) <= at_victim <= PLACES, "nothing is lost that others worked on"
    assert kept, "the other one went on"
    assert ask(wide, prompt(99)).text
    until(lambda: on_ray.running(MODEL) == REPLICAS and victim not in on_ray.processes(MODEL))


def test_people_get_approved_answers_while_an_actor_dies(on_ray):
    with on_ray.client() as client:

        def question(_):
            reply = client.post("/v1/chat", json={"assistant": "helpdesk", "message": "I forgot my password"})
            return reply.status_code, reply.json()["outcome"]

        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(question, number) for number in range(24)]
            os.kill(on_ray.processes(MODEL)[0], signal.SIGKILL)
            outcomes = [one.result() for one in asked]
    assert {status for status, _ in outcomes} == {200}
    assert {outcome for _, outcome in outcomes} <= {"answered", "degraded"}
    assert "answered" in {outcome for _, outcome in outcomes}
    until(lambda: on_ray.running(MODEL) == REPLICAS)


def test_without_its_embedder_a_gateway_says_so_and_answers_when_it_is_back(on_ray):
    with served_world(on_ray, None) as world, on_ray.client() as client:
        os.kill(on_ray.processes(EMBEDDER)[0], signal.SIGKILL)
        replies = []

        def is_answered():
            message = f"Wording {len(replies)}: may I ask how parental leave works here?"
            replies.append(client.post("/v1/chat", json={"assistant": "helpdesk", "message": message}))
            return replies[-1].status_code == 200 and on_ray.running(EMBEDDER) == 1

        until(is_answered)
        refused = [one.json()["error"]["code"] for one in replies if one.status_code != 200]
        assert {one.status_code for one in replies} <= {200, 503}
        assert set(refused) <= {"rails_unavailable", "matcher_unavailable"}
        failed = [one for one in world.decisions.kept if one.failed]
        assert len(failed) == len(refused), "each is recorded"
        assert {(one.outcome, one.sent_sha256) for one in failed} <= {("blocked_input", None)}


def test_while_the_embedder_hangs_nothing_unchecked_is_answered(on_ray):
    (replica,) = on_ray.processes(EMBEDDER)
    message = "May I ask, in words that nobody wrote down, how parental leave works here?"
    with served_world(on_ray, None) as world, on_ray.client() as client:
        os.kill(replica, signal.SIGSTOP)
        try:
            reply = client.post("/v1/chat", json={"assistant": "helpdesk", "message": message})
        finally:
            os.kill(replica, signal.SIGCONT)
        assert reply.status_code == 503
        assert reply.json()["error"]["code"] in ("rails_unavailable", "matcher_unavailable")
        (decision,) = world.decisions.kept
    assert (decision.failed, decision.outcome, decision.sent_sha256) == (True, "blocked_input", None)


def test_whoever_leaves_frees_the_replicas(wide):
    cancellation = Cancellation()

    def leave(number):
        try:
            ask(wide, prompt(number), max_tokens=512, cancellation=cancellation)
        except RequestCancelled:
            return True
        return False

    with ThreadPoolExecutor(PLACES * REPLICAS) as pool:
        leaving = [pool.submit(leave, number) for number in range(PLACES * REPLICAS)]
        time.sleep(1.0)
        cancellation.cancel()
        assert all(one.result() for one in leaving)
    with ThreadPoolExecutor(PLACES) as pool:
        assert all(pool.map(lambda number: ask(wide, prompt(number)).text, range(PLACES)))


def test_a_burst_on_free_replicas_is_taken_whole(wide):
    with ThreadPoolExecutor(PLACES * REPLICAS) as pool:
        assert all(pool.map(lambda number: ask(wide, prompt(number)).text, range(PLACES * REPLICAS)))


def test_more_than_places_and_line_is_busy(on_ray):
    model = on_ray.model(parallel=100, waiting=100)  # more than the replicas take: Ray's own line says no
    assert ask(model, prompt(0)).text, "who has asked once knows how long that line is"
    line = PLACES * REPLICAS + on_ray.settings.model.queue
    several = PLACES * REPLICAS + line + 8

    def busy(number):
        try:
            ask(model, prompt(number), max_tokens=60)
        except ModelBusy as error:
            return error.retry_after_s > 0
        return False

    with ThreadPoolExecutor(several) as pool:
        outcomes = list(pool.map(busy, range(several)))
    assert any(outcomes)
    assert outcomes.count(False) >= PLACES * REPLICAS
    model.close()
