"""The servers under test, all up at once on the same machine, with the stub that answers for them."""

import contextlib
import http.client
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals import load as loads
from benchmarks.rivals.comparing import OURS
from benchmarks.rivals.contestants import Way, body, load
from benchmarks.rivals.load import Came, Load
from benchmarks.rivals.messages import Questions, questions
from benchmarks.rivals.questions import Options
from benchmarks.rivals.servers import CONFIGURATIONS, DATA, HOME, MINILM, OWN_DATA, STUB_PORT, Server
from benchmarks.rivals.serving import NotServing, Serving, cores, serving
from benchmarks.rivals.venvs import ROOT, Rival
from gateway.rail_services import REMEMBERED
from models.embedding.embedder import packaged_minilm

MADE_ONCE = frozenset({"embedder", "index", "matcher", "prefixes", "unpacked"})
"""Folders in a gateway's data folder that hold no decisions."""
WARM = 16
ASK_S = 120.0
"""The first question may wait for thousands of sentences to be embedded."""


@dataclass
class Arena:
    """What is up, and what could not be."""

    options: Options
    servers: dict[str, Server] = field(default_factory=dict)
    up: dict[str, Serving] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Why a server or a way to ask one is not measured, by its title and in its own words."""
    offered: dict[str, int] = field(default_factory=dict)
    """How many questions of each kind there were."""
    answered: dict[str, int] = field(default_factory=dict)
    """How many of them each way answered that answers only what it knows, by the way's name."""

    def send(self, sent: Load) -> Came:
        """Sends a load from the core that is not the servers'."""
        return loads.send(sent, cores=cores()[1])

    def ask(self, way: Way, sent: Load) -> Came | None:
        """Sends a load to a way; None for one that gave nothing that was wanted, now or before.

        It is not asked again: a server that hangs would else take a minute of each round.
        """
        if way.title in self.failed:
            return None
        came = self.send(sent)
        if came.took_ms:
            return came
        self.give_up(way, f"nothing that was wanted at {sent.callers} at once, but: {came.example}")
        return None

    def give_up(self, way: Way, why: str) -> None:
        """Notes why a way is not asked any more."""
        self.failed[way.title] = " ".join(why.split())
        self.options.say(f"{way.title} is left out: {why}")

    def ways(self, ways: Sequence[Way]) -> list[Way]:
        """Returns those whose server is up and that were not given up."""
        return [one for one in ways if one.server in self.up and one.title not in self.failed]

    def server(self, way: Way) -> Server:
        """Returns a way's server."""
        return self.servers[way.server]


def set_pace(latency_ms: float, between_ms: float = 0.0, ends: str = "") -> None:
    """Says how long the stub waits before an answer and between words of a stream, and what its answers end with."""
    pace = json.dumps({"latency_ms": latency_ms, "between_ms": between_ms, "ends": ends}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{STUB_PORT}/pace", data=pace, timeout=10).close()


def floor(texts: Sequence[str], *, is_streamed: bool = False, **more: object) -> Load:
    """Returns the load that asks the stub itself, with nothing between."""
    streamed = {"answers": []} if is_streamed else {}
    return replace(load(STUB, FLOOR, texts, is_streamed=is_streamed), **streamed, **more)


def prepare() -> None:
    """Makes what configurations name, an embedder's folder and an example's other policy; ours forgets decisions."""
    for folder in OWN_DATA:
        forget(folder)
    DATA.mkdir(parents=True, exist_ok=True)
    link_embedder()
    write_home()
    _write_sentences()


def link_embedder() -> None:
    """Makes the link to the packaged embedder that configurations name."""
    MINILM.unlink(missing_ok=True)
    MINILM.symlink_to(packaged_minilm())


def write_home() -> None:
    """Writes the folder that says to a rival that it sends no usage figures to its makers."""
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / ".guardrailsrc").write_text((CONFIGURATIONS / "guardrails-ai" / "guardrailsrc").read_text())


def forget(folder: Path) -> None:
    """Removes what an earlier run left in a data folder but what takes minutes to make: each begins with an empty log.

    Fits, vectors and exports have names by what they were made of, and are made again where that differs.
    """
    for one in folder.iterdir() if folder.is_dir() else ():
        if one.name in MADE_ONCE:
            continue
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()


