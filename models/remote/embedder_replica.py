"""An embedder in other processes: the side that has the embedder."""

from collections.abc import Sequence

import numpy as np

from models.embedding.embedder import OnnxEmbedder
from models.errors import ModelError
from models.remote.messages import Embedded, EmbedderAnswer, EmbedderFacts, Failed, encode, read_texts


class EmbedderReplica:
    """Embeds for gateways; requests that came at the same moment share a run. Blocks: call it in a thread."""

    def __init__(self, embedder: OnnxEmbedder) -> None:
        self._embedder = embedder

    def facts(self) -> bytes:
        """Returns what the embedder is."""
        one = self._embedder
        languages = None if one.languages is None else tuple(sorted(one.languages))
        return encode(EmbedderFacts(one.fingerprint, one.dimension, one.max_tokens, languages, one.tokenizer))

    def embed(self, messages: Sequence[bytes]) -> list[bytes]:
        """Returns the answer to each request, in their order."""
        return [encode(answer) for answer in self._embedded(messages)]

    def _embedded(self, messages: Sequence[bytes]) -> Sequence[EmbedderAnswer]:
        try:
            asked = [read_texts(message).texts for message in messages]
            vectors = self._embedder.embed([text for texts in asked for text in texts])
        except ModelError as error:
            if len(messages) == 1:
                return [Failed.of(error)]
            # Whose text it was nobody knows: each is embedded alone and meets only its own error.
            return [self._embedded([message])[0] for message in messages]
        ends = np.cumsum([len(texts) for texts in asked])[:-1]
        return [Embedded.of(own) for own in np.split(vectors, ends)]
