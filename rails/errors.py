"""Errors of the rails package.

RailsError
├── PolicyInvalid    the policy document cannot be used: unknown rail, bad parameter, empty stage
├── ProbeFailed      a rail let its own bad example pass, or stopped its good one
├── TextRefused      a text that no language model may be given
└── TextTooLong      a text that the embedder does not read to its end
"""


class RailsError(Exception):
    """Anything that keeps a policy from being used."""


class PolicyInvalid(RailsError):
    """The policy document is wrong; the message says where, and what to do."""


class ProbeFailed(RailsError):
    """A rail does not do what it is there for; the policy is refused."""


class TextRefused(RailsError):
    """A text that no language model may be given, because models read a part of it as the mark of another turn."""


class TextTooLong(RailsError):
    """A text with more word pieces than the embedder reads; the rail that asked stops it."""
