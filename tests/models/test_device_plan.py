import os
import time

import pytest

from models import device
from models.cgroups import core_quota, free_bytes_left
from models.device import (
    DevicePlan,
    Gpu,
    Machine,
    free_memory,
    nvidia_gpus,
    plan_device,
    seen_gpus,
    this_machine,
    usable_cores,
)


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 7)])
def test_one_core_is_left_to_the_gateway_but_one_always_works(cores, threads):
    assert plan_device(gpu_layers=0, cores=cores) == DevicePlan(threads=threads, gpu_layers=0)


def test_the_plan_for_this_machine_uses_its_own_cores():
    assert 1 <= plan_device(gpu_layers=-1).threads <= usable_cores()


@pytest.mark.parametrize(("threads", "layers"), [(0, 0), (1, -2)])
def test_a_plan_out_of_range_does_not_exist(threads, layers):
    with pytest.raises(ValueError, match="must be"):
        DevicePlan(threads=threads, gpu_layers=layers)


@pytest.mark.parametrize(("cores", "free"), [(0, 1), (1, -1)])
def test_a_machine_that_cannot_be_does_not_exist(cores, free):
    with pytest.raises(ValueError, match="a machine has"):
        Machine(cores, free)


def test_this_machine_is_described():
    machine = this_machine({})
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert 2**26 < machine.free_bytes < 2**50


def test_a_quota_of_time_counts_as_cores(monkeypatch):
    monkeypatch.setattr(device, "core_quota", lambda: 1.5)
    assert usable_cores() == 1
    monkeypatch.setattr(device, "core_quota", lambda: 0.2)
    assert usable_cores() == 1
    monkeypatch.setattr(device, "core_quota", lambda: 10_000.0)
    assert usable_cores() <= (os.cpu_count() or 1)


def test_the_limit_of_a_container_counts_where_it_is_lower(monkeypatch):
    monkeypatch.setattr(device, "free_bytes_left", lambda: 1000)
    assert free_memory() == 1000
    monkeypatch.setattr(device, "free_bytes_left", lambda: 2**62)
    assert 1000 < free_memory() < 2**50


def smi(folder, text, status=0):
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{text}\nexit {status}\n")
    path.chmod(0o700)
    return str(path)


def test_cards_are_those_of_nvidia_smi(tmp_path):
    lines = (
        "GPU-1a, NVIDIA H100 80GB HBM3, 81559, 81000, Disabled",
        "GPU-2b, NVIDIA L4, 23034, 100, [N/A]",
        "GPU-3c, NVIDIA A100-SXM4-40GB, 40960, [Insufficient Permissions], Enabled",
    )
    assert nvidia_gpus(smi(tmp_path, "\n".join(f"echo '{line}'" for line in lines))) == (
        Gpu("NVIDIA H100 80GB HBM3", 81559 * 2**20, 81000 * 2**20, "GPU-1a"),
        Gpu("NVIDIA L4", 23034 * 2**20, 100 * 2**20, "GPU-2b"),
        Gpu("NVIDIA A100-SXM4-40GB", 0, 0, "GPU-3c", is_split=True),
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("echo 'No devices were found'", 0),
        ("echo 'GPU-1a, NVIDIA L4, [N/A], [N/A], [N/A]'", 0),
        ("echo 'GPU-1a, NVIDIA L4, 23034, 22000, [N/A]'", 9),
        ("true", 0),
        ("kill -9 $$", 0),
    ],
)
def test_a_tool_that_fails_or_says_something_odd_finds_no_card(tmp_path, text, status):
    assert nvidia_gpus(smi(tmp_path, text, status)) == ()


def test_a_tool_that_is_absent_or_hangs_finds_no_card(tmp_path, monkeypatch):
    assert nvidia_gpus(str(tmp_path / "absent")) == ()
    monkeypatch.setattr(device, "SMI_TIMEOUT_S", 0.2)
    started = time.monotonic()
    assert nvidia_gpus(smi(tmp_path, "exec sleep 60")) == ()
    assert time.monotonic() - started < 20


CARDS = tuple(Gpu(name, 2**34, 2**33, f"GPU-{name}") for name in ("1a-0", "1b-1", "2c-2"))


@pytest.mark.parametrize(
    ("listed", "seen"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("1", [1]),
        ("2, 0", [2, 0]),
        ("1,7,0", [1]),
        ("-1,0", []),
        ("NoDevFiles", []),
        ("1" * 5000, []),
        ("0,1,0", []),
        ("GPU-2c-2", [2]),
        ("GPU-2,GPU-1a", [2, 0]),
        ("GPU-2,GPU-1,GPU-1a", [2]),
        ("GPU-2,0", [2]),
        ("GPU-2,GPU-2c", []),
    ],
)
def test_cards_are_planned_with_that_the_worker_sees(listed, seen):
    environment = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    reason = "" if seen else "CUDA_VISIBLE_DEVICES shows the worker none"
    assert seen_gpus(CARDS, environment) == (tuple(CARDS[place] for place in seen), reason)


