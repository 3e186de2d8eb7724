"""The numbers that a GGUF file uses for kinds of values, tensors and files, and how many bytes they take.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. A test compares the types with llama.cpp's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class ValueKind(IntEnum):
    """What a metadata value is."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


FIXED: Mapping[ValueKind, str] = MappingProxyType(
    {
        ValueKind.UINT8: "<B",
        ValueKind.INT8: "<b",
        ValueKind.UINT16: "<H",
        ValueKind.INT16: "<h",
        ValueKind.UINT32: "<I",
        ValueKind.INT32: "<i",
        ValueKind.FLOAT32: "<f",
        ValueKind.BOOL: "<B",
        ValueKind.UINT64: "<Q",
        ValueKind.INT64: "<q",
        ValueKind.FLOAT64: "<d",
    }
)
"""How a value of fixed size is packed, for the struct module."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """How weights are stored: blocks of so many elements in so many bytes."""

    name: str
    block: int
    block_bytes: int


TENSOR_TYPES: Mapping[int, TensorType] = MappingProxyType(
    {
        0: TensorType("f32", 1, 4),
        1: TensorType("f16", 1, 2),
        2: TensorType("q4_0", 32, 18),
        3: TensorType("q4_1", 32, 20),
        6: TensorType("q5_0", 32, 22),
        7: TensorType("q5_1", 32, 24),
        8: TensorType("q8_0", 32, 34),
        9: TensorType("q8_1", 32, 36),
        10: TensorType("q2_K", 256, 84),
        11: TensorType("q3_K", 256, 110),
        12: TensorType("q4_K", 256, 144),
        13: TensorType("q5_K", 256, 176),
        14: TensorType("q6_K", 256, 210),
        15: TensorType("q8_K", 256, 292),
        16: TensorType("iq2_xxs", 256, 66),
        17: TensorType("iq2_xs", 256, 74),
        18: TensorType("iq3_xxs", 256, 98),
        19: TensorType("iq1_s", 256, 50),
        20: TensorType("iq4_nl", 32, 18),
        21: TensorType("iq3_s", 256, 110),
        22: TensorType("iq2_s", 256, 82),
        23: TensorType("iq4_xs", 256, 136),
        24: TensorType("i8", 1, 1),
        25: TensorType("i16", 1, 2),
        26: TensorType("i32", 1, 4),
        27: TensorType("i64", 1, 8),
        28: TensorType("f64", 1, 8),
        29: TensorType("iq1_m", 256, 56),
        30: TensorType("bf16", 1, 2),
        34: TensorType("tq1_0", 256, 54),
        35: TensorType("tq2_0", 256, 66),
        39: TensorType("mxfp4", 32, 17),
        40: TensorType("nvfp4", 64, 36),
        41: TensorType("q1_0", 128, 18),
        42: TensorType("q2_0", 64, 18),
    }
)

FILE_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "f32",
        1: "f16",
        2: "q4_0",
        3: "q4_1",
        7: "q8_0",
        8: "q5_0",
        9: "q5_1",
        10: "q2_k",
        11: "q3_k_s",
        12: "q3_k_m",
        13: "q3_k_l",
        14: "q4_k_s",
        15: "q4_k_m",
        16: "q5_k_s",
        17: "q5_k_m",
        18: "q6_k",
        19: "iq2_xxs",
        20: "iq2_xs",
        21: "q2_k_s",
        22: "iq3_xs",
        23: "iq3_xxs",
        24: "iq1_s",
        25: "iq4_nl",
        26: "iq3_s",
        27: "iq3_m",
        28: "iq2_s",
        29: "iq2_m",
        30: "iq4_xs",
        31: "iq1_m",
        32: "bf16",
        36: "tq1_0",
        37: "tq2_0",
        38: "mxfp4_moe",
        39: "nvfp4",
        40: "q1_0",
        41: "q2_0",
    }
)
"""What a file says it is mostly made of (`general.file_type`), by the number that quantising takes."""
