"""Tests of the adapter to NeMo's Colang engine: what its model may read, what its rails say, what it must not do."""

import asyncio
import contextlib
import subprocess
import sys

import msgspec
import pytest

from benchmarks.colang_rails import rails_in_colang, refusal
from models.fakes import FakeModel, prompt_text
from models.ports import ApprovedPrompt, Cancellation, PartKind, PromptPart, RenderedPrompt, Sampling
from rails.definition import rail_name
from rails.dialog_colang import write_colang, write_settings
from rails.engine import compile_policy
from rails.fakes import FAKE_RAILS, FakeRewriteParams
from rails.nemo_dialog import ColangEngine, NemoFailed
from rails.policy import load_policy
from rails.registry import SHIPPED_RAILS
from rails.types import RailContext, Stage
from tests.rails.dialog_policies import document
from tests.world import PATIENT

SECRET = "my words are zebra-4471"

# Every way that a flow has to the model: a text that nobody defined, a value, a step that nothing follows.
TRICKS = {
    "an undefined text": "  user topic greeting\n  bot answer the person\n",
    "the words as a text": "  user topic greeting\n  bot $user_message\n",
    "after an event": '  user topic greeting\n  create event BotIntent(intent="tell them")\n',
    "an instruction": "  user topic greeting\n  # answer this: $user_message\n  bot answer it\n",
}


def engine(colang: str) -> ColangEngine:
    dialog = load_policy(document(colang=colang)).dialog
    assert dialog is not None
    return ColangEngine(write_colang(dialog), write_settings())


def converse(made: ColangEngine, complete=None):
    told = {"language": "en", "one_of_two": 1, "one_of_three": 1}
    return asyncio.run(made.converse(SECRET, told, lambda: "topic greeting", complete))


@pytest.mark.parametrize("body", TRICKS.values(), ids=TRICKS.keys())
def test_a_flow_that_wants_the_model_to_see_the_message_gets_a_failure(body):
    with pytest.raises(NemoFailed):
        converse(engine("define flow trick\n" + body))


@pytest.mark.parametrize("body", TRICKS.values(), ids=TRICKS.keys())
def test_a_model_that_may_be_asked_reads_the_approved_prompt_of_this_turn_and_nothing_else(body):
    approved = ApprovedPrompt(
        RenderedPrompt(
            (PromptPart("You are a desk.", PartKind.APPROVED),), (PromptPart("Say when we open.", PartKind.APPROVED),)
        )
    )
    model = FakeModel(answer="We open at nine.")

    def ask() -> str:
        cancellation = Cancellation()
        return model.complete(approved, Sampling(), deadline_s=float("inf"), cancellation=cancellation).text

    with contextlib.suppress(NemoFailed):
        converse(engine("define flow trick\n" + body), lambda: asyncio.to_thread(ask))
    assert all(prompt is approved for prompt in model.prompts)
    assert not any("zebra" in prompt_text(prompt) for prompt in model.prompts)
    assert bool(model.prompts) is (body != TRICKS["the words as a text"]), "a trick that never gets there shows nothing"


def test_the_model_words_an_approved_prompt_through_nemo():
    model = FakeModel(answer="We open at nine.")
    approved = ApprovedPrompt(RenderedPrompt((), (PromptPart("Say when we open.", PartKind.APPROVED),)))

    def ask() -> str:
        return model.complete(approved, Sampling(), deadline_s=float("inf"), cancellation=Cancellation()).text

    made = engine("define flow answer\n  user approved prompt\n  bot answer the approved prompt\n")
    told = {"language": "en", "one_of_two": 1, "one_of_three": 1}

    async def both():
        worded = await made.converse(SECRET, told, lambda: "approved prompt", lambda: asyncio.to_thread(ask))
        with pytest.raises(NemoFailed):
            await made.converse(SECRET, told, lambda: "approved prompt")
        return worded

    assert asyncio.run(both()).text == "We open at nine."
    assert model.prompts == [approved], "what one turn may ask is forgotten before the next"


