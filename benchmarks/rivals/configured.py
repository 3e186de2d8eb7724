"""Where each contestant is set up: its configuration, and the program that asks it where its server does not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.rivals import answering, matching, matching_speed, offline, quality
from benchmarks.rivals.markdown import link, table
from benchmarks.rivals.servers import CONFIGURATIONS, SENTENCES, SERVERS
from benchmarks.rivals.talking import CHILDREN
from benchmarks.rivals.venvs import HERE, REQUIREMENTS, RIVALS, ROOT


def configurations(folder: Path) -> str:
    """Returns the section of the page, for the folder that it is to lie in."""
    cells = [(title, job, ", ".join(link(one, folder) for one in files)) for title, job, files in rows()]
    places = (
        f"{link(HERE / 'servers.py', folder)} has the servers' commands and environments; versions are pinned, a file"
        f" for each environment, in `{REQUIREMENTS.relative_to(ROOT)}`. Programs in `{CHILDREN.relative_to(ROOT)}` run"
        " in their rival's environment, with those of its settings that stand in no other file."
    )
    return "\n".join(["## Configurations", "", f"{places}\n", *table(("", "asked for", "set up in"), cells), ""])


def rows() -> list[tuple[str, str, Sequence[Path]]]:
    """Returns each contestant with what it is asked for and its files."""
    return [*_servers(), *_models(), *_matchers(), *_checks()]


def _servers() -> Iterator[tuple[str, str, Sequence[Path]]]:
    for one in (*SERVERS, SENTENCES):
        yield one.title, "a server", _files(one.configuration)
    yield "canongate, checks alone", "lines of configuration", _files(CONFIGURATIONS / "canongate" / "checks")


def _models() -> Iterator[tuple[str, str, Sequence[Path]]]:
    server, code = answering.SMOLLM2, Path(answering.__file__)
    yield server.title, "answers of a model", _files(server.configuration)
    yield "llama_cpp.server", "answers of a model", (code,)
    yield "llama.cpp's own server (xllamacpp)", "answers of a model", (ROOT / "benchmarks" / "rival_server.py", code)


def _matchers() -> Iterator[tuple[str, str, Sequence[Path]]]:
    own = (HERE / "own_matching.py", HERE / "own_child.py")
    yield "canongate's matcher", "matching, its time", own
    for one in matching.CONTESTANTS:
        timed = ", its time" if one.title in matching_speed.TITLES.values() else ""
        yield one.title, f"matching{timed}", (one.program, Path(matching.__file__), *_opened(one.opening.values()))
    dialog = next(one for one in quality.matchers() if one.rival == quality.DIALOG)
    yield dialog.title, "attacks", (dialog.program, *_opened(dialog.opening.values()))


def _checks() -> Iterator[tuple[str, str, Sequence[Path]]]:
    for one in quality.CHECKERS:
        yield one.title, "attacks", (one.program, *_opened(one.opening.values()))
    titles = {one.name: one.title for one in RIVALS}
    for name, program in offline.LIBRARIES.items():
        yield titles[name], "its parts, without a network", (CHILDREN / program,)
    yield f"{titles['litellm']}, database client", "whether it runs without a network", (Path(offline.__file__),)


def _opened(values: Sequence[object]) -> list[Path]:
    """Returns the configurations among what a child is opened with."""
    paths = (Path(one) for one in values if isinstance(one, str))
    return [file for path in paths if path.is_relative_to(CONFIGURATIONS) for file in _files(path)]


def _files(configuration: Path) -> list[Path]:
    return (
        sorted(one for one in configuration.rglob("*") if one.is_file()) if configuration.is_dir() else [configuration]
    )
