"""Adds a weight delta to the base model it was made from, shard by shard in bounded memory.

Some models (StableVicuna, Vicuna v0) were published as the difference to weights whose licence forbids passing them on.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from models.errors import ModelRefused, ModelUnavailable
from models.files.numbers import added
from models.files.shards import ELEMENT_BYTES, INDEX, SINGLE, ShardedFolder, Weight, open_folder, shard_header

CHUNK_ELEMENTS = 2**20
"""Numbers added at a time: some 20 MB of memory, and no quicker with more."""
STATE = "merge.json"
STATE_FORMAT = 1
COPIED = frozenset({".json", ".txt", ".model", ".jinja"})
"""Endings of the files beside the weights: settings and vocabulary, which are the delta's."""
MAX_COPIED_BYTES = 64 * 2**20
SPARE_BYTES = 64 * 2**20
"""Of the disk, for what is copied beside the weights."""
GROWING = ("embed_tokens.weight", "lm_head.weight", "embed_in.weight", "embed_out.weight", "wte.weight")
"""Weights with a row for each word piece; only they may have more rows in a delta that brought word pieces."""
DERIVED = "rotary_emb.inv_freq"
"""Not weights, but numbers that old versions of transformers wrote down; everybody computes them anew."""

MergeProgress = Callable[[str, int, int], None]
"""Is told the file being written, the bytes done of all files, and of how many."""


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was merged from what; left in the result, and what a broken-off merge goes on from."""

    format: int
    base: tuple[tuple[str, int, int], ...]
    """Name, size and time of each file."""
    delta: tuple[tuple[str, int, int], ...]
    added_tokens: int
    files: dict[str, str]
    """The finished files by name, with their SHA-256."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge made."""

    folder: Path
    weights: int
    size_bytes: int
    added_tokens: int
    resumed_files: int
    """Files that an earlier, broken-off merge had finished."""


def merge_delta(
    base: Path, delta: Path, target: Path, progress: MergeProgress, *, allow_added_tokens: bool = False
) -> Merged:
    """Writes base + delta as a new folder; a merge that was broken off goes on after the last finished file.

    Raises `ModelRefused` when the two do not belong together or a sum is no finite number, `ModelUnavailable` when the
    disk is full. `target` appears whole, at the end; until then the work is in `target` with `.merging` behind it.
    """
    if target.exists():
        raise ModelRefused(f"{target} exists; name a folder that does not")
    first, second = open_folder(base), open_folder(delta)
    grown = _require_pair(first, second, allow_added_tokens=allow_added_tokens)
    state = _State(STATE_FORMAT, _looks(first), _looks(second), grown, {})
    work = target.with_name(f"{target.name}.merging")
    try:
        with _workplace(work):
            before = _finished(work, state)
            _require_room(work, second, before)
            finished = _merge_shards(first, second, work, msgspec.structs.replace(state, files=before), progress)
            _complete(second, work, finished)
            work.rename(target)
            _sync(target.parent)
    except OSError as error:
        raise ModelUnavailable(f"{work} cannot be written: {error.strerror}. Run it again to go on.") from error
    weights = _merged_weights(second)
    return Merged(target, len(weights), sum(one.size_bytes for one in weights), grown, len(before))


def _require_pair(base: ShardedFolder, delta: ShardedFolder, *, allow_added_tokens: bool) -> int:
    """Returns how many word pieces the delta added; raises `ModelRefused` unless each weight meets its like."""
    ours = {name: weight for name, weight in base.weights.items() if not name.endswith(DERIVED)}
    theirs = {name: weight for name, weight in delta.weights.items() if not name.endswith(DERIVED)}
    if missing := sorted(ours.keys() ^ theirs.keys()):
        where = base.path if missing[0] in theirs else delta.path
        raise ModelRefused(f"{where} lacks {missing[0]} and {len(missing) - 1} more: this is not the delta's base")
    grown = 0
    for name, weight in theirs.items():
        other = ours[name]
        if weight.dtype != other.dtype:
            raise ModelRefused(
                f"{name} is {other.dtype} in the base and {weight.dtype} in the delta; convert the base to that"
            )
        if weight.shape == other.shape:
            continue
        more = _added_rows(other, weight)
        if more is None:
            raise ModelRefused(f"{name} has the shape {other.shape} in the base and {weight.shape} in the delta")
        if not allow_added_tokens:
            raise ModelRefused(
                f"the delta has {more} word pieces more than the base ({name}). When its makers say so, allow it with "
                "--allow-added-tokens: the base counts as 0 there."
            )
        grown = max(grown, more)
    return grown


def _added_rows(base: Weight, delta: Weight) -> int | None:
    is_vocabulary = base.name.endswith(GROWING) and len(base.shape) == len(delta.shape) == 2  # noqa: PLR2004 - a matrix
    if not is_vocabulary or base.shape[1] != delta.shape[1] or base.shape[0] >= delta.shape[0]:
        return None
    return delta.shape[0] - base.shape[0]


