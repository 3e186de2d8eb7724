"""Errors of the store package.

StoreError
├── NotFound          no such prompt, assistant, key or decision
├── Conflict          the row moved since it was read, or its state does not allow this
├── Refused           the rules of changes do not let this person take the step
├── InvalidContent    a document breaks a rule; the message names file, field and remedy
├── IndexUnusable     the index does not belong to this database or embedder; rebuild it
└── StoreUnavailable  the database does not answer, is locked or is full
"""

from collections.abc import Mapping


class StoreError(Exception):
    """Anything that kept the store from doing its work."""


class NotFound(StoreError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(StoreError):
    """Someone else changed it in between, or its state does not allow this; nothing was written."""

    def __init__(self, message: str, *, found: Mapping[str, object] | None = None, rule: str = "") -> None:
        super().__init__(message)
        self.found = found
        """What is there now, and what would have been written, as plain data: nobody loses their text."""
        self.rule = rule
        """Which rule is in the way, for pages that tell it in another language; empty for what has no name."""


class Refused(StoreError):
    """The person may not do this, whatever state the thing is in; `code` says which rule is in the way."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InvalidContent(StoreError):
    """What should be stored breaks a rule of its kind."""

    def __init__(self, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        """As that of `Conflict`."""


class IndexUnusable(StoreError):
    """The index cannot be trusted; only a rebuild from the database helps."""


class StoreUnavailable(StoreError):
    """The database failed; nothing was written."""