@pytest.mark.parametrize(
    "environment", [{}, {"CUDA_VISIBLE_DEVICES": "0,1"}, {"CUDA_VISIBLE_DEVICES": "GPU-2c,GPU-1b"}]
)
def test_a_card_that_is_split_is_not_planned_with(environment):
    gpus, reason = seen_gpus((CARDS[0], Gpu("split", 0, 0, "GPU-1b", is_split=True), CARDS[2]), environment)
    assert gpus == ()
    assert "name whole cards" in reason
    assert seen_gpus(CARDS, {"CUDA_VISIBLE_DEVICES": "MIG-5c89"}) == ((), reason)


def test_numbers_in_an_order_of_cudas_own_name_no_card():
    own = {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}
    assert seen_gpus(CARDS, own) == (CARDS, "")
    assert seen_gpus(CARDS, own | {"CUDA_VISIBLE_DEVICES": "GPU-2"}) == (CARDS[2:], "")
    gpus, reason = seen_gpus(CARDS, own | {"CUDA_VISIBLE_DEVICES": "2"})
    assert gpus == ()
    assert "name cards as GPU-..." in reason
    assert seen_gpus(CARDS, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "2"}) == (CARDS[2:], "")


def test_a_gpu_that_llama_cpp_cannot_use_is_not_there(monkeypatch):
    monkeypatch.setattr(device, "nvidia_gpus", lambda: CARDS)
    monkeypatch.setattr(device, "has_gpu_build", lambda: False)
    assert (this_machine({}).gpus, this_machine({}).no_gpu) == ((), "llama-cpp-python was built without one")
    monkeypatch.setattr(device, "has_gpu_build", lambda: True)
    assert this_machine({}).gpus == CARDS


def test_without_a_card_that_is_the_reason():
    assert seen_gpus((), {"CUDA_VISIBLE_DEVICES": "0"}) == ((), "nvidia-smi shows none")


def group(folder, own, files):
    """Writes control groups; returns the two paths that are looked at."""
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return folder / "groups", folder / "own"


def test_a_container_of_version_2_has_its_limits(tmp_path):
    places = group(
        tmp_path,
        "0::/app\n",
        {
            "app/cpu.max": "150000 100000\n",
            "app/memory.max": "1000000\n",
            "app/memory.current": "600000\n",
            "app/memory.stat": "anon 300000\nfile 300000\ninactive_file 250000\n",
        },
    )
    assert core_quota(*places) == 1.5
    assert free_bytes_left(*places) == 650_000


def test_a_container_whose_path_is_the_hosts_has_the_limits_of_the_root(tmp_path):
    own = "0::/system.slice/docker-1234.scope/../x\n"
    places = group(tmp_path, own, {"cpu.max": "50000 100000", "memory.max": "9000", "memory.current": "1000"})
    assert core_quota(*places) == 0.5
    assert free_bytes_left(*places) == 8000


def test_a_limit_of_a_group_further_up_counts_too(tmp_path):
    files = {"a/b/memory.max": "max", "a/b/memory.current": "10", "a/memory.max": "100", "a/memory.current": "130"}
    assert free_bytes_left(*group(tmp_path, "0::/a/b\n", files)) == 0


def test_a_container_of_version_1_has_its_limits(tmp_path):
    places = group(
        tmp_path,
        "5:cpu,cpuacct:/app\n4:memory:/app\n0::/\n",
        {
            "cpu/app/cpu.cfs_quota_us": "200000",
            "cpu/app/cpu.cfs_period_us": "100000",
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/app/memory.limit_in_bytes": "5000",
            "memory/app/memory.usage_in_bytes": "4000",
            "memory/app/memory.stat": "cache 3\ninactive_file 1\ntotal_inactive_file 500\n",
        },
    )
    assert core_quota(*places) == 2.0
    assert free_bytes_left(*places) == 1500


@pytest.mark.parametrize("text", ["", "max 100000", "0 100000", "100000 0", "nonsense", "1"])
def test_no_limit_and_nonsense_limit_nothing(tmp_path, text):
    places = group(tmp_path, "0::/\n", {"cpu.max": text, "memory.max": "max", "memory.current": "7"})
    assert core_quota(*places) is None
    assert free_bytes_left(*places) is None


def test_a_machine_without_groups_limits_nothing(tmp_path):
    assert core_quota(tmp_path, tmp_path / "absent") is None
    assert free_bytes_left(tmp_path, tmp_path / "absent") is None
