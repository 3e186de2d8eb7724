"""Nearest vectors by FAISS: exact for small sets, by cells for large ones, on the GPU where there is one."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np

from store.vectors import Assigned, Numbers, Vectors

FLAT_UP_TO = 50_000
"""Rows that are compared one by one, in about 1 ms. Cells over more find the nearest one in 99 of 100 cases."""
_MORE = 64
"""Rows compared again with the exact vectors beyond those asked for: none of the nearest was ever missed by them."""
_SIGMAS = 6.0
_CHUNK = 16_384
"""Rows encoded at once: bounds the memory, not the result."""
_SAMPLES_PER_CELL = 64
_ROUNDS = 8
_SHARE_VISITED = 16
"""One cell in 16 is looked into, and never fewer than 24: the nearest of 100,000 or 270,000 found in 99 of 100."""
_FEWEST_VISITED = 24
_BYTE = 127.0
_GPU_MEMORY = 64 * 2**20
_GPU_MOST = 2048
"""Neighbours that FAISS finds on a GPU at most."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Centres that divide vectors into cells: (cells, dimension) float32 rows of length 1."""

    centres: Vectors

    def fits(self, count: int) -> bool:
        """Whether so many vectors are still well divided by these cells: between half and double of what is best."""
        return _cells_for(count) / 2 <= len(self.centres) <= _cells_for(count) * 2

    def assign(self, vectors: Vectors, places: Numbers) -> Assigned:
        """Returns the number of the cell that each of the places' vectors lies in."""
        finder = faiss.IndexFlatIP(self.centres.shape[1])
        finder.add(self.centres)
        faiss.omp_set_num_threads(1)
        assigned = np.empty(len(places), dtype=np.int32)
        for start, end in _chunks(len(places)):
            assigned[start:end] = finder.search(vectors[places[start:end]], 1)[1][:, 0]
        return assigned


def find_cells(vectors: Vectors, places: Numbers) -> Cells:
    """Divides the places' vectors by k-means on a sample of them. Repeatable."""
    count = _cells_for(len(places))
    dice = np.random.default_rng(0)
    sample = dice.choice(places, size=min(len(places), count * _SAMPLES_PER_CELL), replace=False)
    faiss.omp_set_num_threads(1)
    means = faiss.Kmeans(vectors.shape[1], count, niter=_ROUNDS, spherical=True, seed=1, verbose=False)
    means.train(vectors[np.sort(sample)])
    return Cells(np.ascontiguousarray(means.centroids, dtype=np.float32))


