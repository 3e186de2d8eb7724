"""How large a file may come out in another form, reckoned before it is written: rather too much than too little."""

from models.files.gguf import GgufHeader
from models.files.gguf_layout import Tensor

BITS = {
    "f16": 16.0,
    "bf16": 16.0,
    "q8_0": 8.5,
    "q6_k": 6.5625,
    "q5_k_m": 5.8,
    "q5_k_s": 5.6,
    "q4_k_m": 5.0,
    "q4_k_s": 4.75,
    "q4_1": 5.0,
    "q4_0": 4.5,
    "q3_k_m": 4.1,
    "q2_k": 3.5,
}
"""Of one weight in a layer. The mixed forms keep some tensors larger; that is in it."""
TABLE_BITS = 6.5625
"""What the forms below it keep word pieces and the output in."""
FALLBACK_BITS = 8.5
"""Of a weight whose row is no multiple of 256, which the K forms need: the largest that they fall back to."""
K_ROW = 256
WHOLE_TYPES = frozenset({"f32", "f16", "bf16"})
_TABLES = ("token_embd.weight", "output.weight")


def quantized_bytes(header: GgufHeader, file_type: str) -> int:
    """Returns how many bytes the weights may have as `file_type`, the name of a form on offer."""
    return header.header_bytes + sum(_bytes(tensor, file_type) for tensor in header.tensors)


def _bytes(tensor: Tensor, file_type: str) -> int:
    if len(tensor.shape) == 1:
        return tensor.elements * 4  # norms and the like stay as exact as they are
    bits = BITS[file_type]
    if tensor.name in _TABLES:
        bits = max(bits, TABLE_BITS)
    has_table_form = tensor.name in _TABLES and file_type not in WHOLE_TYPES
    if ("_k" in file_type or has_table_form) and tensor.shape[0] % K_ROW:
        bits = max(bits, FALLBACK_BITS)
    return int(tensor.elements * bits / 8)
