"""LLM Guard's input scanners that need no download: patterns, its jailbreak substrings, invisible text, secrets."""

from collections.abc import Sequence

import lines
from llm_guard.input_scanners import BanSubstrings, InvisibleText, Regex, Secrets
from llm_guard.input_scanners.ban_substrings import PROMPT_STOP_SUBSTRINGS

PATTERNS = (
    r"(?i)ignore (all )?(previous|prior) (instructions|rules)",
    r"(?i)system prompt",
    r"(?i)developer mode",
    r"\b\d{3}-\d{2}-\d{4}\b",
)
"""As the other configurations have them."""


class Scanners:
    """Scanners in their documented order; the first that finds something stops the message."""

    def __init__(self) -> None:
        self._scanners = ()

    def open(self) -> lines.Said:
        """Builds the scanners with their own settings."""
        patterns = Regex(list(PATTERNS), is_blocked=True)
        self._scanners = (patterns, BanSubstrings(PROMPT_STOP_SUBSTRINGS), InvisibleText(), Secrets())
        return {"scanners": [type(one).__name__ for one in self._scanners], "substrings": len(PROMPT_STOP_SUBSTRINGS)}

    def check(self, messages: Sequence[str]) -> lines.Said:
        """Returns the scanner that stopped each message, null where none did."""
        return {"stopped": [self._stopped(message) for message in messages]}

    def _stopped(self, message: str) -> str | None:
        for scanner in self._scanners:
            _, is_valid, _ = scanner.scan(message)
            if not is_valid:
                return type(scanner).__name__
        return None


if __name__ == "__main__":
    scanners = Scanners()
    lines.serve({"open": scanners.open, "check": scanners.check, "memory": lines.memory})
