"""A child is asked in lines, and its last words are heard when it fails."""

import sys
from pathlib import Path

import pytest

from benchmarks.rivals.talking import CHILDREN, Child, ChildFailed

ECHO = f"""
import sys
sys.path.insert(0, {str(CHILDREN)!r})
import lines

def open(sentences):
    print("a library that talks")
    return {{"sentences": len(sentences)}}

def fail():
    raise ValueError("out of tune")

def time(messages, warm_up=False):
    return {{"ms": lines.timed(len, messages, warm_up=warm_up)}}

lines.serve({{"open": open, "fail": fail, "time": time, "memory": lines.memory}})
"""


@pytest.fixture
def echo(tmp_path: Path) -> list[str]:
    """A child that has no library at all."""
    program = tmp_path / "echo.py"
    program.write_text(ECHO, encoding="utf-8")
    return [sys.executable, str(program)]


def test_what_a_library_prints_is_no_answer(echo: list[str]) -> None:
    with Child(echo) as child:
        assert child.ask("open", sentences=[["hello", "greeting"]]) == {"sentences": 1}
        assert len(child.ask("time", messages=["a", "b"], warm_up=True)["ms"]) == 2
        (held,) = child.ask("memory").values()
        assert held > 1


def test_a_child_that_fails_says_why(echo: list[str]) -> None:
    with Child(echo) as child, pytest.raises(ChildFailed, match=r"(?s)echo\.py ended at fail.*ValueError: out of tune"):
        child.ask("fail")


def test_a_child_that_ended_is_not_asked_again(echo: list[str]) -> None:
    with Child(echo) as child:
        with pytest.raises(ChildFailed):
            child.ask("fail")
        with pytest.raises(ChildFailed):
            child.ask("memory")
