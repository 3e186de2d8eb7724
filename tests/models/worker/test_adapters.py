"""Adapters in the real worker: each assistant's answers are worded with its own, also side by side in one batch."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.device import DevicePlan
from models.errors import ModelRefused
from models.ports import Cancellation, Sampling
from models.verified import sha256_of
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.messages import Adapter
from models.worker.process import WorkerProgram
from tests.models.prompts import approved
from tests.models.tiny_models import TINY, known_tiny, write_tiny, write_tiny_adapter


@pytest.fixture
def files(tmp_path):
    write_tiny(TINY["llama"], tmp_path / "tiny.gguf")
    write_tiny_adapter(TINY["llama"], tmp_path / "adapter.gguf")
    return tmp_path / "tiny.gguf", tmp_path / "adapter.gguf"


@pytest.fixture
def serve(files):
    path, adapter = files
    serving = []

    def start(**changes):
        bank = Adapter("bank", str(adapter), sha256_of(adapter))
        model = LlamaModel(
            known_tiny(path, "oasst-llama"),
            DevicePlan(1, 0),
            EngineLimits(context_tokens=512, cells=2048, prefix_cells=1024),
            WorkerProgram(),
            path=path,
            adapters=(type(bank)(**{name: changes.get(name, getattr(bank, name)) for name in bank.__struct_fields__}),),
        )
        serving.append(model)
        model.start(20.0)
        return model

    yield start
    for model in serving:
        model.close()


def ask(model, assistant, question="Hi there."):
    prompt = approved(question, instructions="Be brief.", assistant=assistant)
    return model.complete(
        prompt, Sampling(max_tokens=16), deadline_s=time.monotonic() + 20, cancellation=Cancellation()
    )


def test_an_assistant_with_an_adapter_answers_otherwise_and_the_others_as_before(serve):
    model = serve()
    plain, adapted, again = ask(model, "desk"), ask(model, "bank"), ask(model, "desk")
    assert plain.prompt_tokens == adapted.prompt_tokens
    assert adapted.text != plain.text
    assert again.text == plain.text


def test_an_adapter_is_named_by_its_hash_and_by_a_scale_that_is_not_1(serve, files):
    sha256 = sha256_of(files[1])
    assert [serve().adapter(name) for name in ("bank", "desk")] == [sha256, ""]
    assert serve(scale=0.25).adapter("bank") == f"{sha256}*0.25"


def test_side_by_side_each_gets_its_own(serve):
    model = serve()
    questions = [f"Question {number}?" for number in range(4)]
    wanted = {(name, text): ask(model, name, text).text for name in ("desk", "bank") for text in questions}
    with ThreadPoolExecutor(8) as pool:
        got = dict(zip(wanted, pool.map(lambda asked: ask(model, *asked).text, wanted), strict=True))
    assert sum(got[asked] == wanted[asked] for asked in wanted) >= 7, "a batch of another shape may round otherwise"
    assert all(got["desk", text] != got["bank", text] for text in questions)


def test_a_scale_counts(serve):
    assert ask(serve(scale=0.05), "bank").text != ask(serve(scale=4.0), "bank").text


def test_a_changed_adapter_is_refused_before_it_is_loaded(serve):
    with pytest.raises(ModelRefused, match="registered"):
        ask(serve(sha256="0" * 64), "bank")


def test_a_file_that_is_no_adapter_is_refused(serve, files):
    path, _ = files
    with pytest.raises(ModelRefused, match="adapter"):
        ask(serve(path=str(path), sha256=sha256_of(path)), "bank")
