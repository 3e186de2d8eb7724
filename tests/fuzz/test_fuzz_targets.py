"""A short replay of what `make fuzz` does: every seed, and changes of it that a number chooses."""

from random import Random

import pytest

from gateway.canonicalize import CanonicalMessage, canonicalize
from models.files.gguf import read_header
from rails.policy import load_policy
from store.formats.documents import parse_yaml
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, as_file

CHANGED = 60
"""Changed copies of each seed."""


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_of_foreign_bytes_keeps_its_promise(name: str) -> None:
    chance = Random(name)  # noqa: S311 - inputs, no secret
    for seed in seeds(name):
        TARGETS[name](seed)
        for _ in range(CHANGED):
            TARGETS[name](_changed(seed, chance))


def _changed(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = chance.randbytes(1)
            case 1:
                del changed[place : place + chance.randint(1, 8)]
            case 2:
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
            case _:
                changed[place:place] = changed[place : place + chance.randint(1, 32)]
    return bytes(changed)


def test_the_seeds_reach_what_is_behind_the_refusals() -> None:
    """Else a target would only ever see what is refused at the door."""
    assert isinstance(canonicalize(seeds("canonicalizer")[0].decode()), CanonicalMessage)
    assert read_header(as_file(seeds("gguf_header")[0])).layers == 2
    assert load_policy(parse_yaml(seeds("policy")[0])).dialog is not None
