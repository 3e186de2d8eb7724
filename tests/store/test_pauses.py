"""The collector rests while much is made, and never for longer."""

import gc

import pytest

from store.pauses import uncollected


def test_the_collector_rests_until_the_last_builder_is_done():
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_builder_that_fails_lets_it_go_on():
    with pytest.raises(ValueError, match="told"), uncollected():
        raise ValueError("told to fail")
    assert gc.isenabled()
