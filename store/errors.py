"""Errors of the store package.

StoreError
├── NotFound          no such prompt, assistant, key or decision
├── Conflict          the row moved since it was read
├── InvalidContent    a document breaks a rule; the message names file, field and remedy
├── IndexUnusable     the index does not belong to this database or embedder; rebuild it
└── StoreUnavailable  the database does not answer, is locked or is full
"""


class StoreError(Exception):
    """Anything that kept the store from doing its work."""


class NotFound(StoreError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(StoreError):
    """Someone else changed it in between; nothing was written."""


class InvalidContent(StoreError):
    """What should be stored breaks a rule of its kind."""


class IndexUnusable(StoreError):
    """The index cannot be trusted; only a rebuild from the database helps."""


class StoreUnavailable(StoreError):
    """The database failed; nothing was written."""
