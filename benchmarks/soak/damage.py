"""Damages the header of a GGUF file in the ways that accidents and bad intentions do."""

import re
import struct
from random import Random

ODD_64 = (0, 1, 2, 3, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
ODD_32 = (0, 1, 2, 3, 5, 63, 65, 255, 1000, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ODD_FLOATS = (float("nan"), float("inf"), -1.0, 0.0, 1e38)
FLOAT = 6
NUMBER_KINDS = (4, 5, FLOAT)
"""Metadata of 32 bits: with a sign, without one, and floating."""
KEY = re.compile(rb"(?:[a-z0-9]+|tokenizer\.ggml)\.[a-z_.0-9]{4,48}")
KINDS = ("flips", "cut", "count", "size", "number", "weights", "doubled", "moved")


def damaged(data: bytes, header_bytes: int, random: Random) -> tuple[str, bytes]:
    """Returns what was done, the kind as its first word, and the damaged file."""
    kind = random.choice(KINDS)
    changed = bytearray(data)
    if kind == "flips":
        for _ in range(random.choice((1, 1, 2, 8, 64))):
            changed[random.randrange(header_bytes)] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del changed[random.choice((random.randrange(header_bytes), random.randrange(len(data)))) :]
    elif kind == "count":
        struct.pack_into("<Q", changed, random.choice((8, 16)), random.choice(ODD_64))
    elif kind == "size":
        # Somewhere in the header a length, a dimension or an offset is another.
        struct.pack_into("<Q", changed, random.randrange(24, header_bytes - 8), random.choice(ODD_64))
    elif kind == "number":
        return _change_a_number(changed, header_bytes, random), bytes(changed)
    elif kind == "weights":
        _change_weights(changed, header_bytes, random)
    elif kind == "doubled":
        at = random.randrange(24, header_bytes)
        changed[at:at] = changed[at : at + random.randrange(1, 256)]
    else:
        at, length = random.randrange(24, header_bytes - 64), random.randrange(1, 32)
        changed[at : at + length] = changed[at + 32 : at + 32 + length]
    return kind, bytes(changed)


def _change_a_number(changed: bytearray, header_bytes: int, random: Random) -> str:
    """Gives a key of the metadata another value, and leaves everything else sound: what bounds alone can find."""
    places = []
    for found in KEY.finditer(changed, 0, header_bytes):
        end = found.end()
        kind = int.from_bytes(changed[end : end + 4], "little")
        if int.from_bytes(changed[found.start() - 8 : found.start()], "little") == end - found.start():
            places += [(end + 4, kind, found[0].decode())] if kind in NUMBER_KINDS else []
    at, kind, key = random.choice(places)
    value = random.choice(ODD_FLOATS) if kind == FLOAT else random.choice(ODD_32)
    struct.pack_into("<f" if kind == FLOAT else "<I", changed, at, value)
    return f"number {key}={value}"


def _change_weights(changed: bytearray, header_bytes: int, random: Random) -> None:
    """Fills a stretch of the weights with noise, or with ones, which are not-a-number in every format of floats."""
    at = random.randrange(header_bytes, len(changed))
    length = min(len(changed) - at, random.choice((64, 4096, 65536)))
    changed[at : at + length] = random.randbytes(length) if random.random() < 0.5 else b"\xff" * length
