"""Vectors for grouping: of a message that is longer than the embedder reads, its beginning says what it is about.

Only for grouping. A message that is matched is never cut.
"""

from collections.abc import Callable, Sequence

from models.ports import Embedder, Vectors


def shortening(embedder: Embedder) -> Callable[[Sequence[str]], Vectors]:
    """Returns what embeds texts of any length."""
    return lambda texts: embedder.embed([_shortened(text, embedder) for text in texts])


def _shortened(text: str, embedder: Embedder) -> str:
    while len(text) > 1 and (tokens := embedder.count_tokens(text)) > embedder.max_tokens:
        text = text[: max(1, min(len(text) - 1, len(text) * embedder.max_tokens // tokens))]
    return text
