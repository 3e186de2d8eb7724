"""NeMo Guardrails' input rails alone, of a configuration that its server runs too: no model is asked."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import lines
from nemoguardrails import LLMRails, RailsConfig
from nemoguardrails.rails.llm.options import RailStatus, RailType

# A client is made of the configuration, and never asked.
os.environ.setdefault("OPENAI_API_KEY", "none")  # noqa: TID251 - a rival's own process


class Rails:
    """One `LLMRails`, by NeMo's engine that has Colang."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._rails: LLMRails | None = None

    def open(self, configuration: str) -> lines.Said:
        """Builds the rails of a configuration's folder."""
        self._rails = LLMRails(RailsConfig.from_path(str(Path(configuration))))
        return {"flows": self._rails.config.rails.input.flows}

    def check(self, messages: Sequence[str]) -> lines.Said:
        """Returns the rail that stopped each message, null where none did."""
        return {"stopped": [self._loop.run_until_complete(stopped_by(self._rails, one)) for one in messages]}


async def stopped_by(rails: LLMRails, message: str) -> str | None:
    """Returns the input rail that stops a message, None where none does."""
    result = await rails.check_async([{"role": "user", "content": message}], [RailType.INPUT])
    return (result.rail or "unnamed") if result.status is RailStatus.BLOCKED else None


if __name__ == "__main__":
    rails = Rails()
    lines.serve({"open": rails.open, "check": rails.check, "memory": lines.memory})
