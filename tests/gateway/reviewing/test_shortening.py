import numpy as np

from gateway.reviewing.shortening import shortening
from models.fakes import FakeEmbedder


def test_a_message_that_is_too_long_is_grouped_by_its_beginning() -> None:
    embedder = FakeEmbedder(max_tokens=12)
    long = "the vpn is broken " * 400
    short, cut = shortening(embedder)(["the vpn is broken", long])
    assert np.isfinite(cut).all()
    assert float(short @ cut) > 0.9


def test_what_fits_is_left_as_it_is() -> None:
    embedder = FakeEmbedder()
    assert np.array_equal(shortening(embedder)(["the vpn is broken"]), embedder.embed(["the vpn is broken"]))
