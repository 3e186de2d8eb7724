import re

import pytest

from models import planning
from models.catalog import known_model, located
from models.device import NO_GPU_BUILD, Gpu, Machine
from models.errors import ModelRefused
from models.files.gguf import GgufHeader, read_header
from models.files.gguf_layout import Tensor
from models.files.unpacking import unpacked_bytes
from models.planning import GIB, MIB, Wish, compute_bytes, plan_model
from models.worker import llama

SMALL = Machine(cores=2, free_bytes=4 * GIB)


def card(gib):
    return Gpu("card", int(gib * GIB), int(gib * GIB))


def llama_13b(type_name="q4_K", bits=4.89):
    """The shape of a LLaMA 13B, which StableVicuna is one of: 13.0 thousand million parameters."""
    layers, width, inner, words = 40, 5120, 13824, 32001
    size = {"attn": 4 * width * width, "ffn": 3 * width * inner}
    tensors = [("token_embd.weight", words * width), ("output.weight", words * width)]
    tensors += [(f"blk.{layer}.{name}.weight", count) for layer in range(layers) for name, count in size.items()]
    return GgufHeader(
        file="stablevicuna-13b.gguf",
        version=3,
        architecture="llama",
        parameters=sum(count for _, count in tensors),
        layers=layers,
        heads=40,
        kv_heads=(40,) * layers,
        key_length=128,
        value_length=128,
        context_tokens=2048,
        embedding_length=width,
        feed_forward_length=inner,
        vocabulary=words,
        file_type="q4_k_m",
        tensors=tuple(Tensor(name, (count,), type_name, 0, int(count * bits / 8)) for name, count in tensors),
        header_bytes=0,
        file_bytes=0,
    )


@pytest.fixture(scope="module")
def smollm2():
    return read_header(located(known_model("smollm2-135m-instruct")))


@pytest.mark.weights
def test_two_cores_without_a_gpu_leave_one_to_the_gateway(smollm2):
    plan = plan_model(smollm2, SMALL, Wish())
    assert (plan.device.threads, plan.device.gpu_layers, plan.gpu) == (1, 0, None)
    assert (plan.context_tokens, plan.sequences, plan.cells, plan.batch_tokens) == (2048, 8, 4096, 73)
    # As llama.cpp reports them: weights of 92.10 MiB, and 45.00 MiB of cache for every 2048 cells.
    packed = plan_model(smollm2, SMALL, Wish(may_unpack=False))
    assert (packed.is_unpacked, packed.main.weights) == (False, smollm2.weight_bytes)
    assert (plan.is_unpacked, plan.main.weights) == (True, unpacked_bytes(smollm2))
    assert plan.main.kv == 4096 * 45 * MIB // 2048


@pytest.mark.weights
@pytest.mark.parametrize(
    ("context", "batch", "reported_mib"),
    [
        *((2048, 16, 3.20), (2048, 64, 12.81), (8192, 64, 12.28), (2048, 512, 102.51)),
        *((65536, 512, 98.25), (2048, 73, 14.62), (8192, 73, 14.01), (8192, 544, 104.48)),
    ],
)
def test_the_estimate_of_computing_is_at_most_a_tenth_above_what_llama_cpp_reports(
    smollm2, context, batch, reported_mib
):
    estimate = compute_bytes(smollm2, context_tokens=context, batch_tokens=batch) / MIB
    assert reported_mib <= estimate <= 1.1 * reported_mib


def test_a_13b_in_4_bits_lies_whole_on_a_card_of_24_gib():
    plan = plan_model(llama_13b(), Machine(8, 16 * GIB, (card(23.5),)), Wish(sequences=8))
    assert (plan.device.gpu_layers, plan.layers_on_gpu, plan.device.threads) == (-1, 40, 7)
    assert 7.0 * GIB < plan.gpu.weights < 7.6 * GIB
    assert plan.gpu.kv == 4608 * 40 * 40 * 256 * 2
    assert plan.gpu.fits
    # In main memory stays what turns tokens into vectors, and no context.
    assert (plan.main.kv, plan.main.weights) == (0, llama_13b().input_bytes)


def test_a_card_of_80_gib_takes_more_requests_at_once():
    plan = plan_model(llama_13b("f16", 16), Machine(16, 64 * GIB, (card(79),)), Wish())
    assert (plan.device.gpu_layers, plan.sequences, plan.batch_tokens) == (-1, 32, 544)
    assert (plan.cells, plan.prefix_cells) == (32 * 512 + 512, 512)
    assert plan.gpu.needed < 79 * GIB


