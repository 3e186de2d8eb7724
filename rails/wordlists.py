"""Lists of words, written as the text that they are."""


def word_list(text: str) -> list[str]:
    """Returns the words of `text`, in order."""
    return text.split()


def word_set(text: str) -> frozenset[str]:
    """Returns the words of `text`."""
    return frozenset(text.split())
