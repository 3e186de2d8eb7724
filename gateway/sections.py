"""What every group of settings is made of."""

import msgspec


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of settings; each field's text below it says what to choose and why."""
