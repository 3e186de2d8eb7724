"""The sandbox: real limits in a real process, and nothing of this one within reach."""

import json
import os
import sys
from pathlib import Path

import pytest

from rails.fakes import InProcessSandbox
from rails.sandbox import SANDBOX, Sandbox
from rails.sandbox_child import StandInServices, refuse_outside
from rails.sandbox_reports import RailState

POLICY = {
    "name": "desk",
    "input": [{"rail": "length"}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}, {"rail": "grounding"}],
    "refusals": {"en": {"default": "No."}},
}
START = "import sys; sys.path.insert(0, sys.argv[1])\n"
ANSWER = START + "import json; print(json.dumps({'rails': [], 'problem': PROBLEM}))"


def said_by(program: str) -> str:
    """Returns what a program of the test's own tells through the pipe of the sandbox."""
    return Sandbox(program=ANSWER.replace("PROBLEM", program)).try_document(POLICY).problem


def limited(work: str) -> str:
    """A program that sets the sandbox's limits and does `work`."""
    return f"{START}from rails import sandbox_child as child\nchild._limit_whole()\nchild._limit_policy()\n{work}\n"


def test_a_good_policy_is_ready_within_the_limits():
    report = SANDBOX.try_document(POLICY)
    assert report.is_ready, report
    assert [(one.stage.value, one.rail) for one in report.rails] == [
        ("input", "length"),
        ("input", "injection"),
        ("output", "secrets"),
        ("output", "grounding"),
    ]
    assert 0 < report.cpu_ms < 2000
    assert 0 < report.peak_mib < 512


def test_without_walls_it_says_the_same():
    walled, open_ = SANDBOX.try_document(POLICY), InProcessSandbox().try_document(POLICY)
    assert [(one.rail, one.state) for one in walled.rails] == [(one.rail, one.state) for one in open_.rails]


def test_the_process_has_no_variable_of_this_one(monkeypatch):
    monkeypatch.setenv("CANONGATE_DATABASE__URL", "postgresql://user:secret@db/store")
    names = set(json.loads(said_by("json.dumps(sorted(__import__('os').environ))")))
    assert names <= {
        *(
            "HOME",
            "LANG",
            "OPENBLAS_NUM_THREADS",
            "OMP_NUM_THREADS",
            "MALLOC_ARENA_MAX",
            "NEMO_GUARDRAILS_NO_USAGE_STATS",
        ),
        "LC_CTYPE",  # the interpreter sets it itself
    }


def test_the_process_stands_in_an_empty_folder_that_is_gone_afterwards():
    where, found = json.loads(said_by("json.dumps([__import__('os').getcwd(), __import__('os').listdir('.')])"))
    assert found == []
    assert Path(where) != Path.cwd()
    assert not Path(where).exists()


def test_code_in_the_folder_of_the_caller_is_not_found(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "actions.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert SANDBOX.try_document(POLICY).is_ready


def test_endless_computing_is_stopped_after_two_seconds():
    report = Sandbox(program=limited("while True: pass")).try_document(POLICY)
    assert "more than 2 s of computing" in report.problem
    assert not report.is_ready


def test_memory_beyond_the_limit_is_refused():
    report = Sandbox(program=limited("waste = bytearray(600 << 20)")).try_document(POLICY)
    assert "more than 512 MiB" in report.problem


def test_a_process_that_hangs_is_ended():
    report = Sandbox(program="import time; time.sleep(60)", wall_s=0.5).try_document(POLICY)
    assert "not done after 0.5 s" in report.problem


@pytest.mark.parametrize("program", ["import os; os._exit(3)", "print('nonsense')", "print('{}')", "1/0", ""])
def test_whatever_else_comes_back_is_never_ready(program):
    report = Sandbox(program=program).try_document(POLICY)
    assert not report.is_ready


def test_a_process_that_broke_off_is_told_with_its_status_and_last_line():
    report = Sandbox(program="import sys; print('out of luck', file=sys.stderr); sys.exit(7)").try_document(POLICY)
    assert report.problem.endswith("its process ended with status 7, and its last line was: out of luck")


def test_a_program_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "cannot be tried" in SANDBOX.try_document(POLICY).problem


@pytest.mark.parametrize(
    "work",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.com', 80)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('/etc/passwd').read()",
        "open('new.txt', 'w')",
        "import os; os.open('new.txt', os.O_CREAT | os.O_WRONLY)",
        "import sqlite3; sqlite3.connect('store.db')",
        "import os; os.mkdir('folder')",
    ],
)
def test_network_processes_databases_and_files_are_out_of_reach(work):
    program = (
        f"{START}import json\nfrom rails import sandbox_child as child\nsys.addaudithook(child.refuse_outside)\n"
        f"try:\n    {work}\n    said = 'done'\nexcept PermissionError as error:\n    said = 'refused'\n"
        "print(json.dumps({'rails': [], 'problem': said}))"
    )
    assert Sandbox(program=program).try_document(POLICY).problem == "refused"


def test_the_programs_own_files_can_be_read():
    refuse_outside("open", (os.__file__, "r", os.O_RDONLY))
    refuse_outside("open", (3, "r", os.O_RDONLY))


def test_a_rail_that_is_at_odds_with_its_own_examples_is_refused():
    report = SANDBOX.try_document({**POLICY, "input": [{"rail": "toxicity", "words": ["the"]}]})
    (refused,) = [one for one in report.rails if one.state is RailState.REFUSED]
    assert (refused.rail, report.is_ready) == ("toxicity", False)
    assert "stopped an example that it must let pass" in report.problems[0]


def test_a_policy_that_cannot_be_read_is_refused():
    assert "no rail 'lenght'" in SANDBOX.try_document({**POLICY, "input": [{"rail": "lenght"}]}).problem


def test_stand_ins_note_that_they_were_asked():
    stand_ins = StandInServices()
    assert not stand_ins.was_asked
    vectors = stand_ins.services.embed(["reset my password", "reset the password", "open the window"])
    scores, rows = stand_ins.services.neighbours(vectors).nearest(vectors[0], 2)
    assert stand_ins.was_asked
    assert list(rows) == [0, 1]
    assert scores[0] == pytest.approx(1.0, abs=1e-5)


def test_a_dialog_is_built_within_the_limits_too():
    topic = {"name": "hello", "examples": ["hello"], "replies": {"en": ["Hello."]}}
    report = SANDBOX.try_document({**POLICY, "dialog": {"limit": 0.8, "topics": [topic]}})
    assert report.is_ready, report
    assert report.peak_mib < 400
    endless = "define flow endless\n  user topic hello\n  while True\n    bot nothing\n"
    broken = SANDBOX.try_document({**POLICY, "dialog": {"limit": 0.8, "topics": [topic], "colang": endless}})
    assert not broken.is_ready
