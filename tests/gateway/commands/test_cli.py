"""The command line: every command explains itself, and an error is one line and exit status 1."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway import cli
from gateway.cli import COMMANDS, SUMMARIES, app
from tests.building import POLICY
from tests.gateway.command_line import environment, is_one_line_of_ours
from tests.gateway.content_files import write_content

ROOT = Path(__file__).parents[3]


def commands(command: click.Command, path: tuple[str, ...] = ()):
    """Gives every command below, with the words that lead to it."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize("path", list(commands(app)), ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself_with_an_example(path, flag):
    done = CliRunner().invoke(app, [*path, flag])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert f"canongate {' '.join(path)}".strip() in done.output
    assert "\b" not in done.output


def test_the_list_of_commands_has_a_summary_for_each():
    assert list(COMMANDS) == list(SUMMARIES)
    done = CliRunner().invoke(app, ["--help"], terminal_width=100)
    for name, summary in SUMMARIES.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", done.output, re.MULTILINE)


def test_help_loads_no_command_and_no_heavy_library():
    program = (
        "import sys\nfrom gateway.cli import app\napp(['--help'], standalone_mode=False)\n"
        "heavy = {'nemoguardrails', 'torch', 'onnxruntime', 'llama_cpp', 'litestar', 'sqlalchemy', 'faiss'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [("fly",), ("import",), ("key", "creat"), ("ask",), ("serve", "--port", "x")])
def test_what_is_no_command_line_is_exit_status_2_with_the_usage(run, arguments):
    done = run(*arguments)
    assert done.status == 2
    assert "Usage:" in done.err
    assert "Traceback" not in done.err


def test_the_version_is_told(run):
    assert re.fullmatch(r"canongate, version \d+\.\d+\.\d+\n", run("--version").out)


def test_an_interrupt_is_exit_status_130(run, monkeypatch):
    def interrupted(**_):
        raise click.Abort

    monkeypatch.setattr(cli, "app", interrupted)
    assert run().status == 130


def test_an_error_of_ours_is_one_line_and_exit_status_1(run, tmp_path, monkeypatch):
    bad = tmp_path / "bad.toml"
    bad.write_text("[server\n")
    assert is_one_line_of_ours(run("key", "list", "--config", bad))
    monkeypatch.setenv("CANONGATE_SERVER__PROT", "1")
    done = run("key", "list")
    assert is_one_line_of_ours(done)
    assert "prot" in done.err


def test_every_package_of_ours_has_its_errors_translated(published, tmp_path, monkeypatch):
    assert is_one_line_of_ours(published("key", "revoke", "nobody00"))
    folder = write_content(tmp_path / "bad", policy={**POLICY, "output": []})
    assert is_one_line_of_ours(published("import", folder))
    monkeypatch.setenv("CANONGATE_MODEL__NAME", "gpt")
    assert is_one_line_of_ours(published("ask", "hello"))
    assert is_one_line_of_ours(published("ask", "   "))


def test_a_bug_is_not_dressed_up_as_an_error_of_ours(run, monkeypatch):
    monkeypatch.setattr(cli, "app", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run()


def test_the_module_can_be_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "models", "list", "--json"],
        cwd=ROOT,
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "smollm2-135m-instruct" in done.stdout


def test_a_command_is_known_by_its_words_whatever_the_program_is_called(run):
    made = CliRunner().invoke(app, ["user", "create", "ada", "--role", "viewer"], prog_name="python -m gateway.cli")
    assert made.exit_code == 0, made.output
    assert run("user", "list").status == 0