class Block:
    """Some vectors that are searched together. Immutable; safe to read from many threads.

    FAISS looks through one byte a number and gives somewhat more rows than asked for; those are compared again with
    the vectors themselves. Without cells the result is exact: rounding to bytes adds an error of known spread, and
    when a row beyond those looked at could still be nearer, within six standard deviations, more are looked at.
    """

    def __init__(
        self,
        vectors: Vectors,
        places: Numbers,
        cells: Cells | None = None,
        assigned: Assigned | None = None,
    ) -> None:
        """With cells, `assigned` says in which of them each place lies."""
        self._vectors = vectors
        self._places = places
        self._gpu = _OnGpu(vectors, places) if len(places) > FLAT_UP_TO and has_gpu() else None
        self._is_exact = cells is None and self._gpu is None
        self._scale = _BYTE / max(1e-6, max((float(np.abs(part).max()) for part in self._parts()), default=1.0))
        if self._gpu is not None:
            return
        divided = None if cells is None or assigned is None else self._divided(cells, assigned)
        self._index = self._flat() if divided is None else divided

    def __len__(self) -> int:
        return len(self._places)

    def nearest(self, vector: Vectors, k: int) -> tuple[Numbers, Vectors]:
        """Returns the places of the `k` nearest rows, in no order, and their cosines to `vector` (dimension,)."""
        size = len(self._places)
        if k + _MORE >= size:
            return self._places, cosines(self._vectors.take(self._places, axis=0), vector)
        scale = _BYTE / max(1e-6, float(np.abs(vector).max()))
        wanted = k + _MORE
        while True:
            bounds, found = self._search(vector, scale, wanted)
            places = self._places[found]
            scores = cosines(self._vectors.take(places, axis=0), vector)
            if not self._is_exact or len(found) == size:
                return places, scores
            spread = math.sqrt((self._scale**-2 + scale**-2) / 12.0)
            beyond = float(bounds[-1]) / (self._scale * scale) + _SIGMAS * spread
            if float(np.partition(scores, -k)[-k]) >= beyond:
                return places, scores
            wanted = min(size, wanted * 4)

    def _search(self, vector: Vectors, scale: float, wanted: int) -> tuple[Vectors, Numbers]:
        if self._gpu is not None:
            return self._gpu.search(vector, wanted)
        faiss.omp_set_num_threads(1)  # per thread; two threads on two busy cores were 3 to 60 times slower
        bounds, found = self._index.search(np.rint(vector * scale)[None], wanted)
        known = found[0] >= 0
        return bounds[0][known], found[0][known]

    def _flat(self) -> "faiss.IndexScalarQuantizer":
        index = faiss.IndexScalarQuantizer(
            self._vectors.shape[1], faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )
        for part in self._parts():
            index.add(np.rint(part * self._scale))
        return index

    def _divided(self, cells: Cells, assigned: Assigned) -> "faiss.IndexIVFScalarQuantizer":
        dimension, count = cells.centres.shape[1], len(cells.centres)
        self._finder = faiss.IndexFlatIP(dimension)  # must outlive the index, which does not own it
        self._finder.add(cells.centres)
        index = faiss.IndexIVFScalarQuantizer(
            self._finder,
            dimension,
            count,
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
            False,  # noqa: FBT003 - by_residual: a byte keeps the vector, not its distance to the centre
        )
        index.is_trained = True
        index.nprobe = max(_FEWEST_VISITED, count // _SHARE_VISITED)
        own = assigned.astype(np.int64)
        numbers = np.arange(len(self._places), dtype=np.int64)
        for (start, end), part in zip(_chunks(len(self._places)), self._parts(), strict=True):
            coded = np.rint(part * self._scale)
            index.add_core(
                end - start, faiss.swig_ptr(coded), faiss.swig_ptr(numbers[start:end]), faiss.swig_ptr(own[start:end])
            )
        return index

    def _parts(self) -> Iterator[Vectors]:
        return (self._vectors[self._places[start:end]] for start, end in _chunks(len(self._places)))


class _OnGpu:
    """The vectors as 16-bit floats on the first GPU, all of them compared."""

    def __init__(self, vectors: Vectors, places: Numbers) -> None:
        self._resources = faiss.StandardGpuResources()  # must outlive the index
        self._resources.setTempMemory(_GPU_MEMORY)
        self._lock = threading.Lock()  # FAISS on a GPU is not safe for two threads
        options = faiss.GpuClonerOptions()
        options.useFloat16 = True
        empty = faiss.IndexFlatIP(vectors.shape[1])
        self._index = faiss.index_cpu_to_gpu(self._resources, 0, empty, options)
        for start, end in _chunks(len(places)):
            self._index.add(vectors[places[start:end]])

    def search(self, vector: Vectors, wanted: int) -> tuple[Vectors, Numbers]:
        with self._lock:
            bounds, found = self._index.search(vector[None], min(wanted, _GPU_MOST))
        return bounds[0], found[0]


def cosines(vectors: Vectors, vector: Vectors) -> Vectors:
    """Returns the cosines of rows to a vector; of equal rows equal to the last bit, wherever they stand."""
    # A matrix product rounds a row by its place in the matrix; the order of equal sentences would hang on that.
    result: Vectors = np.einsum("ij,j->i", vectors, vector)
    return result


def has_gpu() -> bool:
    """Whether the installed FAISS can reach a GPU."""
    return bool(faiss.get_num_gpus() > 0)


def needs_cells(count: int) -> bool:
    """Whether so many vectors are searched by cells: too many to be compared one by one, and no GPU to do it."""
    return count > FLAT_UP_TO and not has_gpu()


def _cells_for(count: int) -> int:
    return max(1, round(math.sqrt(count)))


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    return ((start, min(count, start + _CHUNK)) for start in range(0, count, _CHUNK))
