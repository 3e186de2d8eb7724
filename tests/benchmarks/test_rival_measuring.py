"""What the questions measure can be told, and a server that breaks is a row of its own; the servers are faked."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rivals import answering, arena, blocking, first_token, overhead, starting
from benchmarks.rivals import load as loads
from benchmarks.rivals.arena import Arena
from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.load import Came, Load
from benchmarks.rivals.markdown import table
from benchmarks.rivals.messages import questions, stub_answers
from benchmarks.rivals.questions import Options
from benchmarks.rivals.servers import SERVERS, Server
from benchmarks.rivals.serving import NotServing
from benchmarks.rivals.upstream import ANSWER
from benchmarks.rivals.venvs import RIVALS

OPTIONS = Options(is_quick=True, rounds=2, data=Path(), say=lambda _: None)
BROKEN = next(one for one in SERVERS if one.name == "litellm-filter")


def reply(_server: Server, text: str, **_: object) -> str:
    """Returns what everybody would say to a text."""
    return f'"outcome":"answered","source":"generate" {stub_answers().get(text, ANSWER)}'


class Up:
    """A server that holds 100 MiB and was ready at once."""

    ready_s = 1.0

    def memory_mib(self) -> float:
        return 100.0


def came(sent: Load) -> Came:
    """Returns two replies for everybody, and errors for the one that is broken."""
    if sent.port == BROKEN.port:
        return Came(1.0, [], [], 0, 3, "500 its own words")
    return Came(1.0, [2.0, 4.0], [1.0, 1.0] if sent.is_streamed else [], 0, 0, "")


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def all_up(wanted: Sequence[Server], _rivals: object, options: Options) -> Iterator[Arena]:
        up: dict[str, Any] = {one.name: Up() for one in wanted}
        yield Arena(options, {one.name: one for one in wanted}, up)

    @contextlib.contextmanager
    def started(server: Server, **_: object) -> Iterator[Up]:
        if server is BROKEN:
            raise NotServing("not ready (exit status 1). It said last:\nits own words")
        yield Up()

    monkeypatch.setattr(Server, "bearer", lambda _: "key")
    monkeypatch.setattr(Arena, "send", lambda _, sent: came(sent))
    monkeypatch.setattr(loads, "send", lambda sent, **_: came(sent))
    monkeypatch.setattr(starting, "started", started)
    monkeypatch.setattr(starting, "stub", contextlib.nullcontext)
    monkeypatch.setattr(starting, "prepare", lambda: None)
    for module in (arena, overhead, blocking, first_token, starting):
        fakes: dict[str, Callable[..., Any]] = {
            "arena": all_up,
            "set_pace": lambda *_: None,
            "replies": reply,
        }
        for name, fake in fakes.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, fake)


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("question", [overhead, blocking, first_token, starting], ids=lambda one: one.__name__)
def test_what_is_measured_can_be_told_though_one_breaks(question: Any) -> None:
    chapter: Chapter = question.tell(question.measure(RIVALS, OPTIONS))
    assert len(table(chapter.header, chapter.rows)) == len(chapter.rows) + 2
    assert draw(chapter.plot).startswith("<svg")
    (broken,) = (row for row in chapter.rows if row[0] == BROKEN.title)
    assert broken[1] == "not measured, see below"
    assert any(one.startswith(f"Not measured: {BROKEN.title}.") and "its own words" in one for one in chapter.remarks)
    others = {row[0] for row in chapter.rows} - {BROKEN.title}
    assert {"LiteLLM proxy", "NeMo Guardrails, regex rails, IORails"} & others


@pytest.mark.usefixtures("servers")
def test_a_rival_that_matches_too_little_is_left_out_and_the_others_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = next(one for one in SERVERS if one.name == "nemo-dialog")
    said = "I have no approved answer to that."
    monkeypatch.setattr(arena, "replies", lambda server, text: said if server is dialog else reply(server, text))
    figures = overhead.measure(RIVALS, OPTIONS)
    assert "0 of 324 questions are answered" in figures["failed"]["NeMo Guardrails, dialog, worded by the upstream"]
    assert "canongate-worded" in figures["ways"]
    assert figures["questions"]["worded"] == 324
    assert figures["questions"]["offered"]["worded"] == 324
    assert figures["questions"]["answered"]["canongate-worded"] == 324
    assert figures["questions"]["answered"]["nemo-dialog-worded"] == 0
    assert any("canongate, worded by the upstream: 324 of 324" in one for one in overhead.tell(figures).remarks)


@pytest.mark.usefixtures("servers")
def test_what_both_answer_is_asked_and_what_each_answers_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = next(one for one in SERVERS if one.name == "nemo-dialog")
    own = SERVERS[0]
    texts = questions().worded

    def some(server: Server, text: str) -> str:
        unknown = texts[:10] if server is own else texts[5:25] if server is dialog else ()
        return "nothing" if text in unknown else reply(server, text)

    monkeypatch.setattr(arena, "replies", some)
    figures = overhead.measure(RIVALS, OPTIONS)
    assert figures["questions"]["answered"]["canongate-worded"] == 314
    assert figures["questions"]["answered"]["nemo-dialog-worded"] == 304
    assert figures["questions"]["worded"] == 299


@pytest.mark.usefixtures("servers")
def test_the_stubs_own_stream_is_the_first_row_and_never_better() -> None:
    chapter = first_token.tell(first_token.measure(RIVALS, OPTIONS))
    assert chapter.rows[0][0] == "the stub itself, nothing between"
    assert not any("the stub itself" in one for one in chapter.better)


@pytest.mark.usefixtures("servers")
def test_answers_are_told_of_those_that_give_any(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def opened(server: Server) -> Iterator[answering.Contestant]:
        yield answering.Contestant(server, [{"messages": []}], (), pid=0)

    @contextlib.contextmanager
    def broken() -> Iterator[answering.Contestant]:
        raise NotServing("its own words")
        yield

    fakes = {"canongate": opened(SERVERS[0]), "Breaks when asked": opened(BROKEN), "Does not start": broken()}
    monkeypatch.setattr(answering, "_servers", lambda *_: fakes)
    monkeypatch.setattr(answering, "forget", lambda _: None)
    chapter = answering.tell(answering.measure(RIVALS, OPTIONS))
    assert [row[0] for row in chapter.rows] == ["canongate", "Does not start", "Breaks when asked"]
    assert "Not measured: Breaks when asked. `no answer at 1 at once: 500 its own words`" in chapter.remarks
