"""Rewrites a GGUF once in a form that this processor computes several tokens of at a time.

llama.cpp has kernels for several tokens at once for most forms of weights. For the others a step for eight answers, or
the reading of a prompt, multiplies token by token. Such a file is rewritten with 8 bits a weight: SmolLM2 in Q4_1 then
reads 64 tokens in half the time and takes a step for eight in two thirds of it, for half as much memory again. The 8
bits cost about as much exactness as those in which llama.cpp keeps activations anyway (docs/models.md has figures).
"""

import hashlib
import importlib.metadata
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError, ModelRefused
from models.files.gguf import GgufHeader
from models.files.quantizing import QuantizeProgress, quantize_file
from models.verified import new_folder, require_sha256, sha256_of

FORM = "q8_0"
ONE_BY_ONE = frozenset({"q4_1", "q5_1"})
"""Forms that llama.cpp multiplies token by token on an x86-64 CPU: neither `repack` nor `sgemm` knows them."""
MOST_BYTES = 4 * 2**30
"""A file that would come out larger is used as it is: a step for one answer would only read more memory."""
MOST_S = 600.0
"""For rewriting; the largest file that is takes about two minutes on one core."""
TOLD_SHARE = 0.25
"""How far it comes between two lines about it."""

_LOG = logging.getLogger(__name__)

Say = Callable[[str], None]
"""Is told in one line what is being done."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A file that the worker may load, and the hash that it must have."""

    path: Path
    sha256: str


def gains_by_unpacking(header: GgufHeader) -> bool:
    """Whether the weights are computed token by token, and the file is small enough to be rewritten."""
    return is_one_by_one(header) and unpacked_bytes(header) <= MOST_BYTES


def is_one_by_one(header: GgufHeader) -> bool:
    """Whether most of the weights are in a form that a CPU computes token by token."""
    sizes: Counter[str] = Counter()
    for tensor in header.tensors:
        sizes[tensor.type_name] += tensor.size_bytes
    return sum(size for form, size in sizes.items() if form in ONE_BY_ONE) * 2 > sizes.total()


def unpacked_bytes(header: GgufHeader) -> int:
    """Returns how many bytes the weights have then: blocks of 32 with a scale of 2 bytes."""
    return header.parameters * 34 // 32


def unpacked(source: Weights, folder: Path, say: Say) -> Weights:
    """Returns the rewritten form of a file, made now unless `folder` has it whole; or the file, when that fails.

    The source is checked each time, as if it were loaded itself. The result's name holds the source's hash and
    llama.cpp's version, so that neither is ever mixed up, and its own hash, which is compared: that guards against
    damage, not against somebody who can write the data folder. Why it could not be made (a full disk, or `MOST_S` over)
    is logged as `not_unpacked`: answers come all the same, slower.
    """
    version = importlib.metadata.version("llama-cpp-python")
    stem = hashlib.sha256(f"{source.sha256} {version} {FORM}".encode()).hexdigest()[:32]
    try:
        require_sha256(source.path, source.sha256)
        kept = next(filter(None, map(_whole, sorted(folder.glob(f"{stem}-*.gguf")))), None)
        if kept is not None:
            return kept
        return _made(source, folder, stem, say)
    except (ModelError, OSError) as error:
        _LOG.warning("not_unpacked: %s: %s", source.path.name, error)
        return source


def _whole(path: Path) -> Weights | None:
    """Returns what an earlier start made when it is whole; removes what is not."""
    digest = path.stem.rpartition("-")[2]
    if sha256_of(path) == digest:
        return Weights(path, digest)
    _LOG.warning("unpacked_file_damaged: %s is made again", path.name)
    path.unlink(missing_ok=True)
    return None


def _made(source: Weights, folder: Path, stem: str, say: Say) -> Weights:
    """Makes it in a folder of its own, so that starts at the same time, or broken off, are not in each other's way."""
    with new_folder(folder) as work:
        new = work / "unpacked.gguf"
        quantize_file(source.path, new, FORM, _progress(source.path.name, say), allow_requantize=True, most_s=MOST_S)
        require_sha256(source.path, source.sha256)  # what was read is what was checked
        digest = sha256_of(new)
        target = folder / f"{stem}-{digest}.gguf"
        new.replace(target)
    if sha256_of(target) != digest:
        raise ModelRefused(f"{target.name} changed while it was made")
    return Weights(target, digest)


def _progress(name: str, say: Say) -> QuantizeProgress:
    """Returns a reporter that says a line at the beginning and after each quarter."""
    due = 0.0
    say(f"unpacking {name} to 8 bits a weight, once")

    def tell(done: int, total: int) -> None:
        nonlocal due
        if total and done / total >= due + TOLD_SHARE:
            due += TOLD_SHARE * ((done / total - due) // TOLD_SHARE)
            say(f"unpacking {name}: {100 * done // total} %")

    return tell
