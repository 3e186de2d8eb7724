"""Counts and numbers word pieces, and refuses what an embedder would otherwise cut."""

from pathlib import Path
from typing import Self

from tokenizers import Tokenizer

from models.errors import ModelRefused


class WordPieces:
    """The tokenizer of an embedder, without the truncation and padding that its file asks for. Thread-safe."""

    def __init__(self, tokenizer: str, max_tokens: int) -> None:
        """Takes the tokenizer as its file says it. Raises `ModelRefused` when that makes no sense."""
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except ValueError as error:
            raise ModelRefused(f"the tokenizer cannot be read: {error}") from error
        # MiniLM's file cuts at 128 and pads to 128: text beyond would not exist for the embedder.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens

    @classmethod
    def read(cls, path: Path, max_tokens: int) -> Self:
        """Reads the tokenizer's file. Raises `ModelRefused`."""
        try:
            return cls(path.read_text(encoding="utf-8"), max_tokens)
        except (OSError, UnicodeDecodeError, ModelRefused) as error:
            raise ModelRefused(f"{path} cannot be read: {error}") from error

    def count(self, text: str) -> int:
        """Returns the number of word pieces, special ones included; any length is counted."""
        return len(self._encode(text))

    def ids(self, text: str) -> list[int]:
        """Returns the word pieces; raises `ModelRefused` when there are more than `max_tokens`."""
        ids = self._encode(text)
        if len(ids) > self.max_tokens:
            raise ModelRefused(f"the text has {len(ids)} word pieces; the embedder reads at most {self.max_tokens}")
        return ids

    def _encode(self, text: str) -> list[int]:
        try:
            return self._tokenizer.encode(text).ids
        except (TypeError, UnicodeEncodeError) as error:
            raise ModelRefused("the text is not valid Unicode") from error