def _write_sentences() -> None:
    """Writes the example with a policy that releases sentences as they pass."""
    folder = DATA / "helpdesk-sentences"
    shutil.copytree(HELPDESK, folder, dirs_exist_ok=True)
    policy = folder / "policies" / "helpdesk.yaml"
    policy.write_text(
        policy.read_text().replace("name: helpdesk\n", "name: helpdesk\nstreaming: checked_sentences\n", 1)
    )


@contextlib.contextmanager
def arena(servers: Sequence[Server], rivals: Sequence[Rival], options: Options) -> Iterator[Arena]:
    """Starts the stub and the servers whose packages are installed; one that does not start is noted with its words."""
    prepare()
    up = Arena(options)
    installed = {one.name for one in rivals} | {""}
    with contextlib.ExitStack() as stack:
        stack.enter_context(stub())
        for server in servers:
            if server.rival not in installed:
                up.failed[server.title] = "its packages could not be installed"
                continue
            options.say(f"starting {server.title}")
            try:
                up.up[server.name] = stack.enter_context(started(server))
                up.servers[server.name] = server
            except NotServing as error:
                up.failed[server.title] = str(error)
                options.say(f"{server.title}: {error}")
        yield up


@contextlib.contextmanager
def stub() -> Iterator[None]:
    """Runs the stub upstream on the load's core."""
    command = [sys.executable, "-m", "benchmarks.rivals.upstream", str(STUB_PORT)]
    with serving("stub", command, f"http://127.0.0.1:{STUB_PORT}/health", placed=cores()[1]):
        yield


@contextlib.contextmanager
def started(server: Server, *, placed: str | None = None) -> Iterator[Serving]:
    """Runs a server on the cores that are not the load's, until it is ready."""
    command = [server.python(sys.executable), *server.arguments]
    with serving(
        server.name,
        command,
        server.address(server.ready),
        environment=server.environment,
        folder=ROOT,
        placed=cores()[0] if placed is None else placed,
    ) as up:
        yield up


def replies(server: Server, text: str, *, is_streamed: bool = False) -> str:
    """Returns what a server replies to one message, whatever its status. Raises `OSError` where none comes."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {server.bearer()}"}
    request = urllib.request.Request(  # noqa: S310 - loopback
        server.address(server.path), data=body(server, text, is_streamed=is_streamed).encode(), headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=ASK_S) as reply:  # noqa: S310 - loopback
            return str(reply.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except http.client.IncompleteRead as error:  # some break a stream off in place of a refusal
        return error.partial.decode()


def common_questions(up: Arena, ways: Sequence[Way]) -> Questions:
    """Returns the questions that each way which matches answers, and warms everybody up with them.

    A rival that answers too few is given up, so that the others are still measured. Raises `RuntimeError` where we do.
    """
    asked = questions()
    chosen = {}
    for kind in ("worded", "verbatim", "exact"):
        texts: Sequence[str] = getattr(asked, kind)
        up.offered[kind] = len(texts)
        for way in up.ways(ways):
            if way.asked == kind and way.matches:
                texts = _answered_by(up, way, getattr(asked, kind), texts)
        chosen[kind] = tuple(texts)
        up.options.say(f"{len(texts)} of {len(getattr(asked, kind))} {kind} questions are answered by all")
    for way in up.ways(ways):
        up.ask(way, load(up.server(way), way, chosen[way.asked], count=WARM, callers=4))
    return Questions(**chosen)


def _answered_by(up: Arena, way: Way, offered: Sequence[str], texts: Sequence[str]) -> Sequence[str]:
    """Returns the texts that a way answers, or all where those are fewer than a gateway remembers vectors of.

    It is asked all that are offered, so that it is known how many it answers by itself.
    """
    server = up.server(way)
    try:
        able = {text for text in offered if loads.is_wanted(load(server, way, [text]), replies(server, text))}
    except OSError as error:
        why = f"no reply came: {error}"
    else:
        up.answered[way.name] = len(able)
        both = [text for text in texts if text in able]
        if len(both) > REMEMBERED:
            return both
        why = f"{len(able)} of {len(offered)} questions are answered, {len(both)} of them by the ways before too, and"
        why += f" more than {REMEMBERED} are needed"
    if not way.server.startswith(OURS):
        up.give_up(way, why)
        return texts
    raise RuntimeError(f"{way.title}: {why}; fewer would be remembered, not computed")


STUB = Server("stub", "the stub itself", "", STUB_PORT, (), CONFIGURATIONS)
FLOOR = Way("floor", "the stub itself", "stub", "worded", "nothing", ())
