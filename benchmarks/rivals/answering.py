"""Answers a second end to end with the same small model on the processor, alone and with eight callers.

The servers of models get the very prompt that canongate sends its own worker, and check nothing. canongate gets a
person's message, and matches, renders, checks and records besides.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import rival_server
from benchmarks.desk_policy import HELPDESK
from benchmarks.gateway_process import children_of, resident_mib
from benchmarks.rivals import load as loads
from benchmarks.rivals.answering_told import CALLERS, EACH, OWN, tell
from benchmarks.rivals.arena import forget, started
from benchmarks.rivals.load import Came, Load
from benchmarks.rivals.messages import words_of
from benchmarks.rivals.overhead import summary
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.servers import CONFIGURATIONS, GATEWAY_PORT, Server
from benchmarks.rivals.serving import NotServing, tree_of
from benchmarks.rivals.venvs import VENVS, Rival
from benchmarks.weights import served
from models.catalog import known_model, located
from store.content import Assistant, CanonicalPrompt, Generate
from store.formats.bundle import read_bundle

__all__ = ("measure", "tell")
SLOTS, THREADS, CONTEXT = 8, 2, 2048
QUICK_EACH = {1: 4, 8: 8}
LOOKUP = "prompt-lookup-decoding"
"""What llama_cpp.server calls guessing the next words from those that stand before; it has no other way to guess."""
NGRAMS = {"its own n-grams": (12, 48), "n-grams of 3": (3, 16)}
"""How many of the last tokens llama.cpp's server looks for before them, and how many it guesses then: what it comes
with, and what canongate does."""
MODEL = "smollm2-135m-instruct"
LLAMA_PORT = 19441
ASKED = frozenset({"llama-cpp-python", "xllamacpp"})
WORDED = '"outcome":"answered","source":"generate"'


class Desk:
    """What is asked: one approved phrasing of each prompt that the model words without more, and what it comes to."""

    def __init__(self) -> None:
        bundle = read_bundle(HELPDESK)
        assistant = next(iter(bundle.assistants))
        self.prompts = [one for one in bundle.prompts if _is_plain(one)]
        self.messages = [one.phrasings[0] for one in self.prompts]
        self.bodies = [_body(assistant, one) for one in self.prompts]


def _is_plain(prompt: CanonicalPrompt) -> bool:
    return isinstance(prompt.reply, Generate) and prompt.reply.cache_s is None and not prompt.slots


def _body(assistant: Assistant, prompt: CanonicalPrompt) -> dict[str, Any]:
    """Returns what the model is sent for a prompt, as chat messages."""
    reply = prompt.reply
    if not isinstance(reply, Generate):
        raise TypeError(f"{prompt.key} has no prompt for a model. This is a bug.")
    messages = [{"role": "system", "content": assistant.instructions}, {"role": "user", "content": words_of(reply)}]
    return {"messages": messages, "max_tokens": reply.sampling.max_tokens, "temperature": 0.0}


SMOLLM2 = Server(
    "canongate-smollm2",
    "canongate with SmolLM2",
    "",
    GATEWAY_PORT,
    ("-m", "gateway.cli", "demo", "--intranet-port", "0", "--config", str(CONFIGURATIONS / "canongate/smollm2.toml")),
    CONFIGURATIONS / "canongate" / "smollm2.toml",
    "/readyz",
    {"NEMO_GUARDRAILS_NO_USAGE_STATS": "1"},
    model="helpdesk",
    key_file=VENVS / "canongate-smollm2" / "first-key",
)


def llama_cpp_server(weights: Path, number: int, *, guesses: bool) -> Server:
    """Returns llama-cpp-python's own server, which computes one answer at a time; `guesses` from its prompt too.

    Each that is up at once has another number.
    """
    port = LLAMA_PORT + number
    return Server(
        f"llama-cpp-python-{number}",
        "llama_cpp.server",
        "llama-cpp-python",
        port,
        (
            *("-m", "llama_cpp.server", "--model", str(weights), "--chat_format", "chatml", "--n_ctx", str(CONTEXT)),
            *("--n_threads", str(THREADS), "--n_threads_batch", str(THREADS), "--port", str(port)),
            *(("--draft_model", LOOKUP) if guesses else ()),
        ),
        CONFIGURATIONS,
        "/v1/models",
    )


class Contestant:
    """A server of answers that is up: how it is asked, and which processes it is."""

    def __init__(self, server: Server, bodies: Sequence[dict[str, Any]], wanted: Sequence[str], pid: int) -> None:
        self._server, self._wanted, self._pid = server, list(wanted), pid
        self._bodies = [{"model": server.model, **body} for body in bodies]

    def load(self, number: int, each: int, callers: int) -> Load:
        """Returns a round's load; each round has other questions, as far as there are."""
        start = number * each % len(self._bodies)
        bodies = [*self._bodies[start:], *self._bodies[:start]][:each]
        return Load(
            port=self._server.port,
            path="/v1/chat/completions",
            headers={"content-type": "application/json", "authorization": f"Bearer {self._server.bearer()}"},
            bodies=[json.dumps(one) for one in bodies],
            callers=callers,
            count=each,
            wanted=self._wanted,
        )

    def memory_mib(self) -> float:
        """What its processes hold in memory."""
        return sum(resident_mib(one) for one in tree_of(self._pid))


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns answers a second and times of each, one server after another in each round."""
    forget(VENVS / SMOLLM2.name)
    desk, known = Desk(), known_model(MODEL)
    weights = {"Q4_1, as published": located(known), "Q8_0, as canongate rewrites it": served(known).path}
    able = {one.name for one in rivals}
    rounds: dict[tuple[str, int], list[Came]] = {}
    memory: dict[str, float] = {}
    failed: dict[str, str] = {}
    each = QUICK_EACH if options.is_quick else EACH
    with contextlib.ExitStack() as stack:
        contestants: dict[str, Contestant] = {}
        for title, opened in _servers(desk, weights, able).items():
            options.say(f"starting {title}")
            try:
                contestants[title] = stack.enter_context(opened)
            except (NotServing, RuntimeError, OSError) as error:
                failed[title] = str(error)
        for one in contestants.values():
            loads.send(one.load(0, 2, 1))
        for number in range(options.rounds):
            for callers in CALLERS:
                options.say(f"answers: round {number + 1} of {options.rounds}, {callers} at once")
                for title, one in contestants.items():
                    if title not in failed:
                        came = loads.send(one.load(number, each[callers], callers))
                        rounds.setdefault((title, callers), []).append(came)
                        failed |= {} if came.took_ms else {title: f"no answer at {callers} at once: {came.example}"}
        memory = {title: round(one.memory_mib()) for title, one in contestants.items()}
    return {
        "questions": len(desk.prompts),
        "threads": THREADS,
        "figures": {
            title: {"memory_mib": memory[title], **{str(one): summary(rounds[title, one]) for one in CALLERS}}
            for title in memory
            if title not in failed
        },
        "failed": failed,
    }


def _servers(
    desk: Desk, weights: dict[str, Path], able: set[str]
) -> dict[str, contextlib.AbstractContextManager[Contestant]]:
    asked = [{"messages": [{"role": "user", "content": text}]} for text in desk.messages]
    found: dict[str, contextlib.AbstractContextManager[Contestant]] = {OWN: _started(SMOLLM2, asked, (WORDED,))}
    if "llama-cpp-python" in able:
        first, *others = weights
        # As it comes it has the shorter tail, and with lookup the better middle: a rival is shown at both.
        for number, (title, guesses) in enumerate([(first, False), *((one, True) for one in (first, *others))]):
            server = llama_cpp_server(weights[title], number, guesses=guesses)
            how = ", prompt lookup" if guesses else ""
            found[f"llama_cpp.server, {title.split(',')[0]}{how}"] = _started(server, desk.bodies, ())
    if "xllamacpp" in able:
        for title, path in weights.items():
            found[f"llama.cpp's own server, {title.split(',')[0]}"] = _own_server(desk, path)
        path = weights["Q8_0, as canongate rewrites it"]
        for how, ngrams in NGRAMS.items():
            found[f"llama.cpp's own server, Q8_0, {how}"] = _own_server(desk, path, ngrams)
    return found


@contextlib.contextmanager
def _started(server: Server, bodies: Sequence[dict[str, Any]], wanted: Sequence[str]) -> Iterator[Contestant]:
    with started(server, placed="") as up:
        yield Contestant(server, bodies, wanted, up.pid)


@contextlib.contextmanager
def _own_server(desk: Desk, weights: Path, ngrams: tuple[int, int] = (0, 0)) -> Iterator[Contestant]:
    before = set(children_of(os.getpid()))
    running = rival_server.running(weights, slots=SLOTS, threads=THREADS, context=CONTEXT, ngrams=ngrams)
    with running as url:
        port = urlsplit(url).port
        pid = next(iter(set(children_of(os.getpid())) - before), 0)
        if port is None or not pid:
            raise RuntimeError("llama.cpp's server has no port or no process. This is a bug.")
        server = Server("xllamacpp", "llama.cpp's own server", "xllamacpp", port, (), CONFIGURATIONS)
        yield Contestant(server, desk.bodies, (), pid)
