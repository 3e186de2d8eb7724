"""Guardrails AI's validators of a message, of a guard that its server runs too: a function stands in for the model."""

import asyncio
import importlib.util
import os
from collections.abc import Sequence
from typing import Any

import lines


class Guard:
    """The guard `desk` of a configuration."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._guard: Any = None
        self._error: type[Exception] = Exception

    def open(self, configuration: str, home: str) -> lines.Said:
        """Imports the configuration, with `home` as the folder whose settings say that no usage figures are sent."""
        # It asks for both while it is imported.
        os.environ |= {"HOME": home, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # noqa: TID251 - a rival's own process
        spec = importlib.util.spec_from_file_location("desk_guard", configuration)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        from guardrails.errors import ValidationError  # noqa: PLC0415 - as above

        self._guard, self._error = module.desk, ValidationError
        return {"guard": self._guard.name}

    def check(self, messages: Sequence[str]) -> lines.Said:
        """Returns why each message was stopped, null where it was not."""
        return {"stopped": [self._loop.run_until_complete(self._stopped(message)) for message in messages]}

    async def _stopped(self, message: str) -> str | None:
        try:
            await self._guard(_answer, messages=[{"role": "user", "content": message}])
        except self._error as error:
            return str(error)
        return None


async def _answer(*, messages: Sequence[object], **_: object) -> str:  # noqa: ARG001 - called by this name
    return "Yes."


if __name__ == "__main__":
    guard = Guard()
    lines.serve({"open": guard.open, "check": guard.check, "memory": lines.memory})
