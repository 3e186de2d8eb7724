"""What of the libraries and of databases runs without a network, how long a check takes, and what the others said.

LLM Guard and OpenAI Guardrails are libraries without a server on PyPI: their checks are timed inside their process,
without HTTP around them.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from benchmarks.rivals.chapters import IN_A_ROW, Chapter, Plot, Series
from benchmarks.rivals.messages import questions
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import Spread, percentile, spread, told, value
from benchmarks.rivals.venvs import HERE, Rival

LIBRARIES = {"llm-guard": "llm_guard_parts.py", "openai-guardrails": "openai_guardrails_parts.py"}
_WHY = (
    "What needs a model of a hub, a service or an engine that is fetched could not be run; the error is what it said. "
    "Checks that ask OpenAI's models were given an address where nobody answers."
)
_DATABASE = "keys and spending in PostgreSQL"
_MISSING = (
    "LiteLLM with a database is missing, and with it people's keys, budgets and a record of what was spent; its rows"
    " elsewhere are of a proxy that keeps none of them, while canongate records each decision. It speaks to PostgreSQL"
    " by Prisma, whose engine comes from binaries.prisma.sh alone: the package `@prisma/engines` of npm has only a"
    " program that fetches it from there. Where it can be fetched, this row says that the client was made, and no more:"
    " this benchmark has no server with it."
)
PATIENCE_S = 300.0
TEXTS = 80
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns for each part whether it runs, and its median time or its error."""
    texts = list(questions().worded[:TEXTS])
    parts: dict[str, list[dict[str, Any]]] = {}
    for rival in rivals:
        if rival.name in LIBRARIES:
            options.say(f"trying the checks of {rival.title}")
            rounds = [_try(rival, LIBRARIES[rival.name], texts) for _ in range(options.rounds)]
            parts[rival.title] = [_over(list(same)) for same in zip(*rounds, strict=False)]
        if rival.name == "litellm":
            options.say("trying LiteLLM's database client")
            parts[rival.title] = [_database(rival)]
    return {"texts": len(texts), "parts": parts}


def _try(rival: Rival, program: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [rival.python, HERE / "children" / program],
            input=json.dumps({"texts": texts}) + "\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env={**os.environ, **_OFFLINE},  # noqa: TID251 - handed on as it is, but for the network
            check=True,
        )
    except subprocess.CalledProcessError as error:
        return [{"part": "all of it", "runs": False, "error": error.stderr[-600:]}]
    except subprocess.TimeoutExpired as error:
        return [{"part": "all of it", "runs": False, "error": str(error)}]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _over(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not all(one["runs"] for one in rounds):
        return {"part": rounds[0]["part"], "error": next(one["error"] for one in rounds if not one["runs"])}
    return {"part": rounds[0]["part"], "p50_ms": spread([percentile(one["ms"], 0.5) for one in rounds], 4)}


def _database(rival: Rival) -> dict[str, Any]:
    """Makes the client that LiteLLM speaks to PostgreSQL with: its makers' program fetches an engine for it."""
    schema = next(rival.folder.glob("lib/python3*/site-packages/litellm_proxy_extras/schema.prisma"))
    binaries = f"{rival.python.parent}{os.pathsep}{os.environ['PATH']}"  # noqa: TID251 - handed on as it is
    done = subprocess.run(  # noqa: S603 - the rival's own program
        [rival.python.parent / "prisma", "generate", "--schema", schema],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PATH": binaries},  # noqa: TID251 - as above
        check=False,
    )
    if done.returncode:
        return {"part": _DATABASE, "error": (done.stderr or done.stdout)[-600:]}
    return {"part": _DATABASE, "runs": "its client was made; no server with it was measured"}


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    rows, plotted, stopped = [], {}, []
    for title, parts in figures["parts"].items():
        for one in parts:
            took: Spread | None = one.get("p50_ms")
            if took:
                rows.append([title, one["part"], told(took), "runs"])
                plotted[f"{title}: {one['part']}"] = value(took)
            else:
                rows.append([title, one["part"], "-", "not run, see below" if "error" in one else str(one["runs"])])
                stopped += [f"{title}, {one['part']}: {_said(one)}"] if "error" in one else []
    missing = (
        [_MISSING] if any(one["part"] == _DATABASE for parts in figures["parts"].values() for one in parts) else []
    )
    return Chapter(
        better=[],
        header=("", "part", "p50 of a message, ms", "without a network"),
        rows=rows,
        plot=Plot("Checks of libraries, in their own process", "ms", [Series("", plotted)], is_logarithmic=True),
        remarks=[f"{figures['texts']} messages, one after another, without HTTP. {_WHY}", *missing, *stopped],
        measured=IN_A_ROW,
    )


def _said(one: dict[str, Any]) -> str:
    words = " ".join(str(one["error"]).split())
    return f"`{words[:200].replace('`', '')}`"
