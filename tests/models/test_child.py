import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import msgspec
import pytest

from models.child import PACKAGE_ROOT

PROGRAM = """
    import os
    import time

    import msgspec
    from models.child import Parent

    class Told(msgspec.Struct):
        number: int

    parent = Parent()
    job = parent.job(Told)
    print("a library says hello")
    os.system("echo so does a program of its own")
    parent.say(Told(job.number + 1))
"""


@dataclass
class Child:
    process: "subprocess.Popen[bytes]"
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


@contextmanager
def begun(program: str) -> Iterator[Child]:
    """Starts a child and gives it its job; its standard input stays open."""
    with child(program) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"number": 41}\n')
        process.stdin.flush()
        yield Child(process, process.stdin, process.stdout, process.stderr)


def child(program: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    command = (sys.executable, "-P", "-c", textwrap.dedent(program))
    return subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=pipe, stdout=pipe, stderr=pipe, env={"PYTHONPATH": str(PACKAGE_ROOT)}
    )


def test_what_is_printed_stands_between_no_messages() -> None:
    with begun(PROGRAM) as one:
        assert one.stdout.read() == b'{"number":42}\n'
        assert one.process.wait(30) == 0, "its end waits for its parent's"
        printed = one.stderr.read()
    assert b"a library says hello" in printed
    assert b"so does a program of its own" in printed


def test_it_ends_with_its_parent() -> None:
    with begun(PROGRAM + "    time.sleep(60)\n") as one:
        one.stdin.close()
        assert one.process.wait(30) == 1


def test_what_is_no_job_is_an_error() -> None:
    with child(PROGRAM) as process:
        said, why = process.communicate(b'{"number": "many"}\n', timeout=30)
    assert (said, process.returncode) == (b"", 1)
    assert b"ValidationError" in why


@pytest.mark.parametrize("lines", [1, 1000])
def test_every_message_comes_whole_and_in_order(lines: int) -> None:
    many = f"    for number in range({lines}):\n        parent.say(Told(number))\n"
    with begun(PROGRAM + many) as one:
        said = one.stdout.read()
    assert [msgspec.json.decode(line)["number"] for line in said.splitlines()] == [42, *range(lines)]
