"""OpenAI Guardrails' checks that ask no model and no service, run by its own pipeline."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lines
from guardrails.runtime import ConfigBundle, instantiate_guardrails, load_config_bundle, run_guardrails


@dataclass
class Context:
    """What checks that ask a model would be given; those here do not look at it."""

    guardrail_llm: object = None


class Checks:
    """The configured checks of the input stage."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._checks = []

    def open(self, configuration: str) -> lines.Said:
        """Instantiates the checks of a pipeline's `input` stage."""
        stage = json.loads(Path(configuration).read_text(encoding="utf-8"))["input"]
        bundle: ConfigBundle = load_config_bundle(stage)
        self._checks = instantiate_guardrails(bundle)
        return {"checks": [one.definition.name for one in self._checks]}

    def check(self, messages: Sequence[str]) -> lines.Said:
        """Returns the check that stopped each message, null where none did. A check that fails ends the child."""
        return {"stopped": [self._loop.run_until_complete(self._stopped(message)) for message in messages]}

    async def _stopped(self, message: str) -> str | None:
        results = await run_guardrails(
            Context(), message, "text/plain", self._checks, suppress_tripwire=True, raise_guardrail_errors=True
        )
        for result in results:
            if result.execution_failed:
                raise SystemExit(f"a check failed: {result.original_exception}")
            if result.tripwire_triggered:
                return str(result.info.get("guardrail_name", "unnamed"))
        return None


if __name__ == "__main__":
    checks = Checks()
    lines.serve({"open": checks.open, "check": checks.check, "memory": lines.memory})
