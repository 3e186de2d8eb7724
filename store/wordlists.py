"""Lists of words, written as the text that they are."""


def word_set(*texts: str) -> frozenset[str]:
    """Returns the words of the texts."""
    return frozenset(word for text in texts for word in text.split())
