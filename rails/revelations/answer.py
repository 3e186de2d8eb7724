"""An answer in the forms in which it is searched for protected texts."""

from functools import cached_property

from rails.revelations.reading import folded_text, runs_of, signs_as_letters, without_articles, words_of
from rails.wordlists import word_list

_SIGNS = frozenset("0123456789@$+|")
_DIGITS = {
    word: str(value)
    for names in (
        "zero one two three four five six seven eight nine",
        "null eins zwei drei vier funf sechs sieben acht neun",
        "zero un deux trois quatre cinq six sept huit neuf",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
    )
    for value, word in enumerate(word_list(names))
} | {"oh": "0"}
_SPELLING = {
    word: word[0]
    for word in word_list(
        "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima mike november oscar "
        "papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
    )
}


class Answer:
    """One answer in the forms in which it is searched; the costly ones are made when they are first needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = folded_text(text)
        self.tokens: list[str] = words_of(self.folded)
        self.letters = "".join(self.tokens)

    @cached_property
    def edges(self) -> frozenset[int]:
        """Where words begin and end within `letters`."""
        at, edges = 0, {0}
        for token in self.tokens:
            at += len(token)
            edges.add(at)
        return frozenset(edges)

    @cached_property
    def leet_words(self) -> list[str]:
        """The words with the digits and signs in them read as letters; none where there are no such signs."""
        if _SIGNS.isdisjoint(self.folded):
            return []
        # The mark at the end of a sentence is no letter, the one inside a word may be.
        return words_of(signs_as_letters(self.folded.replace("! ", " ").replace("!\n", "\n").rstrip("!")))

    @cached_property
    def leet(self) -> str:
        """Those words in a row."""
        return "".join(self.leet_words)

    @cached_property
    def bare(self) -> str:
        """The text without blanks, case kept."""
        return "".join(self.text.split())

    @cached_property
    def packed(self) -> str:
        """Letters and digits in a row, without the marks before character codes; empty where no digit is."""
        if _SIGNS.isdisjoint(self.folded):
            return ""
        return "".join(words_of(self.folded.replace("0x", " ").replace("\\x", " ").replace("\\u00", " ")))

    @cached_property
    def runs(self) -> frozenset[str]:
        """Stretches long enough to be a quotation."""
        return frozenset(runs_of(self.tokens))

    @cached_property
    def spelled(self) -> tuple[str, ...]:
        """Single letters and digits in a row: written alone, as words for digits, or in a spelling alphabet."""
        # Without apostrophes, so that "user's" and "don't" spell nothing.
        tokens = self.tokens if "'" not in self.folded else words_of(self.folded.replace("'", ""))
        single = "".join(token for token in (_DIGITS.get(token, token) for token in tokens) if len(token) == 1)
        letters = "".join(filter(str.isalpha, single))
        named = "".join(_SPELLING[token] for token in tokens if token in _SPELLING)
        return single, letters, named

    @cached_property
    def sparsely_spelled(self) -> str:
        """Single letters without those that are words."""
        return without_articles(self.spelled[1])

    @cached_property
    def initials(self) -> tuple[str, ...]:
        """First letters of the words, of the lines and of the sentences; last letters of the lines."""
        lines = [words for line in self.folded.splitlines() if (words := words_of(line))]
        sentences = [words for part in self.folded.split(". ") if (words := part.split())]
        return (
            "".join(token[0] for token in self.tokens),
            "".join(words[0][0] for words in lines),
            "".join(words[-1][-1] for words in lines),
            "".join(words[0][0] for words in sentences),
        )
