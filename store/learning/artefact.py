"""What was learned, on disk: believed only when every byte is verified, and only for what it was fitted from."""

import logging
import os
import struct
from collections.abc import Collection, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from store.errors import IndexUnusable, StoreUnavailable
from store.learning.corpus import Corpus
from store.learning.features import NAMES, Knowledge
from store.learning.fit import Fitted, HeldOut
from store.learning.heads import Head
from store.learning.model import LearnedModel
from store.learning.spelling import Bags, Lexicon
from store.learning.stack import Stack
from store.snapshot import write_durably

_MAGIC = b"CANONFIT"
_FORMAT = 4
"""Raised whenever the features, the folds, the model, the rules of contradiction or this file change: a model fitted by
other code is fitted anew."""
_HEADER = struct.Struct("<8sHQ32s32s")
"""Magic, format, length of the contents, key, hash of the payload."""
_HASH_BYTES = 32
_ALIGNMENT = 64
_MAX_BYTES = 4 * 2**30
"""Some 500,000 phrasings; a larger file is not one of ours."""
_NAME = "fitted-{}.bin"
_CONTRADICTED = "held_out.contradicted"
_DTYPES = frozenset({"<f4", "<f8", "<i8", "<i4", "|i1"})

Arrays = dict[str, "np.ndarray[Any, Any]"]

_LOG = logging.getLogger(__name__)


_Count = Annotated[int, Meta(ge=0)]


