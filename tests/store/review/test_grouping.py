import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.review.grouping import Nearness, centres_of, group, most_central, place, unit

NEAR = Nearness(join=0.7, merge=0.85)


def around(centre: int, count: int, *, seed: int, spread: float = 0.1) -> np.ndarray:
    dice = np.random.default_rng(seed)
    vectors = dice.normal(0, spread, (count, 16))
    vectors[:, centre] += 1
    return unit(vectors.astype(np.float32))


def ones(vectors: np.ndarray) -> np.ndarray:
    return np.ones(len(vectors), dtype=np.int64)


def test_what_is_near_is_one_group_and_what_is_far_is_another() -> None:
    vectors = np.concatenate([around(1, 20, seed=1), around(5, 30, seed=2), around(9, 1, seed=3)])
    groups = group(vectors, ones(vectors), NEAR)
    assert groups.tolist() == [0] * 20 + [1] * 30 + [2]


def test_the_order_of_the_vectors_changes_numbers_and_not_groups() -> None:
    vectors = np.concatenate([around(centre, 40, seed=centre, spread=0.14) for centre in range(5)])
    order = np.random.default_rng(7).permutation(len(vectors))
    before, after = group(vectors, ones(vectors), NEAR), group(vectors[order], ones(vectors), NEAR)
    assert np.array_equal(before, group(vectors, ones(vectors), NEAR))
    together = before[:, None] == before[None, :]
    again = after[:, None] == after[None, :]
    assert np.mean(together[np.ix_(order, order)] == again) > 0.99


@given(st.integers(1, 60), st.integers(0, 1000))
def test_every_vector_has_a_group_and_the_numbers_have_no_gap(count: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32))
    groups = group(vectors, ones(vectors), NEAR)
    assert len(groups) == count
    assert set(groups.tolist()) == set(range(groups.max() + 1))


def test_a_vector_joins_the_nearest_group_or_none() -> None:
    centres = centres_of(np.concatenate([around(1, 5, seed=1), around(2, 5, seed=2)]), np.repeat([0, 1], 5))
    found = place(np.concatenate([around(2, 1, seed=4), around(8, 1, seed=5)]), centres, NEAR)
    assert found.tolist() == [1, -1]
    assert place(around(2, 2, seed=4), centres[:0], NEAR).tolist() == [-1, -1]


def test_the_label_is_the_most_central_and_of_equals_the_most_frequent() -> None:
    vectors = unit(np.array([[1, 0.5], [1, 0], [1, -0.5], [1, 0]], dtype=np.float32))
    centre = unit(np.array([[1, 0]], dtype=np.float32))[0]
    assert most_central(vectors, np.array([9, 1, 9, 2]), centre) == 3


def test_nothing_is_no_group() -> None:
    empty = np.empty((0, 16), dtype=np.float32)
    assert group(empty, ones(empty), NEAR).tolist() == []


@pytest.mark.parametrize(("join", "merge"), [(0.0, 0.5), (0.9, 0.8), (0.5, 1.5)])
def test_nearness_that_makes_no_sense_is_refused(join: float, merge: float) -> None:
    with pytest.raises(ValueError, match="join"):
        Nearness(join=join, merge=merge)
