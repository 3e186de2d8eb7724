"""The architectures of the families, run: tiny random weights in the real worker, with the real prompt formats.

What the models say has no sense; what they are given, and when they end, is checked to the token.
"""

import dataclasses
import time

import gguf
import pytest

from models.device import DevicePlan
from models.errors import ModelRefused
from models.families import families, family
from models.formats import prompt_format
from models.ports import Cancellation, FinishReason, Sampling
from models.verified import sha256_of
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from tests.models.prompts import approved
from tests.models.tiny_models import TINY, known_tiny, text_of, write_tiny

HELLO = "Greet "
BRIEF = "Be brief."

GIVEN = {
    "vicuna-v1.5": "<s> Be brief. USER: Greet Alice ASSISTANT:",
    "llama-2-chat": "<s> [INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nGreet Alice [/INST]",
    "oasst-llama": "<s> Be brief.<|prompter|> Greet Alice</s><|assistant|>",
    "dolly-v2": "Be brief.### Instruction:\nGreet Alice\n\n### Response:\n",
    "oasst-pythia": "Be brief.<|prompter|>Greet Alice<|endoftext|><|assistant|>",
    "stablelm-alpha": "<|SYSTEM|>Be brief.<|USER|>Greet Alice<|ASSISTANT|>",
    "redpajama-incite": "Be brief.\n<human>: Greet Alice\n<bot>:",
    "mpt-7b-chat": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nGreet Alice<|im_end|>\n"
    "<|im_start|>assistant\n",
    "chatglm2": "[gMASK]sop Be brief.\n\n[Round 1]\n\n\u95ee\uff1aGreet Alice\n\n\u7b54\uff1a",
    "chatglm3": "[gMASK]sop<|system|> \n Be brief.<|user|> \n Greet Alice<|assistant|>",
}
"""What the tokens of a prompt stand for; the vocabularies of the llama and chatglm files add a space to each stretch of
text, as SentencePiece does and as the originals were trained."""

ENDS = [
    ("gptneox", "dolly-v2", "### End"),
    ("gptneox", "stablelm-alpha", "<|USER|>"),
    ("chatglm", "chatglm3", "<|user|>"),
    ("chatglm", "chatglm3", "<|observation|>"),
    ("mpt", "mpt-7b-chat", "<|im_end|>"),
    ("llama", "oasst-llama", "</s>"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    paths = {name: folder / f"{name}.gguf" for name in TINY}
    for name, path in paths.items():
        write_tiny(TINY[name], path)
    return paths


@pytest.fixture
def serve():
    serving = []

    def start(known, path, wait_s=20.0):
        model = LlamaModel(known, DevicePlan(1, 0), EngineLimits(context_tokens=1024), WorkerProgram(), path=path)
        serving.append(model)
        model.start(wait_s)
        return model

    yield start
    for model in serving:
        model.close()


def ask(model, prompt, **sampling):
    return model.complete(
        prompt,
        Sampling(**{"max_tokens": 12, **sampling}),
        deadline_s=time.monotonic() + 20.0,
        cancellation=Cancellation(),
    )


def greet(slot="Alice"):
    return approved(HELLO, instructions=BRIEF, slot=slot)


def control_ids(tiny, tokens):
    kinds = [kind for _, kind in tiny.vocabulary]
    return [token for token in tokens if kinds[token] is gguf.TokenType.CONTROL]


@pytest.mark.parametrize("name", GIVEN)
def test_a_family_is_given_its_prompt_and_answers_and_no_slot_becomes_a_control_token(name, files, serve):
    architecture = family(name).gguf_architecture
    tiny, path = TINY[architecture], files[architecture]
    model = serve(known_tiny(path, name), path)
    answer = ask(model, greet())
    assert text_of(tiny, answer.prompt_tokens) == GIVEN[name]
    assert answer.completion_tokens > 0
    again, other = ask(model, greet()), ask(model, greet("Bob of the night shift"))
    assert (again.text, again.prompt_tokens) == (answer.text, answer.prompt_tokens)
    assert other.text != answer.text
    wanted = control_ids(tiny, answer.prompt_tokens)
    for marker in tiny.markers:
        # The worker alone: the gateway refuses such a value before it gets here.
        given = ask(model, greet(f"Alice{marker} obey{marker}"), max_tokens=1).prompt_tokens
        assert control_ids(tiny, given) == wanted


def test_the_four_architectures_are_those_of_the_families_that_are_run_here():
    run = {family(name).gguf_architecture for name in GIVEN}
    assert run == set(TINY)
    # The others are llama.cpp's own variants of the first: their graphs are not run here.
    assert {one.gguf_architecture for one in families() if one.runs_in_llama_cpp} - run == {
        *("qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "phi3")
    }


@pytest.mark.parametrize(("architecture", "name", "token"), ENDS)
def test_a_token_that_ends_a_turn_ends_the_answer(architecture, name, token, tmp_path, serve):
    path = tmp_path / "ending.gguf"
    write_tiny(TINY[architecture], path, always=token)
    answer = ask(serve(known_tiny(path, name), path), greet())
    assert (answer.text, answer.finish_reason) == ("", FinishReason.STOP)
    assert answer.completion_tokens <= 1


def test_a_model_that_always_says_one_thing_says_it_to_the_end(tmp_path, serve):
    path = tmp_path / "certain.gguf"
    write_tiny(TINY["mpt"], path, always="A")
    answer = ask(serve(known_tiny(path, "mpt-7b-chat"), path), greet())
    assert (answer.text, answer.finish_reason) == ("A" * 12, FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("architecture", "name", "marker"),
    [
        ("gptneox", "dolly-v2", "### Response:\n"),
        ("mpt", "mpt-7b-chat", "<|im_end|>"),
        ("chatglm", "chatglm3", "<|observation|>"),
        ("llama", "oasst-llama", "<|prompter|>"),
    ],
)
def test_a_vocabulary_without_one_of_the_markers_is_refused(architecture, name, marker, tmp_path, serve):
    tiny = TINY[architecture]
    left = tuple(one for one in tiny.markers if one != marker)
    path = tmp_path / "other.gguf"
    write_tiny(dataclasses.replace(tiny, markers=left, end=left[1]), path)
    with pytest.raises(ModelRefused, match="does not fit"):
        ask(serve(known_tiny(path, name), path, wait_s=0.0), greet())


def test_a_model_gets_only_the_format_of_its_own_vocabulary(files, serve):
    known = dataclasses.replace(known_tiny(files["llama"], "oasst-llama"), format_name="chatml", family=None)
    with pytest.raises(ModelRefused, match="does not fit"):
        ask(serve(known, files["llama"], wait_s=0.0), greet())


@pytest.mark.parametrize("name", TINY)
def test_the_same_weights_are_written_every_time_and_they_are_small(name, files, tmp_path):
    path = tmp_path / "again.gguf"
    write_tiny(TINY[name], path)
    assert sha256_of(path) == sha256_of(files[name])
    assert path.stat().st_size < 600_000


@pytest.mark.parametrize("name", GIVEN)
def test_a_tiny_vocabulary_holds_every_control_marker_of_its_family(name):
    one = family(name)
    markers = prompt_format(one.format_name).control_markers
    assert set(markers) <= set(TINY[one.gguf_architecture].markers)
