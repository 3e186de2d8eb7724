"""In a place without a gateway a command refuses or begins one, as the table says; none works on nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import app
from gateway.commands.places import MAY_BEGIN
from gateway.settings import load_settings
from store.dumps import schema_of
from store.errors import StoreUnavailable
from tests.gateway.command_line import CommandLine, is_one_line_of_ours

ROOT = Path(__file__).parents[3]
WITHOUT_SETTINGS = {
    "convert",
    "formats",
    "models merge-delta",
    "models quantize",
    "rails lint",
    "rails list",
    "rails schema",
}
"""Commands that know of no data folder."""
GIVEN = {
    "eval suite": ["examples/helpdesk/suites/helpdesk.yaml"],
    "user grant": ["nobody", "viewer"],
    "user revoke": ["nobody", "viewer"],
}
"""What is looked at before the settings are."""


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from leaves(inner, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(leaves(app))
TAKE_SETTINGS = {name: one for name, one in COMMANDS.items() if any(each.name == "config" for each in one.params)}
REFUSE = sorted(TAKE_SETTINGS.keys() - MAY_BEGIN.keys())


def words(name: str) -> list[str]:
    """Returns the command with everything that it must be given."""
    given = GIVEN.get(name, [one for each in COMMANDS[name].params if each.required for one in _given(each)])
    return [*name.split(), *given]


def _given(one: click.Parameter) -> list[str]:
    match one.type:
        case click.Choice():
            value = str(one.type.choices[0])
        case click.Path(exists=True):
            value = "LICENSE" if one.type.file_okay else "examples"
        case click.ParamType(name="integer" | "integer range"):
            value = "1"
        case _:
            value = "nobody"
    return [one.opts[0], value] if isinstance(one, click.Option) else [value]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_command_is_decided_about() -> None:
    assert TAKE_SETTINGS.keys() == COMMANDS.keys() - WITHOUT_SETTINGS
    assert MAY_BEGIN.keys() <= TAKE_SETTINGS.keys()
    assert all(MAY_BEGIN.values())
    assert {"backup", "purge", "audit verify", "decisions expire", "key list", "ask", "export", "fit"} <= set(REFUSE)


@pytest.mark.parametrize("name", REFUSE)
def test_what_works_on_what_is_there_refuses_an_empty_place(run: CommandLine, tmp_path: Path, name: str) -> None:
    arguments = [str(tmp_path / "nobody") if one == "nobody" else one for one in words(name)]
    done = run(*arguments)
    assert is_one_line_of_ours(done), done
    assert f"no database of canongate is in the data folder {run.data}, and `canongate {name}` works" in done.err
    assert "--config FILE or CANONGATE_CONFIG" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("import", ["examples/helpdesk"]),
        ("user create", ["ada", "--role", "admin"]),
        ("check", []),
        ("models list", []),
        ("rails try", ["examples/helpdesk/policies/helpdesk.yaml", "Hello"]),
        ("eval rails", ["--rows", "ROWS", "--stage", "input"]),
    ],
)
def test_what_may_begin_does(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str]
) -> None:
    monkeypatch.setenv("CANONGATE_RAILS__RAIL_S", "20")  # a busy machine proves the dialog late
    monkeypatch.setenv("CANONGATE_RAILS__STAGE_S", "30")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "Hello"}\n')
    done = run(*name.split(), *(str(rows) if one == "ROWS" else one for one in arguments))
    assert done.status == 0, done


def test_a_folder_with_a_database_of_nobody_counts_as_empty(run: CommandLine) -> None:
    run.data.mkdir()
    (run.data / "canongate.db").touch()
    assert "no database of canongate" in run("audit", "verify").err
    assert (run.data / "canongate.db").read_bytes() == b""


def test_a_folder_that_cannot_be_looked_into_is_one_line(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANONGATE_DATA__DIRECTORY", f"{tmp_path}/{'x' * 300}")
    done = run("audit", "verify")
    assert is_one_line_of_ours(done)
    assert "cannot be looked at" in done.err


def test_settings_are_found_by_the_variable(
    published: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANONGATE_DATA__DIRECTORY")
    monkeypatch.chdir(tmp_path)
    assert f"{tmp_path}/var" in published("key", "list").err
    file = tmp_path / "canongate.toml"
    file.write_text(f'[data]\ndirectory = "{published.data}"\n')
    monkeypatch.setenv("CANONGATE_CONFIG", str(file))
    assert published("audit", "verify").status == 0
    assert published("key", "list", "--config", file).status == 0
    monkeypatch.setenv("CANONGATE_CONFIG", str(tmp_path / "nowhere.toml"))
    assert published("key", "list").status == 2


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["backup", "audit verify", "purge", "key list"])
def test_a_database_that_was_never_migrated_is_refused_and_left(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, postgres_server: Callable[[], str], name: str
) -> None:
    url = postgres_server()
    monkeypatch.setenv("CANONGATE_DATA__DATABASE_URL", f"{url}{'&' if '?' in url else '?'}application_name=secret-word")
    done = run(*words(name))
    assert is_one_line_of_ours(done), done
    assert "no database of canongate is in the database postgresql://" in done.err
    assert "secret-word" not in done.err
    assert schema_of(load_settings().database_url) is None
    assert not run.data.exists()


def test_a_server_that_is_away_is_not_taken_for_an_empty_place(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANONGATE_DATA__DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none")
    done = run("audit", "verify")
    assert done.status == 1
    assert "canongate: the database failed" in done.err
    assert "secret" not in done.err
    with pytest.raises(StoreUnavailable):
        schema_of(load_settings().database_url)
