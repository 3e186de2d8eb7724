"""How far the schema of a database is from the one of this version; gateways a step apart serve from one database."""

from dataclasses import dataclass

STEPS_APART = 1
"""So many steps newer than its own is a schema that a version may serve from, by the rule for migrations."""


@dataclass(frozen=True, slots=True)
class SchemaGap:
    """The schema that was found, and the one that this version makes. Schemas are numbered one after another."""

    found: str
    """Empty for a database without one."""
    ours: str

    @property
    def steps(self) -> int | None:
        """How many steps what was found is newer than ours, below 0 for older; None when it is no number of ours."""
        found = self.found or "0"
        return int(found) - int(self.ours) if found.isascii() and found.isdecimal() else None

    @property
    def is_near(self) -> bool:
        """Whether this version may serve from it, also by reading and writing as it always does."""
        return self.steps is not None and 0 <= self.steps <= STEPS_APART

    @property
    def is_newer(self) -> bool:
        """Whether a newer version made it."""
        return self.steps is None or self.steps > 0

    @property
    def bears_migration(self) -> bool:
        """Whether a version that serves from what is there goes on when it becomes ours."""
        return not self.found or (self.steps is not None and self.steps >= -STEPS_APART)

    @property
    def told(self) -> str:
        """What an operator is to know and do; empty when there is nothing."""
        if self.found == self.ours:
            return ""
        found, ours = self.found or "(none)", self.ours
        if not self.is_newer:
            return f"the database has schema {found}, older than {ours} of this canongate. Restart it: that migrates."
        if self.is_near:
            return f"the database has schema {found}, a step newer than {ours} of this canongate. Upgrade it soon."
        return (
            f"the database was written by a newer canongate (schema {found}; this one makes {ours}). Start that "
            "version, or restore a backup."
        )
