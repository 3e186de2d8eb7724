"""LLM Guard's scanners, each tried without a network: which run, how long a message takes, or what they said.

Run by LLM Guard's own environment; reads `{"texts": [...]}` and writes a line of JSON for each scanner. Nothing of ours
is imported.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

from llm_guard import input_scanners
from llm_guard.vault import Vault

SCANNERS: dict[str, Callable[[], object]] = {
    "Regex": lambda: input_scanners.Regex(
        patterns=[r"(?i)ignore (all )?(previous|prior) (instructions|rules)", r"(?i)system prompt"], is_blocked=True
    ),
    "BanSubstrings": lambda: input_scanners.BanSubstrings(["ignore previous instructions", "developer mode"]),
    "InvisibleText": input_scanners.InvisibleText,
    "Secrets": input_scanners.Secrets,
    "TokenLimit": input_scanners.TokenLimit,
    "PromptInjection (ONNX)": lambda: input_scanners.PromptInjection(use_onnx=True),
    "Toxicity": input_scanners.Toxicity,
    "BanTopics": lambda: input_scanners.BanTopics(["violence"]),
    "Anonymize": lambda: input_scanners.Anonymize(Vault()),
}


def tried(make: Callable[[], object], texts: Sequence[str]) -> dict[str, object]:
    """Makes a scanner and scans each text once, after a first time that is not counted."""
    try:
        scanner = make()
        scanner.scan(texts[0])
        took_ms = []
        for text in texts:
            began_s = time.perf_counter()
            scanner.scan(text)
            took_ms.append((time.perf_counter() - began_s) * 1000)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from running is what is asked
        return {"runs": False, "error": f"{type(error).__name__}: {error}"[:600]}
    return {"runs": True, "ms": took_ms}


def main() -> None:
    """Tries each scanner; what the library prints goes to standard error."""
    texts = json.loads(sys.stdin.readline())["texts"]
    out, sys.stdout = sys.stdout, sys.stderr
    for name, make in SCANNERS.items():
        out.write(json.dumps({"part": name, **tried(make, texts)}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
