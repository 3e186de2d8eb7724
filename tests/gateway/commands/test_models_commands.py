"""Models on the command line: listed, registered, verified, planned and made of other files."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gateway.commands import models, models_making
from gateway.commands.models import registry_of
from gateway.errors import SettingsInvalid
from gateway.model_settings import MOST_PARALLEL
from gateway.settings import load_settings
from models import device
from models.device import Gpu, Machine
from models.errors import ModelRefused
from models.files.gguf import read_header
from models.files.quantizing import Quantized
from tests.gateway.command_line import cells, is_one_line_of_ours
from tests.models.files.gguf_bytes import small_model, string, u32


@pytest.fixture
def file(tmp_path):
    return small_model(tmp_path / "Small Model.gguf")


def listed(run):
    return json.loads(run("models", "list", "--json").out)


def test_known_models_are_listed(run):
    (row,) = listed(run)["models"]
    assert (row["name"], row["licence"], row["commercial_use"]) == ("smollm2-135m-instruct", "Apache-2.0", True)
    assert row["weights"].startswith("verified: ")
    assert re.search(r"smollm2-135m-instruct +Apache-2\.0 +yes +8192 +verified", cells(run("models", "list").out))


def test_weights_that_are_not_there_are_told_and_not_hidden(run, monkeypatch):
    def missing(_):
        raise ModelRefused("the package is not installed")

    monkeypatch.setattr(models, "verified_path", missing)
    (row,) = listed(run)["models"]
    assert row["weights"] == "not usable: the package is not installed"


def test_families_say_their_licence_their_memory_and_whether_they_run_here(run, monkeypatch):
    monkeypatch.setattr(models, "this_machine", lambda _: Machine(2, 4 * 2**30))
    kinds = {kind["name"]: kind for kind in listed(run)["families"]}
    (size,) = kinds["stablevicuna"]["sizes"]
    assert (kinds["stablevicuna"]["commercial_use"], size["runs_here"]) == ("no", "too large")
    assert 7 < size["memory_gib"] < 10
    assert kinds["chatglm"]["sizes"][0]["runs_here"] == "upstream only"
    assert kinds["smollm2"]["sizes"][0]["runs_here"] == "yes"
    monkeypatch.setattr(models, "this_machine", lambda _: Machine(2, 4 * 2**30, (Gpu("card", 2**34, 2**33),)))
    kinds = {kind["name"]: kind for kind in listed(run)["families"]}
    assert kinds["stablevicuna"]["sizes"][0]["runs_here"] == "partly on the GPU"
    assert kinds["dolly-v2"]["sizes"][0]["runs_here"] == "yes, on the GPU"
    assert re.search(r"stablevicuna +13B +no +2048 +\d\.\d GiB +partly", cells(run("models", "list").out))


def test_the_embedder_is_prepared(run):
    assert re.fullmatch(r"The embedder is ready: 64 dimensions, \d+\.\d s\.\n", run("models", "prepare").out)


def test_a_file_is_registered_listed_verified_and_removed(run, file):
    done = run("models", "add", file, "--family", "smollm2")
    assert done.status == 0
    assert done.out.startswith("Registered small-model: smollm2, Apache-2.0.\n")
    row = listed(run)["models"][1]
    assert (row["name"], row["family"], row["context_tokens"]) == ("small-model", "smollm2", 64)
    assert row["weights"] == f"registered: {file}"
    assert "ok    small-model: Small Model.gguf, llama, f32" in run("models", "verify").out
    assert run("models", "remove", "small-model").status == 0
    assert len(listed(run)["models"]) == 1
    assert is_one_line_of_ours(run("models", "remove", "small-model"))


def test_a_registered_model_is_the_one_that_is_served(run, file, monkeypatch):
    run("models", "add", file, "--family", "smollm2", "--name", "mine")
    monkeypatch.setenv("CANONGATE_MODEL__NAME", "mine")
    monkeypatch.setenv("CANONGATE_MODEL__CONTEXT_TOKENS", "256")
    (found,) = (one["detail"] for one in json.loads(run("check", "--json").out) if one["part"] == "model")
    assert found.startswith("Small Model.gguf has a context of 64 tokens, not 256")
    small_model(file, llama__context_length=u32(4096))
    run("models", "add", file, "--family", "smollm2", "--name", "longer")
    monkeypatch.setenv("CANONGATE_MODEL__NAME", "longer")
    (found,) = (one["detail"] for one in json.loads(run("check", "--json").out) if one["part"] == "model")
    assert found == "longer: Small Model.gguf has the registered hash, context 256 tokens"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (found,) = (one["detail"] for one in json.loads(run("check", "--json").out) if one["part"] == "model")
    assert "was changed" in found


def test_a_changed_file_is_reported_and_fails_its_check(run, file):
    run("models", "add", file, "--family", "smollm2")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert listed(run)["models"][1]["weights"].startswith("changed since it was registered")
    done = run("models", "verify", "small-model", "--json")
    assert done.status == 1
    assert "is registered for small-model. Restore the file" in json.loads(done.out)[0]["found"]
    file.unlink()
    assert listed(run)["models"][1]["weights"].startswith("not there")
    assert run("models", "verify", "small-model").status == 1
    assert run("models", "verify").out.startswith("ok    smollm2-135m-instruct")


def test_a_file_that_was_only_touched_is_right_again_after_its_check(run, file):
    run("models", "add", file, "--family", "smollm2")
    file.touch()
    small_model(file)
    assert listed(run)["models"][1]["weights"].startswith("changed since")
    assert run("models", "verify", "small-model").status == 0
    assert listed(run)["models"][1]["weights"].startswith("registered: ")


def test_a_family_is_named_and_not_guessed(run, file):
    done = run("models", "add", file)
    assert is_one_line_of_ours(done)
    assert "is a llama model. Name its family with --family: alpaca, " in done.err
    done = run("models", "add", small_model(file.with_name("stablevicuna-13B.gguf")))
    assert "Its name suggests stablevicuna." in done.err
    done = run("models", "add", file, "--family", "dolly-v2")
    assert "is a llama model, but models of the family dolly-v2 are gptneox" in done.err
    assert "cannot run models of the family chatglm" in run("models", "add", file, "--family", "chatglm").err
    assert is_one_line_of_ours(run("models", "add", file, "--family", "gpt-4"))
    unknown = small_model(file, general__architecture=string("mamba"))
    assert is_one_line_of_ours(run("models", "add", unknown))


def test_the_only_family_of_an_architecture_needs_no_name(run, file):
    keys = ("block_count", "context_length", "embedding_length", "feed_forward_length")
    own = {f"qwen3.{key}": u32(value) for key, value in zip(keys, (2, 64, 8, 16), strict=True)}
    own["qwen3.attention.head_count"] = u32(4)
    small_model(file, general__architecture=string("qwen3"), **own)
    assert json.loads(run("models", "add", file, "--json").out)["family"] == "qwen-3"


def test_a_licence_that_forbids_commercial_use_is_acknowledged_first(run, file):
    done = run("models", "add", file, "--family", "stablevicuna")
    assert is_one_line_of_ours(done)
    assert "forbids commercial use" in done.err
    assert run("models", "add", file, "--family", "stablevicuna", "--licence-acknowledged").status == 0
    row = listed(run)["models"][1]
    assert (row["commercial_use"], row["is_licence_acknowledged"]) == (False, True)


def test_a_name_is_given_once(run, file):
    assert run("models", "add", file, "--family", "smollm2").status == 0
    assert "is taken" in run("models", "add", file, "--family", "smollm2").err
    taken = run("models", "add", file, "--family", "smollm2", "--name", "smollm2-135m-instruct")
    assert "is taken" in taken.err
    assert is_one_line_of_ours(run("models", "add", file, "--family", "smollm2", "--name", "../up"))


def test_a_file_that_is_no_model_is_refused_before_it_is_hashed(run, tmp_path):
    (tmp_path / "letter.gguf").write_text("dear")
    done = run("models", "add", tmp_path / "letter.gguf", "--family", "smollm2")
    assert is_one_line_of_ours(done)
    assert "does not begin with GGUF" in done.err
    assert "hashing" not in done.err


def test_a_damaged_registry_is_refused_and_not_guessed_from(run, file):
    run("models", "add", file, "--family", "smollm2")
    (run.data / "models.json").write_text('{"format": 1, "models": [{}]}')
    assert is_one_line_of_ours(run("models", "list"))
    assert is_one_line_of_ours(run("models", "add", file, "--family", "smollm2", "--name", "other"))


def test_the_registry_is_for_its_owner_and_replaced_whole(run, file):
    run("models", "add", file, "--family", "smollm2")
    path = registry_of(load_settings()).file
    assert path == run.data / "models.json"
    assert path.stat().st_mode & 0o77 == 0
    assert {one.name for one in run.data.iterdir() if one.name.endswith(".tmp")} == set()


def test_a_plan_is_shown(run, file):
    done = run("models", "plan", file, "--context", "64", "--parallel", "2", "--gpu-free", "0")
    assert done.status == 0
    assert "llama, 0 million parameters, f32, 2 layers, trained for 64 tokens" in done.out
    assert re.search(r"main memory +0 MiB +0 MiB +\d MiB +512 MiB +51\d MiB", cells(done.out))
    assert "context_tokens 64 for one request, 2 requests at once" in done.out


def test_a_plan_for_another_card_is_made_without_it(run, file):
    plan = json.loads(run("models", "plan", file, "--context", "64", "--gpu-free", "24", "--json").out)
    assert (plan["device"]["gpu_layers"], plan["layers_on_gpu"], plan["gpu"]["free"]) == (-1, 2, 24 * 2**30)
    done = run("models", "plan", file, "--context", "64", "--gpu-free", "0.1", "--gpu-layers", "-1")
    assert is_one_line_of_ours(done)
    assert "Put fewer layers on it" in done.err


def test_a_card_that_llama_cpp_cannot_use_is_not_promised(run, file, monkeypatch):
    monkeypatch.setattr(device, "nvidia_gpus", lambda: (Gpu("card", 2**40, 2**40),))
    monkeypatch.setattr(device, "has_gpu_build", lambda: False)
    plan = json.loads(run("models", "plan", file, "--context", "64", "--json").out)
    assert (plan["gpu"], plan["device"]["gpu_layers"], plan["needs_gpu_build"]) == (None, 0, False)
    assert "GPU: none (llama-cpp-python was built without one)" in run("models", "plan", file, "--context", "64").out
    assert "built without one" in run("models", "plan", file, "--context", "64", "--gpu-layers", "1").err
    assert json.loads(run("models", "plan", file, "--context", "64", "--gpu-free", "24", "--json").out)[
        "needs_gpu_build"
    ]
    assert "on the GPU" not in run("models", "list").out
    monkeypatch.setattr(device, "has_gpu_build", lambda: True)
    assert "yes, on the GPU" in {size["runs_here"] for kind in listed(run)["families"] for size in kind["sizes"]}


@pytest.mark.parametrize("free", ["nan", "inf", "-inf", "1e300", "-1"])
def test_a_card_of_no_size_is_refused_in_words(run, file, free):
    done = run("models", "plan", file, "--context", "64", "--gpu-free", free)
    assert done.status == 2
    assert "--gpu-free" in done.err
    assert "Traceback" not in done.err


def test_a_plan_is_for_as_many_requests_as_the_setting_allows(run, file, monkeypatch):
    assert run("models", "plan", file, "--context", "64", "--parallel", str(MOST_PARALLEL)).status == 0
    assert run("models", "plan", file, "--context", "64", "--parallel", str(MOST_PARALLEL + 1)).status == 2
    monkeypatch.setenv("CANONGATE_MODEL__PARALLEL", str(MOST_PARALLEL + 1))
    with pytest.raises(SettingsInvalid, match="parallel"):
        load_settings()


def test_what_was_made_is_told_as_json(run, tmp_path, file):
    for name in ("base", "delta"):
        (tmp_path / name).mkdir()
        save_file({"lm_head.weight": np.ones((2, 2), np.float16)}, tmp_path / name / "model.safetensors")
    done = run("models", "merge-delta", tmp_path / "base", tmp_path / "delta", tmp_path / "out", "--json")
    assert json.loads(done.out)["folder"] == str(tmp_path / "out")
    header = read_header(file)
    made = Quantized(header, replace(header, file_bytes=7, file_type="q8_0"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models_making, "quantize_file", lambda *_, **__: made)
        done = run("models", "quantize", file, tmp_path / "out.gguf", "--type", "q8_0", "--json")
    told = json.loads(done.out)
    assert (told["file"], told["type"], told["bytes"]) == (str(tmp_path / "out.gguf"), "q8_0", 7)
    assert told["from"] == {"type": "f32", "bytes": header.file_bytes}


def test_a_merge_is_made_on_the_command_line(run, tmp_path):
    for name in ("base", "delta"):
        (tmp_path / name).mkdir()
        save_file({"lm_head.weight": np.ones((2, 2), np.float16)}, tmp_path / name / "model.safetensors")
    done = run("models", "merge-delta", tmp_path / "base", tmp_path / "delta", tmp_path / "out")
    assert done.out == f"Wrote {tmp_path / 'out'}: 1 weights, 0.00 GiB.\n"
    assert load_file(tmp_path / "out" / "model.safetensors")["lm_head.weight"].tolist() == [[2, 2], [2, 2]]
    again = run("models", "merge-delta", tmp_path / "base", tmp_path / "delta", tmp_path / "out")
    assert is_one_line_of_ours(again)


def test_quantising_writes_over_nothing(run, file):
    done = run("models", "quantize", file, file, "--type", "q8_0")
    assert is_one_line_of_ours(done)
    assert "exists; name a file that does not" in done.err
