"""How long a message takes to be matched, in the process: `python -m benchmarks.rivals.matching_speed --sizes 10000`.

From the text to the prompt, embedding included, one message at a time. Contestants are processes of their own that take
turns: in each round everyone gets the same messages, which nobody had before. The weights are the same; ours run in
their int8 form in ONNX Runtime, which the gateway makes of them, the rivals' as their libraries load them.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import numpy as np

from benchmarks.rivals.chapters import Chapter, Plot, Series, Value
from benchmarks.rivals.comparing import OURS, Measure, compare, summed_up
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.sets import helpdesk
from benchmarks.rivals.talking import CHILDREN, Child, ChildFailed
from benchmarks.rivals.venvs import RIVALS, VENVS, Rival
from benchmarks.sentences import prompts, questions
from models.embedding.embedder import packaged_minilm

SIZES = (81, 500)
PHRASINGS = 10
"""Of each prompt in stores that are made for it; the first size is the example store, with its own."""
A_ROUND = 30
"""Messages that everyone is timed with in a round."""
THREADS = (1, 2)
PROGRAMS = {"semantic-router": CHILDREN / "router.py", "faiss": CHILDREN / "nearest.py"}
TITLES = {"semantic-router": "semantic-router", "faiss": "FAISS, nearest sentence"}
VECTORS = VENVS / "vectors"
Sentences = list[tuple[str, str]]


def main() -> None:
    """Measures stores of other sizes and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000", help="numbers of prompts (%(default)s); 81 is the example store")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default=",".join(map(str, THREADS)))
    chosen = parser.parse_args()
    sizes, threads = ([int(one) for one in text.split(",")] for text in (chosen.sizes, chosen.threads))
    installed = [one for one in RIVALS if one.name in PROGRAMS and one.is_ready()]
    print(json.dumps(measure_sizes(installed, sizes, threads, chosen.rounds, _say), indent=2))


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns a row for each size, number of threads and contestant."""
    sizes = SIZES[:1] if options.is_quick else SIZES
    return measure_sizes(rivals, sizes, THREADS, options.rounds, options.say)


def measure_sizes(
    rivals: Sequence[Rival], sizes: Sequence[int], threads: Sequence[int], rounds: int, say: Any
) -> Figures:
    """Returns the figures of stores of these sizes."""
    own = [sys.executable, "-m", "benchmarks.rivals.own_child"]
    commands = {OURS: own}
    for one in rivals:
        if one.name in PROGRAMS:
            commands[TITLES[one.name]] = [str(one.python), str(PROGRAMS[one.name])]
    rows: list[dict[str, Any]] = []
    remarks: list[str] = []
    for size in sizes:
        sentences, asked = store_of(size, (rounds + 1) * A_ROUND)
        vectors = _kept_vectors(commands, sentences)
        for count in threads:
            say(f"{size} prompts, {len(sentences)} sentences, threads: {count}")
            try:
                found = _times(commands, sentences, asked, threads=count, rounds=rounds, vectors=vectors)
            except ChildFailed as error:
                remarks.append(f"{size} prompts with {count} threads: {error}")
                continue
            rows += [{"prompts": size, "sentences": len(sentences), "threads": count, **row} for row in found]
    return {"rows": rows, "remarks": remarks}


def store_of(size: int, messages: int) -> tuple[Sentences, list[str]]:
    """Returns the sentences of a store and so many different messages that nobody has asked before."""
    given = helpdesk()
    if size == len(given.catalog.prompts):
        asked = list(dict.fromkeys(given.messages))
        return list(given.sentences), (asked * -(-messages // len(asked)))[:messages]
    sentences = [(text, key) for key, texts in prompts(size, PHRASINGS) for text in texts]
    return sentences, [text for text, _ in questions(messages, size)]


def _kept_vectors(commands: Mapping[str, Sequence[str]], sentences: Sentences) -> str:
    """Returns the file of the sentences' vectors, embedded once for all rivals and kept: what is timed are messages."""
    plain = commands.get(TITLES["faiss"])
    if plain is None:
        return ""
    texts = [text for text, _ in sentences]
    path = VECTORS / f"{sha256(json.dumps(texts).encode()).hexdigest()[:16]}.npy"
    if not path.is_file():
        VECTORS.mkdir(parents=True, exist_ok=True)
        with Child(plain, threads=max(THREADS)) as child:
            child.ask("open", model=str(packaged_minilm()), sentences=[["hello", "none"]], threads=max(THREADS))
            child.ask("keep", path=str(path), texts=texts)
    return str(path)


