"""Vectors of sentences that an earlier fit embedded already: most of a store stays as it is from publish to publish."""

import logging
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from models.ports import Embedder, Vectors
from store.errors import IndexUnusable, StoreUnavailable
from store.snapshot import Snapshot, SnapshotFolder
from store.vectors import check_vectors

_FINGERPRINT_CHARS = 16
_NO_CONTENT = "0" * 64

_LOG = logging.getLogger(__name__)


class SeenEmbedder:
    """Embeds a sentence once: in this process, and with a folder once for all fits with the same embedder.

    The file holds the hashes of the sentences, not their words, and is believed only when every byte is verified.
    """

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self._embedder = embedder
        self.fingerprint, self.dimension = embedder.fingerprint, embedder.dimension
        self.max_tokens, self.languages = embedder.max_tokens, embedder.languages
        self._files = None if folder is None else SnapshotFolder(folder / folder_name(embedder.fingerprint))
        self._known = self._read()
        self._used: dict[bytes, Vectors] = {}
        self._has_new = False

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        digests = [sha256(text.encode()).digest() for text in texts]
        for digest in digests:
            if digest not in self._used and digest in self._known:
                self._used[digest] = self._known[digest]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._used}
        if new:
            self._has_new = True
            self._used.update(zip(new, self._embedder.embed(list(new.values())), strict=True))
        return np.array([self._used[digest] for digest in digests], dtype=np.float32).reshape(-1, self.dimension)

    def keep(self) -> None:
        """Writes the vectors of the sentences that were asked for, if any is new; a failure is only logged."""
        if self._files is None or not self._has_new:
            return
        vectors = np.array(list(self._used.values()), dtype=np.float32)
        kept = Snapshot(
            fingerprint=self.fingerprint,
            dimension=self.dimension,
            revision=0,
            content_hash=_NO_CONTENT,
            digests=np.frombuffer(b"".join(self._used), dtype=np.uint8).reshape(-1, 32),
            vectors=vectors,
            assigned=np.full(len(vectors), -1, dtype=np.int32),
            centres=np.empty((0, self.dimension), dtype=np.float32),
        )
        try:
            self._files.write(kept)
        except StoreUnavailable as error:
            _LOG.warning("fit_vectors_not_written: %s", error)

    def _read(self) -> dict[bytes, Vectors]:
        kept = None
        if self._files is not None:
            kept = self._files.newest(fingerprint=self.fingerprint, dimension=self.dimension)
        if kept is None:
            return {}
        try:
            check_vectors(kept.vectors, len(kept.vectors), self.dimension)
        except IndexUnusable as error:
            _LOG.warning("fit_vectors_not_used: %s", error)
            return {}
        return {digest.tobytes(): vector for digest, vector in zip(kept.digests, kept.vectors, strict=True)}


def folder_name(fingerprint: str) -> str:
    """Returns the name of the folder of an embedder's vectors."""
    return fingerprint[:_FINGERPRINT_CHARS]
