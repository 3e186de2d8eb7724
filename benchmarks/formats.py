"""What reading rows costs, and that none is lost: `python -m benchmarks.formats --data ../shared/data --json`.

A Dolly file of 1 GB is made once under var/bench, read by a process of its own as an import, a dry run and a
conversion do, and the process's largest memory is told. With `--data`, the real rows of each format are read and
written again and compared field by field with what plain `json` reads.
"""

import argparse
import datetime as dt
import gzip
import json
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from gateway.importing import ImportOrder, Makes, import_rows
from store.formats.drafting import DraftSettings
from store.formats.reading import RowReader
from store.formats.registry import FORMATS
from store.formats.writing import Written, encoded

BENCH = Path(__file__).resolve().parent.parent / "var" / "bench"
REAL = (
    ("dolly15k_8_rows.jsonl", "dolly"),
    ("alpaca_en_demo_300.json", "alpaca"),
    ("hh_rlhf_harmless_200.jsonl.gz", "hh-rlhf"),
    ("oasst_en_100_message.jsonl.gz", "oasst-messages"),
    ("oasst_en_100_tree.jsonl.gz", "oasst"),
    ("self_instruct_seed_tasks.jsonl", "self-instruct"),
    ("self_instruct_user_oriented_252.jsonl", "self-instruct"),
    ("sharegpt_dpo_200.json.gz", "sharegpt"),
    ("sharegpt_toolcall_100.json.gz", "sharegpt"),
    ("sharegpt_vicuna_dummy_200.json", "sharegpt"),
)
WORDS = ("open", "close", "lock", "paint", "measure", "repair", "door", "window", "key", "hinge", "frame", "glass")
BAD_EVERY = 10_000
DAY = dt.date(2027, 6, 30)


@dataclass(frozen=True)
class Run:
    """One reading of the large file."""

    what: str
    rows: int
    rejected: int
    made: int
    seconds: float
    rows_a_second: int
    megabytes_a_second: float
    peak_mib: float


@dataclass(frozen=True)
class Real:
    """One file of real rows, read and written again."""

    file: str
    format: str
    rows: int
    rejected: int
    is_same: bool
    """Every field of every row, and the order of the fields."""


def make_file(path: Path, size: int, say: Callable[[str], None]) -> int:
    """Writes rows until the file has that size, one in 10,000 of them damaged; returns how many there are."""
    draw = random.Random(7)  # noqa: S311 - no secret
    sentences = [" ".join(draw.choices(WORDS, k=12)) for _ in range(2000)]
    rows = written = 0
    with path.open("wb") as file:
        while written < size:
            rows += 1
            record = {
                "instruction": f"How do I {draw.choice(WORDS)} the {draw.choice(WORDS)} number {rows}?",
                "context": ". ".join(draw.choices(sentences, k=draw.randrange(6))),
                "response": ". ".join(draw.choices(sentences, k=1 + draw.randrange(8))),
                "category": draw.choice(("open_qa", "closed_qa", "brainstorming")),
            }
            line = json.dumps(record).encode()
            written += file.write((line[:-9] if rows % BAD_EVERY == 0 else line) + b"\n")
            if rows % 200_000 == 0:
                say(f"made {written >> 20} MiB of {size >> 20}")
    return rows


def in_own_process(what: str, path: Path, rows: int, say: Callable[[str], None]) -> Run:
    """Reads the file in a fresh process, whose memory is then that of this alone."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(what, str(path), theirs))
    process.start()
    theirs.close()
    while True:
        found = ours.recv()
        if isinstance(found, dict):
            break
        say(f"{what}: {found}")
    process.join()
    if found["rows"] + found["unread"] != rows:
        raise SystemExit(f"{what}: {rows} rows were written, {found['rows']} read and {found['unread']} told as bad")
    found.pop("unread")
    return Run(what=what, **found)


def _measure(what: str, name: str, out: Connection) -> None:
    path, start, last = Path(name), time.monotonic(), time.monotonic()

    def progress(rows: int, done: int, size: int) -> None:
        nonlocal last
        if time.monotonic() - last > 5:
            last = time.monotonic()
            out.send(f"{rows} rows, {100 * done // max(size, 1)} %")

    if what == "convert":
        told, reader = Written(), RowReader(path, FORMATS["dolly"], progress=progress)
        with path.with_suffix(".alpaca").open("wb") as file:
            file.writelines(encoded(FORMATS["alpaca"], (placed.row for placed in reader), told))
        path.with_suffix(".alpaca").unlink()
        rows, rejected, made, unread = reader.tally.rows, reader.tally.rejected, told.rows, reader.tally.rejected
    else:
        makes = Makes.PROMPTS if what == "import" else Makes.NOTHING
        drafts = DraftSettings(area="doors", owner="Caretaker", review_by=DAY)
        report = import_rows(path, ImportOrder(format="dolly", makes=makes, drafts=drafts), progress=progress).report
        rows, rejected, made = report.rows, report.rejected, report.made
        unread = rejected - (rows - made - report.joined - report.repeated if makes is Makes.PROMPTS else 0)
    seconds = time.monotonic() - start
    out.send(
        {
            "rows": rows,
            "rejected": rejected,
            "made": made,
            "unread": unread,
            "seconds": round(seconds, 1),
            "rows_a_second": round(rows / seconds),
            "megabytes_a_second": round(path.stat().st_size / seconds / 1e6, 1),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
    )


def real_rows(folder: Path) -> list[Real]:
    """Reads and writes the real rows of each format."""
    found = []
    for name, form in REAL:
        reader, told = RowReader(folder / name, FORMATS[form]), Written()
        again = b"".join(encoded(FORMATS[form], (placed.row for placed in reader), told))
        data = (folder / name).read_bytes()
        data = gzip.decompress(data) if name.endswith(".gz") else data
        # Compared as texts: two dicts are equal whatever the order of their names.
        is_same = json.dumps(_loaded(again)) == json.dumps(_loaded(data)) and not told.left_out
        found.append(Real(name, form, reader.tally.rows, reader.tally.rejected, is_same))
    return found


def _loaded(data: bytes) -> list[object]:
    text = data.decode("utf-8-sig")
    if text.lstrip().startswith("["):
        whole: list[object] = json.loads(text)
        return whole
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the real data, such as ../shared/data")
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="size of the file that is made")
    parser.add_argument("--keep", action="store_true", help="leave the file where it was made")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    real = []
    if args.data is None or not (args.data / "instruction_formats").is_dir():
        say("the real rows are missing: --data names their folder")
    else:
        real = real_rows(args.data / "instruction_formats")
    BENCH.mkdir(parents=True, exist_ok=True)
    path = BENCH / "dolly.jsonl"
    rows = make_file(path, args.bytes, say)
    try:
        runs = [in_own_process(what, path, rows, say) for what in ("dry run", "import", "convert")]
    finally:
        if not args.keep:
            path.unlink()
    if args.json:
        print(json.dumps({"runs": list(map(asdict, runs)), "real": list(map(asdict, real))}, indent=2))
        return
    for run in runs:
        print(
            f"{run.what}: {run.rows} rows in {run.seconds} s ({run.rows_a_second} a second, "
            f"{run.megabytes_a_second} MB a second), {run.rejected} told, {run.made} made, {run.peak_mib} MiB at most"
        )
    for one in real:
        print(
            f"{one.file} as {one.format}: {one.rows} rows, {one.rejected} rejected, {'same' if one.is_same else 'LOST'}"
        )


if __name__ == "__main__":
    main()
