"""What a check of a written policy found: where, what is wrong, and what to do, in words for its author."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding keeps a policy from being activated."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong with the text of a policy."""

    line: int
    """Counted from 1, in the file as the author sees it."""
    column: int
    """Counted from 1."""
    code: str
    """A constant name of the mistake, such as `policy.unknown_key`."""
    message: str
    """What is wrong and what would come of it."""
    remedy: str
    """What to do."""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the policy cannot be activated because of it."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message} {self.remedy} [{self.code}]"


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings keeps a policy from being activated."""
    return any(finding.is_error for finding in findings)
