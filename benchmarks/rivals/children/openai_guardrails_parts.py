"""OpenAI Guardrails' checks, each tried without a network: which run, how long a message takes, or what they said.

Run by its own environment; reads `{"texts": [...]}` and writes a line of JSON for each check. Nothing of ours is
imported.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from guardrails.runtime import instantiate_guardrails, load_config_bundle, run_guardrails
from openai import AsyncOpenAI

CHECKS: dict[str, dict[str, object]] = {
    "Keyword Filter": {"keywords": ["ignore previous instructions", "system prompt", "developer mode"]},
    "URL Filter": {"url_allow_list": ["tarnwick.example"]},
    "Secret Keys": {"threshold": "balanced"},
    "Contains PII": {"entities": ["EMAIL_ADDRESS", "US_SSN"]},
    "Moderation": {"categories": ["hate"]},
    "Jailbreak": {"model": "gpt-5-mini", "confidence_threshold": 0.7},
}


@dataclass
class Context:
    """What checks that ask a model are given: a client that nobody answers."""

    guardrail_llm: AsyncOpenAI


async def tried(name: str, config: dict[str, object], texts: Sequence[str]) -> dict[str, object]:
    """Makes a check and runs it on each text once, after a first time that is not counted."""
    stage = {"version": 1, "guardrails": [{"name": name, "config": config}]}
    context = Context(AsyncOpenAI(api_key="none", base_url="http://127.0.0.1:9/v1", max_retries=0, timeout=5))
    try:
        checks = instantiate_guardrails(load_config_bundle(stage))
        took_ms = []
        for text in (texts[0], *texts):
            began_s = time.perf_counter()
            results = await run_guardrails(context, text, "text/plain", checks, suppress_tripwire=True)
            took_ms.append((time.perf_counter() - began_s) * 1000)
            if failed := [one.original_exception or one.info for one in results if one.execution_failed]:
                return {"runs": False, "error": f"{type(failed[0]).__name__}: {failed[0]}"[:600]}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever keeps it from running is what is asked
        return {"runs": False, "error": f"{type(error).__name__}: {error}"[:600]}
    return {"runs": True, "ms": took_ms[1:]}


def main() -> None:
    """Tries each check; what the library prints goes to standard error."""
    texts = json.loads(sys.stdin.readline())["texts"]
    out, sys.stdout = sys.stdout, sys.stderr
    for name, config in CHECKS.items():
        out.write(json.dumps({"part": name, **asyncio.run(tried(name, config, texts))}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
