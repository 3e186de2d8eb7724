import pytest

from models.device import DevicePlan, plan_device, usable_cores


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 7)])
def test_one_core_is_left_to_the_gateway_but_one_always_works(cores, threads):
    assert plan_device(gpu_layers=0, cores=cores) == DevicePlan(threads=threads, gpu_layers=0)


def test_the_plan_for_this_machine_uses_its_own_cores():
    assert 1 <= plan_device(gpu_layers=-1).threads <= usable_cores()


@pytest.mark.parametrize(("threads", "layers"), [(0, 0), (1, -2)])
def test_a_plan_out_of_range_does_not_exist(threads, layers):
    with pytest.raises(ValueError, match="must be"):
        DevicePlan(threads=threads, gpu_layers=layers)