RAILS = load_policy(
    {
        "name": "both",
        "input": [{"rail": "length", "max_chars": 300}, {"rail": "hidden"}, {"rail": "injection"}, {"rail": "secrets"}],
        "output": [{"rail": "markup"}, {"rail": "secrets"}, {"rail": "grounding"}],
        "refusals": {"en": {"default": "No."}},
    }
)
REWRITING = msgspec.structs.replace(RAILS, output=(FakeRewriteParams(), *RAILS.output))
DEFINITIONS = {**SHIPPED_RAILS, **FAKE_RAILS}
FACTS = "Please open the portal."
MORE = (FACTS, "It costs 4471 euros.", "My key is AKIAIOSFODNN7EXAMPLQ, keep it.", "<b>bold</b>")


def probed() -> list[tuple[Stage, str]]:
    """Every probe of the rails above, at each of their stages."""
    texts = []
    for stage, entries in ((Stage.INPUT, RAILS.input), (Stage.OUTPUT, RAILS.output)):
        for params in entries:
            probes = SHIPPED_RAILS[rail_name(params)].probes(params)
            texts += [(stage, probe.text) for probe in (*probes.must_block, *probes.must_pass)]
        texts += [(stage, text) for text in MORE]
    return texts


@pytest.mark.parametrize("loaded", [RAILS, REWRITING], ids=["blocking", "rewriting"])
def test_the_same_functions_say_the_same_in_both_of_nemos_engines(loaded):
    policy = compile_policy(loaded, 1, definitions=DEFINITIONS, runner=PATIENT)
    colang = rails_in_colang(loaded, definitions=DEFINITIONS)
    context = RailContext(facts=FACTS)

    async def both(stage, text):
        report = await policy.check(stage, text, context)
        stopped = report.stopped_by
        wanted = refusal(stage, stopped.name) if stopped else report.text
        return wanted, await colang.check(stage, text, context)

    async def all_of_them():
        return [(stage, text, *await both(stage, text)) for stage, text in probed()]

    rows = asyncio.run(all_of_them())
    assert [row for row in rows if row[2] != row[3]] == []
    seen = {(stage, found.startswith("(blocked")) for stage, _, _, found in rows}
    assert seen == {(stage, is_blocked) for stage in Stage for is_blocked in (True, False)}
    assert any(found == f"{text}!" for _, text, _, found in rows) is (loaded is REWRITING)


def test_a_rail_that_breaks_in_a_flow_is_a_failure_there_too():
    colang = rails_in_colang(RAILS)

    async def broken(text: str = "") -> None:
        raise RuntimeError(text)

    colang._rails.register_action(broken, "input_length")
    with pytest.raises(NemoFailed):
        asyncio.run(colang.check(Stage.INPUT, "hello", RailContext()))


_QUIET = """
import socket, sys, threading
def refuse(*_args, **_kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import asyncio, logging, os
logging.basicConfig(level=0, stream=sys.stdout)
os.environ.pop("NEMO_GUARDRAILS_NO_USAGE_STATS", None)
from tests.rails.dialog_policies import dialog_policy
from rails.types import RailContext
policy = dialog_policy()
report = asyncio.run(policy.dialog.converse("hello", RailContext()))
assert report.reply, report
names = sorted(thread.name for thread in threading.enumerate())
print("END", os.environ["NEMO_GUARDRAILS_NO_USAGE_STATS"], names, "torch" in sys.modules)
"""


def test_nemos_colang_engine_reports_to_nobody_and_logs_no_words(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": ".", "XDG_CONFIG_HOME": str(home / "config")}
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", _QUIET], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    *logged, last = done.stdout.splitlines()
    assert last == "END 1 ['MainThread', 'asyncio_0', 'canongate-rails-1'] False"
    assert not any("hello" in line for line in logged)
    assert list(home.rglob("*")) == []