class _Array(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an array stands in the payload."""

    dtype: str
    shape: tuple[_Count, ...]
    start: _Count


class _Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the payload begins with."""

    keys: tuple[str, ...]
    phrasings: tuple[str, ...]
    texts: tuple[str, ...]
    bias: float
    seconds: float
    arrays: dict[str, _Array]


def fitted_key(corpus: Corpus, fingerprint: str, background: Sequence[str]) -> str:
    """Returns what a fit is kept under, hex: corpus, embedder, background and the code's features and format."""
    digest = sha256(f"{_FORMAT}\n{','.join(NAMES)}\n{corpus.fingerprint()}\n{fingerprint}\n".encode())
    digest.update(msgspec.json.encode(list(background)))
    return digest.hexdigest()


class FittedFolder:
    """The fits that are kept, one a file; a write is complete or absent, also after kill -9."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> Fitted | None:
        """Returns the fit of this key; one that is absent or damaged (the log names it) is None, and is fitted anew."""
        path = self._path(key)
        try:
            return decode_fitted(_read(path), key)
        except FileNotFoundError:
            return None
        except (IndexUnusable, OSError) as error:
            _LOG.warning("fit_not_used: %s: %s", path, error)
            return None

    def write(self, key: str, fitted: Fitted) -> Path:
        """Keeps a fit. Raises `StoreUnavailable`."""
        path = self._path(key)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(path, [memoryview(encode_fitted(fitted, key))])
        except OSError as error:
            raise StoreUnavailable(f"the fit cannot be kept in {self._folder}: {error.strerror}") from error
        return path

    def keep_only(self, keys: Collection[str]) -> None:
        """Drops the fits of all other keys, and what an interrupted write left."""
        kept = {self._path(key) for key in keys}
        with suppress(OSError):
            for path in (*self._folder.glob("fitted-*.bin"), *self._folder.glob("fitted-*.tmp")):
                if path not in kept:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / _NAME.format(key)


def encode_fitted(fitted: Fitted, key: str) -> bytes:
    """Returns the file form: header, hash of the header, contents (MessagePack), arrays (little endian)."""
    model = fitted.model
    arrays = {name: np.ascontiguousarray(array) for name, array in _arrays(fitted).items()}
    places, end = {}, 0
    for name, array in arrays.items():
        places[name] = _Array(array.dtype.newbyteorder("<").str, array.shape, end)
        end += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    contents = msgspec.msgpack.encode(
        _Contents(model.keys, model.phrasings, fitted.held_out.texts, model.stack.bias, fitted.seconds, places)
    )
    start = _HEADER.size + _HASH_BYTES
    data = bytearray(_aligned(start + len(contents)) + end)
    data[start : start + len(contents)] = contents
    for name, array in arrays.items():
        first = len(data) - end + places[name].start
        data[first : first + array.nbytes] = array.astype(places[name].dtype, copy=False).tobytes()
    payload_hash = sha256(memoryview(data)[start:]).digest()
    header = _HEADER.pack(_MAGIC, _FORMAT, len(contents), bytes.fromhex(key), payload_hash)
    data[:start] = header + sha256(header).digest()
    return bytes(data)


def decode_fitted(data: bytes, key: str) -> Fitted:
    """Reads a file form back. Raises `IndexUnusable` on any doubt, before a single array is looked at."""
    start = _HEADER.size + _HASH_BYTES
    header = data[: _HEADER.size]
    if len(data) < start or sha256(header).digest() != data[_HEADER.size : start]:
        raise IndexUnusable("the header of the fit is damaged")
    magic, version, length, found_key, payload_hash = _HEADER.unpack(header)
    if magic != _MAGIC or version != _FORMAT:
        raise IndexUnusable("the fit has another format")
    if found_key.hex() != key:
        raise IndexUnusable("the fit was made from another corpus, embedder or background")
    if sha256(memoryview(data)[start:]).digest() != payload_hash:
        raise IndexUnusable("the payload of the fit is damaged")
    try:
        contents = msgspec.msgpack.decode(data[start : start + length], type=_Contents)
        first = _aligned(start + length)
        arrays = {name: _array(data, first, place) for name, place in contents.arrays.items()}
        return _fitted(contents, arrays)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise IndexUnusable(f"the fit cannot be read: {error}") from error


def _aligned(place: int) -> int:
    return -(-place // _ALIGNMENT) * _ALIGNMENT


def _array(data: bytes, first: int, place: _Array) -> "np.ndarray[Any, Any]":
    if place.dtype not in _DTYPES:
        raise ValueError(f"no array is of type {place.dtype}")
    count = int(np.prod(place.shape, dtype=np.int64))
    return np.frombuffer(data, dtype=place.dtype, count=count, offset=first + place.start).reshape(place.shape)


def _arrays(fitted: Fitted) -> Arrays:
    known, stack, held_out = fitted.model.knowledge, fitted.model.stack, fitted.held_out
    lexicon = known.lexicon
    return {
        "starts": known.starts,
        "vectors": known.vectors,
        "centres": known.centres,
        "head.weights": known.head.weights,
        "head.bias": known.head.bias,
        "run_rarity": lexicon.run_rarity,
        "word_rarity": lexicon.word_rarity,
        "runs.starts": lexicon.runs.starts,
        "runs.ids": lexicon.runs.ids,
        "run_weights": lexicon.run_weights,
        "words.starts": lexicon.words.starts,
        "words.ids": lexicon.words.ids,
        "word_mass": lexicon.word_mass,
        "prompt_words.starts": lexicon.prompt_words.starts,
        "prompt_words.ids": lexicon.prompt_words.ids,
        "stack.mean": stack.mean,
        "stack.scale": stack.scale,
        "stack.weights": stack.weights,
        "held_out.kinds": held_out.kinds,
        "held_out.truths": held_out.truths,
        "held_out.labels": held_out.labels,
        "held_out.candidates": held_out.candidates,
        "held_out.scores": held_out.scores,
        "held_out.similarities": held_out.similarities,
        "held_out.nearest": held_out.nearest,
        "held_out.countered": held_out.countered,
        **({} if held_out.contradicted is None else {_CONTRADICTED: held_out.contradicted}),
    }


def _fitted(contents: _Contents, arrays: Arrays) -> Fitted:
    lexicon = Lexicon(
        run_rarity=arrays["run_rarity"],
        word_rarity=arrays["word_rarity"],
        runs=Bags(arrays["runs.starts"], arrays["runs.ids"]),
        run_weights=arrays["run_weights"],
        words=Bags(arrays["words.starts"], arrays["words.ids"]),
        word_mass=arrays["word_mass"],
        prompt_words=Bags(arrays["prompt_words.starts"], arrays["prompt_words.ids"]),
    )
    knowledge = Knowledge(
        starts=arrays["starts"],
        vectors=arrays["vectors"],
        centres=arrays["centres"],
        head=Head(arrays["head.weights"], arrays["head.bias"]),
        lexicon=lexicon,
    )
    stack = Stack(arrays["stack.mean"], arrays["stack.scale"], arrays["stack.weights"], contents.bias)
    held_out = HeldOut(
        texts=contents.texts,
        kinds=arrays["held_out.kinds"],
        truths=arrays["held_out.truths"],
        labels=arrays["held_out.labels"],
        candidates=arrays["held_out.candidates"],
        scores=arrays["held_out.scores"],
        similarities=arrays["held_out.similarities"],
        nearest=arrays["held_out.nearest"],
        countered=arrays["held_out.countered"],
        contradicted=arrays.get(_CONTRADICTED),
    )
    return Fitted(LearnedModel(contents.keys, contents.phrasings, knowledge, stack), held_out, contents.seconds)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise IndexUnusable("the fit is too large to be one of ours")
        return file.read()
