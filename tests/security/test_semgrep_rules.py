"""Every rule of ours finds what it shall find, and leaves alone what is like it."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
RULES = HERE / "semgrep"
SEMGREP = HERE.parents[1] / "var" / "tools" / "semgrep" / "bin" / "semgrep"
FILES = sorted(RULES.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_rule_has_an_example_to_find_and_one_to_leave_alone(file: Path) -> None:
    example = next(one for one in RULES.glob(f"{file.stem}.*") if one != file).read_text()
    marks = re.findall(r"(?:#|//) (ruleid|ok): (.+)", example)
    said = {(mark, rule) for mark, rules in marks for rule in rules.split(", ")}
    rules = {rule["id"] for rule in yaml.safe_load(file.read_text())["rules"]}
    assert rules
    assert said == {(mark, rule) for mark in ("ruleid", "ok") for rule in rules}


def test_the_rules_find_what_the_examples_say(tmp_path: Path) -> None:
    if not SEMGREP.exists():
        pytest.skip("semgrep is not installed; `make audit` installs it and runs this test")
    done = subprocess.run(  # noqa: S603 - a program of our own venv
        [SEMGREP, "--test", "--metrics", "off", "--disable-version-check", RULES],
        env={"PATH": f"{SEMGREP.parent}:{os.defpath}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert re.search(r"^(\d+)/\1: . All tests passed", done.stdout, re.MULTILINE), done.stdout[-1000:]