def _merge_shards(
    base: ShardedFolder, delta: ShardedFolder, work: Path, state: _State, progress: MergeProgress
) -> _State:
    ours = base.weights
    total = sum(weight.size_bytes for weight in _merged_weights(delta))
    done = 0
    for name, all_weights in delta.shards.items():
        weights = tuple(weight for weight in all_weights if not weight.name.endswith(DERIVED))
        size = sum(weight.size_bytes for weight in weights)
        if name not in state.files:
            partial = work / f"{name}.partial"
            digest = _write_shard(partial, weights, ours, _counted(progress, name, done, total))
            partial.rename(work / name)
            _sync(work)
            state = msgspec.structs.replace(state, files={**state.files, name: digest})
            _write_state(work, state)
        done += size
        progress(name, done, total)
    return state


def _counted(progress: MergeProgress, name: str, before: int, total: int) -> Callable[[int], None]:
    return lambda more: progress(name, before + more, total)


def _write_shard(
    path: Path, weights: tuple[Weight, ...], base: dict[str, Weight], progress: Callable[[int], None]
) -> str:
    digest = hashlib.sha256()
    done = 0
    with path.open("wb") as file:
        header = shard_header(weights)
        digest.update(header)
        file.write(header)
        for weight in weights:
            for chunk in _sums(base[weight.name], weight):
                digest.update(chunk)
                file.write(chunk)
                done += len(chunk)
                progress(done)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _sums(base: Weight, delta: Weight) -> Iterator[bytes]:
    """Gives the bytes of base + delta; where the base has fewer rows, zeros stand for the others."""
    step = CHUNK_ELEMENTS * ELEMENT_BYTES[delta.dtype]
    with base.file.open("rb") as ours, delta.file.open("rb") as theirs:
        ours.seek(base.begin)
        theirs.seek(delta.begin)
        for at in range(0, delta.size_bytes, step):
            size = min(step, delta.size_bytes - at)
            have = max(0, min(size, base.size_bytes - at))
            left = _read(ours, have, base) + bytes(size - have)
            total = added(left, _read(theirs, size, delta), delta.dtype)
            if total is None:
                raise ModelRefused(
                    f"{delta.name}: base + delta is not a finite number. One of the two is damaged, or it is not the "
                    "delta's base."
                )
            yield total


def _read(file: BinaryIO, size: int, weight: Weight) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ModelRefused(f"{weight.file} became shorter while it was read")
    return data


def _merged_weights(delta: ShardedFolder) -> list[Weight]:
    return [weight for weight in delta.weights.values() if not weight.name.endswith(DERIVED)]


def _looks(folder: ShardedFolder) -> tuple[tuple[str, int, int], ...]:
    about = {name: (folder.path / name).stat() for name in folder.shards}
    return tuple((name, one.st_size, one.st_mtime_ns) for name, one in about.items())


@contextlib.contextmanager
def _workplace(work: Path) -> Iterator[None]:
    """Holds the folder of the work against a second merge."""
    work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ModelRefused(f"another merge is working in {work}") from error
    finally:
        os.close(descriptor)


def _finished(work: Path, state: _State) -> dict[str, str]:
    """Returns the files that an earlier merge of the same inputs finished; what is of no use is removed."""
    names = {path.name for path in work.iterdir()}
    if names and STATE not in names:
        raise ModelRefused(f"{work} holds files that no merge made; remove or rename it")
    try:
        earlier = msgspec.json.decode((work / STATE).read_bytes(), type=_State) if names else state
    except msgspec.MsgspecError:
        earlier = state
    is_same = msgspec.structs.replace(earlier, files={}) == state
    files = {name: digest for name, digest in earlier.files.items() if is_same and _has_digest(work / name, digest)}
    _write_state(work, msgspec.structs.replace(state, files=files))
    for name in names - {STATE, *files}:
        (work / name).unlink()
    return files


def _has_digest(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


def _require_room(work: Path, delta: ShardedFolder, finished: dict[str, str]) -> None:
    needed = sum(
        weight.size_bytes for name, weights in delta.shards.items() for weight in weights if name not in finished
    )
    free = shutil.disk_usage(work).free
    if needed + SPARE_BYTES > free:
        raise ModelRefused(
            f"{work.parent} has {free / 2**30:.1f} GiB free, and the merge writes {needed / 2**30:.1f} GiB more. "
            "Name a folder on a larger disk."
        )


def _complete(delta: ShardedFolder, work: Path, state: _State) -> None:
    """Puts beside the weights what belongs to the model: settings and vocabulary of the delta, and an index."""
    for path in sorted(delta.path.iterdir()):
        if path.suffix in COPIED and path.name not in (INDEX, STATE) and path.is_file():
            if path.stat().st_size > MAX_COPIED_BYTES:
                raise ModelRefused(f"{path} is larger than settings and vocabularies are; remove it")
            _write(work / path.name, path.read_bytes())
    if SINGLE not in delta.shards:
        weights = _merged_weights(delta)
        index = {
            "metadata": {"total_size": sum(weight.size_bytes for weight in weights)},
            "weight_map": {weight.name: weight.file.name for weight in weights},
        }
        _write(work / INDEX, msgspec.json.format(msgspec.json.encode(index)))
    _write_state(work, state)
    _sync(work)


def _write_state(work: Path, state: _State) -> None:
    temporary = work / f"{STATE}.partial"
    _write(temporary, msgspec.json.format(msgspec.json.encode(state)))
    temporary.replace(work / STATE)
    _sync(work)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
