"""LiteLLM's content filter, as its proxy runs it before a call: made of the `guardrails` of a proxy's configuration."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import lines
import yaml
from fastapi import HTTPException
from litellm.proxy.guardrails.guardrail_hooks.litellm_content_filter.content_filter import ContentFilterGuardrail

_LEFT_OUT = frozenset({"guardrail", "mode", "default_on"})


class Filter:
    """One guardrail; what it does not block goes to the model, masked or not."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._guardrail: ContentFilterGuardrail | None = None

    def open(self, configuration: str) -> lines.Said:
        """Builds the guardrail that a proxy's configuration has before a call."""
        entries = yaml.safe_load(Path(configuration).read_text(encoding="utf-8"))["guardrails"]
        (entry,) = (one for one in entries if one["litellm_params"]["mode"] == "pre_call")
        params = {name: value for name, value in entry["litellm_params"].items() if name not in _LEFT_OUT}
        self._guardrail = ContentFilterGuardrail(guardrail_name=entry["guardrail_name"], **params)
        loaded = set(self._guardrail.loaded_categories)
        if missing := {one["category"] for one in params.get("categories", ())} - loaded:
            raise SystemExit(f"categories that this release does not have: {sorted(missing)}")
        return {"categories": sorted(loaded)}

    def check(self, messages: Sequence[str]) -> lines.Said:
        """Returns why each message was stopped, null where it was not."""
        return {"stopped": [self._loop.run_until_complete(self._stopped(message)) for message in messages]}

    async def _stopped(self, message: str) -> str | None:
        data = {"messages": [{"role": "user", "content": message}], "metadata": {}}
        try:
            await self._guardrail.apply_guardrail({"texts": [message]}, request_data=data, input_type="request")
        except HTTPException as error:
            return str(error.detail)
        return None


if __name__ == "__main__":
    filters = Filter()
    lines.serve({"open": filters.open, "check": filters.check, "memory": lines.memory})
