"""Errors of learning.

StoreError
└── TooLittleToLearn  the store has too few phrasings to learn from; approved phrasings still match word for word
"""

from store.errors import StoreError


class TooLittleToLearn(StoreError):
    """No phrasing can be held out, so nothing that was learned could be checked; the message says what to add."""
