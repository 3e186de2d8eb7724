"""Fuzzes with atheris: `make fuzz`, or `python -m tests.fuzz.run slots --minutes 10` with atheris on the path.

What is interesting is kept in var/fuzz and gone on from; a finding stops its target and is printed as a line for
`found.yaml`.
"""

import argparse
import sys
from pathlib import Path

import atheris

NAMES = ("canonicalizer", "slots", "index_file", "gguf_header", "policy")
INSTRUMENTED = ("gateway.canonicalize", "rails.checks.hidden", "rails.policy", "store", "models.files")
KEPT = Path(__file__).parents[2] / "var" / "fuzz"
MOST_BYTES = {"canonicalizer": 20_000, "slots": 4096, "index_file": 4096, "gguf_header": 4096, "policy": 16_384}


def main() -> None:
    """Fuzzes one target for as long as is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--minutes", type=float, default=10)
    chosen = parser.parse_args()
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.fuzz.seeds import seeds  # noqa: PLC0415 - instrumented while they are imported
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - as above
    corpus = KEPT / chosen.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(chosen.target)):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    target = TARGETS[chosen.target]

    def look(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            sys.stderr.write(f"\nfound, for tests/fuzz/found.yaml:\n{chosen.target}: [{data.hex()}]\n")
            raise

    options = [
        f"-max_total_time={round(chosen.minutes * 60)}",
        f"-max_len={MOST_BYTES[chosen.target]}",
        "-timeout=10",
        "-rss_limit_mb=3000",
        f"-artifact_prefix={KEPT}/{chosen.target}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
