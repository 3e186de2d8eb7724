"""No file of the repository holds what looks like somebody's key, by the shapes of our own secrets rail."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rails.key_shapes import SHAPES

ROOT = Path(__file__).parents[2]
SHAPE_OF_WORDS = "password"
"""Tests and texts speak of passwords, and ruff's S105 to S107 look after those in code."""
INVENTED = {
    *(
        (name, f"{scheme}://me:{{}}" + "@")
        for name, scheme in (("tests/planting.py", "https"), ("tests/planting.py", "postgresql"))
    ),
    ("deploy/kubernetes/kustomization.yaml", "postgresql://canongate:..." + "@"),
    ("tests/gateway/commands/test_empty_places.py", "postgresql://me:secret" + "@"),
    ("tests/gateway/test_otlp.py", "http://me:secret-word" + "@"),
    ("tests/gateway/webhooks/test_webhook_sources.py", "https://user:password" + "@"),
    *(("tests/gateway/test_upstream_wiring.py", f"https://bot:{begun}{{KEY}}" + "@") for begun in ("", "[")),
    *(("tests/models/upstream/test_upstream_target.py", f"https://user:{begun}hunter2" + "@") for begun in ("", "[")),
    ("tests/rails/test_nemo_dialog.py", "AKIA" + "IOSFODNN7EXAMPLQ"),
    ("tests/rails/test_sandbox.py", "postgresql://user:secret" + "@"),
}
"""A place for a password, and keys of nobody that tests use."""


def found_in(text: str) -> Iterator[str]:
    low = text.lower()
    for shape in SHAPES:
        if shape.name == SHAPE_OF_WORDS or not any(hint in low for hint in shape.hints):
            continue
        for hit in shape.pattern.finditer(text):
            if shape.accepts is None or shape.accepts(hit.group(1)):
                yield hit.group()


def tracked() -> list[str]:
    listing = ["git", "ls-files", "-z"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - git's
    if done.returncode:
        pytest.skip("this is no checkout of git, so that nobody can say which files are the repository's")
    return [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]


def test_no_file_holds_a_key() -> None:
    names = tracked()
    assert len(names) > 1000
    found = set()
    for name in names:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            assert name.endswith((".png", ".webp", ".woff2")), f"{name} is neither text nor a picture"
            continue
        found |= {(name, hit) for hit in found_in(text)}
    assert sorted(found - INVENTED) == []


@pytest.mark.parametrize(
    "key",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "cg_" + "a1b2c3d4_" + "x" * 43,
    ],
)
def test_a_key_would_be_found(key: str) -> None:
    assert list(found_in(f"first line\nkey = '{key}'\n"))
