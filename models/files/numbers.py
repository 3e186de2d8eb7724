"""Adds weights in the three forms that published models have: f16, bf16 and f32."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def added(left: bytes, right: bytes, dtype: str) -> bytes | None:
    """Returns the sums in the same form, rounded to the nearest; None when one of them is not a finite number."""
    with np.errstate(all="ignore"):  # what overflows is found below
        total = _floats(left, dtype) + _floats(right, dtype)
        data = _bytes(total, dtype)
        return data if bool(np.isfinite(_floats(data, dtype)).all()) else None


def _floats(data: bytes, dtype: str) -> Floats:
    if dtype == "F32":
        return np.frombuffer(data, dtype="<f4")
    if dtype == "F16":
        return np.frombuffer(data, dtype="<f2").astype(np.float32)
    # bf16 is the upper half of a float of 32 bits.
    return (np.frombuffer(data, dtype="<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)


def _bytes(total: Floats, dtype: str) -> bytes:
    if dtype == "F32":
        return total.astype("<f4").tobytes()
    if dtype == "F16":
        return total.astype("<f2").tobytes()
    bits = total.view(np.uint32)
    # To the nearest, a tie to the even one; adding to the bits of a NaN could make it a number, so it stays one.
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(total), np.uint32(0x7FC0), rounded).astype("<u2").tobytes()
