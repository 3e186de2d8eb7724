import numpy as np

from store.learning.features import NAMES
from store.learning.stack import Examples, fit_stack

PLACE = NAMES.index("nearest")


def examples(sentences: int, *, seed: int = 0, useful: bool = True) -> Examples:
    """Two candidates a sentence; the right ones are nearer when the feature is useful."""
    generator = np.random.default_rng(seed)
    is_right = np.tile([True, False], sentences)
    values = generator.normal(size=(2 * sentences, len(NAMES))).astype(np.float32)
    if useful:
        values[:, PLACE] += np.where(is_right, 2, -2)
    return Examples(values, is_right, np.repeat(np.arange(sentences), 2), np.ones(2 * sentences), sentences)


def test_a_feature_that_tells_right_from_wrong_gets_the_weight():
    stack = fit_stack(examples(2000))
    assert stack.weights[PLACE] == stack.weights.max() > 0.5
    assert np.delete(np.abs(stack.weights), PLACE).max() < 0.2


def test_few_sentences_stay_near_equal_weights():
    stack = fit_stack(examples(3, useful=False))
    free = NAMES.index("length")
    assert np.abs(np.delete(stack.weights, free) - 0.2).max() < 0.1


def test_no_weight_but_that_of_the_length_is_negative():
    data = examples(500)
    data.values[:, PLACE] *= -1
    stack = fit_stack(data)
    assert np.delete(stack.weights, NAMES.index("length")).min() >= 0
    assert stack.weights[PLACE] == 0


def test_a_feature_that_never_varies_counts_for_nothing():
    data = examples(50)
    data.values[:, 3] = 0.25
    assert fit_stack(data).weights[3] == 0


def test_scores_are_probabilities_whatever_the_features():
    stack = fit_stack(examples(50))
    extreme = np.full((2, len(NAMES)), 1e6, dtype=np.float32) * np.array([[1], [-1]], dtype=np.float32)
    high, low = stack.score(extreme)
    assert 0 <= low < 1e-9
    assert 1 - 1e-9 < high <= 1


def test_the_same_examples_give_the_same_bytes():
    one, other = fit_stack(examples(40)), fit_stack(examples(40))
    assert one.weights.tobytes() == other.weights.tobytes()
    assert one.bias == other.bias


def test_nothing_but_right_candidates_does_not_run_away():
    data = examples(5)
    only = Examples(data.values, np.ones(10, dtype=np.bool_), data.sentences, data.weights, 5)
    assert np.isfinite(fit_stack(only).bias)
