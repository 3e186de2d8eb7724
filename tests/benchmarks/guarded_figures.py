"""Figures of a guarded decision inside one process, made up, as its measurement prints them."""

from typing import Any


def _way(p50_ms: float, per_second: float) -> dict[str, Any]:
    return {
        "p50_ms": p50_ms,
        "p95_ms": 2 * p50_ms,
        "processor_ms": p50_ms,
        "loop_ms": p50_ms / 4,
        "per_second": per_second,
        "per_second_of_rounds": [per_second - 10, per_second, per_second + 10],
    }


def _goal(name: str, value: float, **wanted: float) -> dict[str, Any]:
    return {"name": name, "value": value, "at_most": None, "at_least": None, "holds": False, **wanted}


GUARDED: dict[str, Any] = {
    "ways": {"exact phrase, approved answer": _way(2.22, 500.0), "through the embedder": _way(7.77, 120.0)},
    "goals": [
        _goal("p50 through the embedder, ms", 7.77, at_most=3.0),
        _goal("decisions a second of a core through the embedder", 120.0, at_least=400.0),
        _goal("p50 of an exact phrase, ms", 2.22, at_most=0.5),
    ],
    "decisions": 600,
    "at_once": 8,
    "cores": 1,
    "command": ".venv/bin/python -m benchmarks.guarded --decisions 600 --rounds 3 --json",
}
