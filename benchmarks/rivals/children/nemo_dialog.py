"""NeMo Guardrails' dialog with `embeddings_only`: phrasings as user messages, a flow and a reply for each prompt."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import lines
import numpy as np
import torch
from nemo_rails import stopped_by
from nemoguardrails import LLMRails, RailsConfig

NOTHING = "I have no answer to that."
_FALLBACK = f"""
define user ask off topic
  "(something that nobody says)"

define flow anything else
  user ask off topic
  bot say that there is no answer

define bot say that there is no answer
  "{NOTHING}"
"""


class Dialog:
    """One `LLMRails` without a language model; the reply names the prompt."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._rails: LLMRails | None = None
        self._keys: dict[str, str] = {}

    def open(self, model: str, sentences: Sequence[Sequence[str]], threads: int, configuration: str) -> lines.Said:
        """Builds the rails from the configuration and the sentences, and lets it embed them."""
        torch.set_num_threads(threads)
        self._keys = {_topic(number): key for number, key in enumerate(dict.fromkeys(key for _, key in sentences))}
        settings = Path(configuration).read_text(encoding="utf-8").replace("MODEL", model)
        config = RailsConfig.from_content("\n".join(self._colang(sentences)), settings)
        self._rails = LLMRails(config)
        self._answer("hello")
        return {"sentences": len(sentences)}

    def limit(self, value: float | None) -> lines.Said:
        """Sets `embeddings_only_similarity_threshold`; null leaves it out."""
        self._rails.config.rails.dialog.user_messages.embeddings_only_similarity_threshold = value
        return {}

    def rank(self, messages: Sequence[str]) -> lines.Said:
        """Returns the nearest prompt of each message with NeMo's own score, whatever the threshold."""
        index = self._rails.llm_generation_actions.user_message_index
        items, matrix = index._items, index._index  # noqa: SLF001 - scores come out of no public call
        embedded = self._loop.run_until_complete(index._get_embeddings(list(messages)))  # noqa: SLF001 - as above
        vectors = np.asarray(embedded, dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = vectors @ matrix.T
        best = cosines.argmax(axis=1)
        scores = 1.0 - np.sqrt(np.clip(2.0 - 2.0 * cosines.max(axis=1), 0.0, None)) / 2.0
        intents = [items[place].meta["intent"] for place in best]
        return {"found": [[self._key(intent), float(s)] for intent, s in zip(intents, scores, strict=True)]}

    def stopped(self, messages: Sequence[str]) -> lines.Said:
        """Returns the input rail that stops each message, null where none does."""
        return {"stopped": [self._loop.run_until_complete(stopped_by(self._rails, one)) for one in messages]}

    def answer(self, messages: Sequence[str]) -> lines.Said:
        """Returns the prompt whose reply each message got, null for the fallback; whole turns, one at a time."""
        return {"keys": [self._answer(message) for message in messages]}

    def time(self, messages: Sequence[str], *, warm_up: bool = False) -> lines.Said:
        """Returns the milliseconds of each turn."""
        return {"ms": lines.timed(self._answer, messages, warm_up=warm_up)}

    def _answer(self, message: str) -> str | None:
        turn = self._rails.generate_async(messages=[{"role": "user", "content": message}])
        reply = self._loop.run_until_complete(turn)["content"]
        if reply == NOTHING:
            return None
        return self._key(f"ask {reply.removeprefix('answer ')}")

    def _key(self, intent: str) -> str | None:
        return self._keys.get(intent.removeprefix("ask "))

    def _colang(self, sentences: Sequence[Sequence[str]]) -> Iterator[str]:
        for topic, key in self._keys.items():
            yield f"define user ask {topic}"
            # A double quote would end the sentence.
            yield from (f'  "{text.replace(chr(34), chr(39))}"' for text, own in sentences if own == key)
            yield f"\ndefine flow {topic}\n  user ask {topic}\n  bot answer {topic}\n"
            yield f'define bot answer {topic}\n  "answer {topic}"\n'
        yield _FALLBACK


def _topic(number: int) -> str:
    """Returns a name in letters alone: Colang reads digits otherwise."""
    return f"topic {''.join(chr(ord('a') + int(digit)) for digit in str(number))}"


if __name__ == "__main__":
    dialog = Dialog()
    lines.serve(
        {
            "open": dialog.open,
            "limit": dialog.limit,
            "rank": dialog.rank,
            "stopped": dialog.stopped,
            "answer": dialog.answer,
            "time": dialog.time,
            "memory": lines.memory,
        }
    )
