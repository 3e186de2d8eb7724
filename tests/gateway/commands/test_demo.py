"""`canongate demo` as a process of its own: it starts, answers, outlives its worker, and leaves nothing behind."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo_process import Demo

pytestmark = pytest.mark.weights
QUESTION = {"model": "helpdesk", "messages": [{"role": "user", "content": "I forgot my password"}]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, embedder_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "embedder").symlink_to(embedder_cache)
    return folder


@pytest.fixture
def demo(data: Path) -> Iterator[Demo]:
    started = Demo(data)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait(10)
    started._reader.join(10)


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_it_answers_the_first_key_and_ends_with_status_0_and_without_a_worker(demo):
    with demo.client() as client:
        ready = demo.until_ready(client)
        assert (ready["status"], ready["degraded"]) == ("ready", False)
        worker = demo.worker
        assert is_alive(worker)
        answer = client.post("/v1/chat/completions", json=QUESTION)
        assert answer.status_code == 200
        assert answer.headers["x-canongate-outcome"] == "answered"
        assert answer.json()["choices"][0]["message"]["content"]
        assert (
            client.post("/v1/chat/completions", json=QUESTION, headers={"authorization": "Bearer no"}).status_code
            == 401
        )
        assert client.get("/").status_code == 200
        places = dict(
            re.findall(r"^  (Ask|Admin pages|API and guides|API key) +(?:in )?(\S+)$", demo.log, re.MULTILINE)
        )
        key = Path(places.pop("API key"))
        assert client.headers["authorization"] == f"Bearer {key.read_text().strip()}"
        assert len(places) == 3
        for place in places.values():
            assert client.get(place, follow_redirects=True).status_code == 200
    assert demo.end() == 0
    assert demo.log.count("with the token in ") == (0 if demo.had_key else 2), "once as it is made, and once at the end"
    assert not is_alive(worker)
    assert "Traceback" not in demo.log
    assert "I forgot my password" not in demo.log


TALKS = {
    "What are the office opening hours?": ("site", ["Paris", "Leeds or Lisbon", "0"], "Lisbon"),
    "How do I book a desk?": ("day", ["2026-02-30", "lots"], "2099-12-31"),
    "What is the status of my ticket?": ("ticket", ["INC-12", "123456"], "INC-123456"),
    "Who owns a cost centre?": ("cost_centre", ["CC-12", "CC1234"], "CC-1234"),
    "What is the mileage rate?": ("km", ["0", "six thousand"], "120"),
}


def test_a_wrong_value_said_in_a_conversation_is_asked_for_again_until_it_is_right(demo):
    with demo.client() as client:
        demo.until_ready(client)
        for number, (question, (slot, wrong, right)) in enumerate(TALKS.items()):
            body = {"assistant": "helpdesk", "conversation": f"talk-{number}"}
            first, *again = (
                client.post("/v1/chat", json={**body, "message": said}).json()["slot"] for said in (question, *wrong)
            )
            assert (first["name"], first["is_invalid"]) == (slot, False)
            assert [(one["name"], one["is_invalid"]) for one in again] == [(slot, True)] * len(wrong)
            assert client.post("/v1/chat", json={**body, "message": right}).json()["outcome"] in (
                "answered",
                "degraded",
            )
    assert demo.end() == 0


def test_a_killed_worker_costs_no_answer_and_comes_back(demo):
    with demo.client() as client:
        demo.until_ready(client)
        assert ("First API key" in demo.log) != demo.had_key, "the first start makes it, and no other"
        worker = demo.worker
        os.kill(worker, signal.SIGKILL)
        outcomes = []
        for _ in range(3):
            answer = client.post("/v1/chat/completions", json=QUESTION)
            assert answer.status_code == 200
            outcomes.append(answer.headers["x-canongate-outcome"])
            assert answer.json()["choices"][0]["message"]["content"]
        assert set(outcomes) <= {"answered", "degraded"}
        demo.until(lambda: not client.get("/readyz").json()["degraded"] and demo.worker not in (None, worker))
        demo.until_ready(client)
        again = client.post("/v1/chat/completions", json=QUESTION)
        assert (again.status_code, again.headers["x-canongate-outcome"]) == (200, "answered")
        replacement = demo.worker
    assert demo.end() == 0
    assert not is_alive(replacement)


def test_a_worker_that_dies_at_work_costs_no_answer(demo):
    with demo.client() as client:
        demo.until_ready(client)
        stop = threading.Event()

        def kill_one_at_work() -> None:
            while not stop.wait(0.15):
                if worker := demo.worker:
                    os.kill(worker, signal.SIGKILL)
                    return

        killer = threading.Thread(target=kill_one_at_work)
        killer.start()
        try:
            answers = [client.post("/v1/chat/completions", json=QUESTION) for _ in range(2)]
        finally:
            stop.set()
            killer.join(10)
        assert [answer.status_code for answer in answers] == [200, 200]
    assert demo.end() == 0
