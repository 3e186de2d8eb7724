"""What every group of settings is made of."""

import msgspec

PREFIX = "CANONGATE_"
"""Of every variable of ours in the environment."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of settings; each field's text below it says what to choose and why."""
