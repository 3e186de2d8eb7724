"""Guesses how an answer goes on: as it went on when its last words stood in its prompt, or in itself, before."""

from collections.abc import Sequence

AGREEING = 3
"""So many last tokens have to stand somewhere before. With two of them two of three guesses were wrong."""
MOST_AGREEING = 18
"""No longer agreement is looked for; the guess is as long as it, less two."""
MOST_PLACES = 16
"""Of one run of tokens, the latest: a text that says one thing a thousand times is no work for every token."""

MOST_GUESSED = MOST_AGREEING - AGREEING + 1


class Guesses:
    """The tokens of one request, and where each short run of them stands.

    Nothing of another request's text is in it, so that what is guessed, and with it the shape of batches and the time
    that they take, tells nobody anything of others.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._places: dict[tuple[int, ...], list[int]] = {}
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """Notes the next token."""
        self._tokens.append(token)
        if len(self._tokens) >= AGREEING:
            self._places.setdefault(tuple(self._tokens[-AGREEING:]), []).append(len(self._tokens))

    def next(self, most: int) -> tuple[int, ...]:
        """Returns at most so many tokens, more the longer the agreement is; most often none."""
        tokens = self._tokens
        places = self._places.get(tuple(tokens[-AGREEING:]), [])
        best, length = 0, 0
        for place in reversed(places[-MOST_PLACES - 1 : -1]):  # the last one is the end itself
            agreeing = self._agreeing(place)
            if agreeing > length:
                best, length = place, agreeing
        guess: list[int] = []
        for at in range(best, best + min(length - AGREEING + 1, most)) if length else ():
            # What goes round in a short circle goes on beyond what is there.
            guess.append(tokens[at] if at < len(tokens) else guess[at - len(tokens)])
        return tuple(guess)

    def _agreeing(self, place: int) -> int:
        """How many tokens before a place are those before the end."""
        tokens, end = self._tokens, len(self._tokens)
        length = AGREEING
        while length < min(place, MOST_AGREEING) and tokens[place - length - 1] == tokens[end - length - 1]:
            length += 1
        return length