def test_fewer_requests_at_once_come_before_fewer_layers_on_the_card():
    plan = plan_model(llama_13b(), Machine(8, 16 * GIB, (card(23.5),)), Wish())
    assert (plan.device.gpu_layers, plan.sequences) == (-1, 32)
    plan = plan_model(llama_13b(), Machine(8, 16 * GIB, (card(12),)), Wish())
    assert (plan.device.gpu_layers, plan.sequences) == (-1, 8)
    plan = plan_model(llama_13b(), Machine(8, 11 * GIB), Wish())
    assert (plan.device.gpu_layers, plan.sequences) == (0, 4)


def test_a_card_that_is_too_small_takes_as_many_layers_as_fit():
    header = llama_13b()
    machine = Machine(8, 16 * GIB, (card(6),))
    plan = plan_model(header, machine, Wish())
    assert 0 < plan.layers_on_gpu < 40
    # As llama.cpp counts, the output is one more.
    assert plan.device.gpu_layers == plan.layers_on_gpu + 1
    assert plan.gpu.fits
    with pytest.raises(ModelRefused, match="Put fewer layers"):
        plan_model(header, machine, Wish(gpu_layers=plan.device.gpu_layers + 1))
    # What is not on the card is in main memory, and nothing is twice.
    assert plan.main.weights + plan.gpu.weights == header.weight_bytes
    assert plan.main.kv + plan.gpu.kv == sum(header.layer_kv_bytes) * plan.cells


def test_a_card_too_small_for_anything_is_left_alone():
    plan = plan_model(llama_13b(), Machine(8, 16 * GIB, (card(0.5),)), Wish())
    assert (plan.device.gpu_layers, plan.gpu) == (0, None)


def test_a_machine_that_is_too_small_is_refused_with_sizes_and_advice():
    with pytest.raises(ModelRefused) as refused:
        plan_model(llama_13b(), SMALL, Wish())
    needed, free = re.search(r"needs ([\d.]+) GiB .* and ([\d.]+) GiB are free", str(refused.value)).groups()
    assert 9.3 < float(needed) < 9.7
    assert free == "4.00"
    assert "smaller quantisation" in str(refused.value)


def test_a_card_helps_a_machine_whose_memory_is_too_small_alone():
    plan = plan_model(llama_13b(), Machine(4, 4 * GIB, (card(8),)), Wish())
    assert plan.layers_on_gpu > 20
    with pytest.raises(ModelRefused, match=r"4\.00 GiB are free"):
        plan_model(llama_13b(), Machine(4, 4 * GIB, (card(8),)), Wish(gpu_layers=0))


def test_layers_for_a_card_that_is_not_there_are_refused():
    with pytest.raises(ModelRefused, match="nvidia-smi shows none"):
        plan_model(llama_13b(), Machine(8, 64 * GIB), Wish(gpu_layers=-1))
    with pytest.raises(ModelRefused, match=r"built without one.* to 0.* to -1, which uses one"):
        plan_model(llama_13b(), Machine(8, 64 * GIB, no_gpu=NO_GPU_BUILD), Wish(gpu_layers=20))


def test_two_cards_are_counted_together_and_each_keeps_its_reserve():
    plan = plan_model(llama_13b(), Machine(8, 16 * GIB, (card(8), card(8))), Wish())
    assert plan.device.gpu_layers == -1
    assert plan.gpu.free == 16 * GIB
    assert plan.gpu.reserve == 2 * 768 * MIB


def test_more_context_than_the_model_was_trained_for_is_refused():
    with pytest.raises(ModelRefused, match="context of 2048 tokens"):
        plan_model(llama_13b(), Machine(8, 999 * GIB), Wish(context_tokens=2049))


def test_every_request_has_room_for_a_prompt_and_its_answer_and_one_of_them_for_the_longest():
    roomy = Machine(8, 999 * GIB)
    assert plan_model(llama_13b(), roomy, Wish(sequences=100)).cells == 100 * 512
    assert plan_model(llama_13b(), roomy, Wish(context_tokens=2048, sequences=1)).cells == 2048
    assert plan_model(llama_13b(), roomy, Wish(sequences=100)).batch_tokens == 165


def test_threads_that_somebody_asked_for_are_taken():
    assert plan_model(llama_13b(), Machine(8, 64 * GIB), Wish(threads=3)).device.threads == 3


@pytest.mark.parametrize("wrong", [{"context_tokens": 0}, {"sequences": 0}, {"threads": 0}, {"sequences": -1}])
def test_a_wish_out_of_range_does_not_exist(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        Wish(**wrong)


def test_a_plan_counts_the_batch_that_the_worker_takes() -> None:
    assert (planning.CPU_BATCH, planning.GPU_BATCH) == (llama.CPU_STEP, llama.GPU_STEP)
    assert planning.KEPT_SEQUENCES == llama.MOST_PREFIXES + 1
