"""Ids as they come in addresses and bodies."""


def plain_id(one_id: str) -> str:
    """Returns the id; an empty one in place of one that no database could look up, which is one that is not there."""
    return one_id if one_id.isprintable() else ""
