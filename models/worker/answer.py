"""Puts an answer together from the bytes of its tokens: whole characters, ended by stop texts."""

import codecs


class AnswerText:
    """Collects one answer. A token may hold half a character, and a stop text may span tokens."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stop = stop
        self._longest_stop = max((len(text) for text in stop), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""
        self._told = 0

    def add(self, piece: bytes) -> bool:
        """Adds the bytes of a token; returns whether a stop text is complete, which ends the answer."""
        new = self._decoder.decode(piece)
        searched_from = max(0, len(self._text) - self._longest_stop + 1)
        self._text += new
        ends = [at for text in self._stop if (at := self._text.find(text, searched_from)) >= 0]
        if not ends:
            return False
        self._text = self._text[: min(ends)]
        return True

    def news(self) -> str:
        """Returns what came since the last call and cannot be part of a stop text any more."""
        safe = len(self._text) - max((held for stop in self._stop if (held := self._begun(stop))), default=0)
        told, self._told = self._told, max(self._told, safe)
        return self._text[told : self._told]

    def rest(self) -> str:
        """Returns what `news` has not told yet of an answer that is whole."""
        told, self._told = self._told, len(self._text)
        return self._text[told:]

    def _begun(self, stop: str) -> int:
        """How many of the last characters may be the beginning of a stop text."""
        return next((n for n in range(len(stop) - 1, 0, -1) if self._text.endswith(stop[:n])), 0)

    @property
    def text(self) -> str:
        """The answer so far, without the stop text and without the half character that a length limit left."""
        return self._text