def _times(
    commands: Mapping[str, Sequence[str]],
    sentences: Sentences,
    asked: Sequence[str],
    *,
    threads: int,
    rounds: int,
    vectors: str,
) -> list[dict[str, Any]]:
    """Returns the row of each contestant. Raises `ChildFailed`."""
    with ExitStack() as stack:
        children = {who: stack.enter_context(Child(command, threads=threads)) for who, command in commands.items()}
        for child in children.values():
            child.ask("open", model=str(packaged_minilm()), sentences=sentences, threads=threads, vectors=vectors)
            child.ask("time", messages=asked[:A_ROUND], warm_up=True)
        times: dict[str, list[list[float]]] = {who: [] for who in children}
        for number in range(1, rounds + 1):
            messages = asked[number * A_ROUND : (number + 1) * A_ROUND]
            for who in _turns(list(children), number):
                times[who].append(children[who].ask("time", messages=messages)["ms"])
        return [{"who": who, **spread(times[who]), **child.ask("memory")} for who, child in children.items()]


def _turns(names: list[str], number: int) -> list[str]:
    """Returns the names with another one first in each round."""
    start = number % len(names)
    return names[start:] + names[:start]


def spread(rounds: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Returns the median over rounds of each round's p50 and p95, with the lowest and the highest."""
    return {
        f"p{share}_ms": _around([float(np.percentile(times, share)) for times in rounds if times]) for share in (50, 95)
    }


def _around(values: Sequence[float]) -> list[float]:
    return [statistics.median(values), min(values), max(values)]


def tell(figures: Figures) -> Chapter:
    """Returns the chapter: a row for each store, number of threads and contestant."""
    rows = figures["rows"]
    measures = list(_measures(rows))
    titles = {row["who"]: row["who"] for row in rows}
    compared = compare(measures, titles, OURS)
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=summed_up(f"matching a message, {_where(rows[0])}, ms", measures[0], titles, OURS) if rows else [],
        header=("prompts", "sentences", "threads", "", "p50, ms", "p95, ms", "memory, MiB"),
        rows=[
            (
                f"{row['prompts']:,}",
                f"{row['sentences']:,}",
                str(row["threads"]),
                row["who"],
                _range(row["p50_ms"]),
                _range(row["p95_ms"]),
                f"{row['resident_mib']:.0f}",
            )
            for row in rows
        ],
        plot=Plot("One message matched, p50", "ms", list(_series(rows, "p50_ms")), is_logarithmic=True),
        plots=[
            Plot("One message matched, p95", "ms", list(_series(rows, "p95_ms")), is_logarithmic=True, name="p95"),
            Plot("Memory of the matching process", "MiB", list(_series(rows, "resident_mib")), name="memory"),
        ],
        remarks=[*_REMARKS, *figures["remarks"]],
    )


_REMARKS = (
    (
        "canongate's match has canonical forms, language, learned scores, counterexamples and contradictions in it; the"
        " others look for the nearest sentences. Above 20,000 sentences canongate ranks by the nearest one too."
    ),
    (
        "semantic-router and FAISS get vectors from torch in full precision; canongate from ONNX Runtime in 8-bit"
        " numbers, of the same weights: that is a part of the difference. sentence-transformers has an ONNX backend"
        " too, which could not be installed: the release that is pinned needs transformers 5, and every release of"
        " `optimum-onnx`, by which it loads such a model, an older one."
    ),
    "Memory is that of the whole process after the rounds, with what the libraries loaded.",
)


def _kinds(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Gives the rows of each store and number of threads."""
    for size, threads in dict.fromkeys((row["prompts"], row["threads"]) for row in rows):
        yield [row for row in rows if (row["prompts"], row["threads"]) == (size, threads)]


def _measures(rows: Sequence[Mapping[str, Any]]) -> Iterator[Measure]:
    for of_kind in _kinds(rows):
        where = _where(of_kind[0])
        yield Measure(f"takes {{}} ms, {where}", {row["who"]: Value(*row["p50_ms"]) for row in of_kind})
        yield Measure(
            f"takes less than {{}} ms for 95 of 100, {where}", {row["who"]: Value(*row["p95_ms"]) for row in of_kind}
        )
        yield Measure(f"takes {{}} MiB, {where}", {row["who"]: row["resident_mib"] for row in of_kind})


def _where(row: Mapping[str, Any]) -> str:
    return f"{row['prompts']:,} prompts, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"


def _series(rows: Sequence[Mapping[str, Any]], key: str) -> Iterator[Series]:
    for of_kind in _kinds(rows):
        values = {row["who"]: row[key] if isinstance(row[key], list) else [row[key]] * 3 for row in of_kind}
        yield Series(_where(of_kind[0]), {who: Value(*one) for who, one in values.items()})


def _range(values: Sequence[float]) -> str:
    middle, low, high = values
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
