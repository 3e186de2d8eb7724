"""What is installed for each, and how many lines somebody writes to configure it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals.arena import prepare
from benchmarks.rivals.chapters import ONCE, Chapter, Plot, Series, Table, Value
from benchmarks.rivals.comparing import Measure, summed_up, where_better
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.servers import CONFIGURATIONS, DIALOG
from benchmarks.rivals.venvs import Rival

OWN = "canongate"
EXTRA = "cpu"
MIB = 2**20
_WITHOUT = (
    "Without the interpreter, pip and compiled modules. torch is most of it where it is needed: canongate needs it to "
    "tune and to export its embedder, not to serve."
)
_COUNTED = (
    "Lines that say something: neither empty nor a comment alone, and of YAML as it would be written with one value on"
    " each line, so that nobody is ahead by the style."
)
_NOT_COUNTED = (
    "NeMo's checks have five lines for streaming, which another question needs. Not counted are OpenAI Guardrails, LLM"
    " Guard, semantic-router, FAISS and llama.cpp: they are set up in programs here, and do a part of either job."
)
_MORE = (
    "canongate's prompts name owners, counterexamples, slots and texts for when the model fails, and its policy "
    "the words of each refusal. Checks alone are asked for at `/v1/checks`; a store of its own needs one prompt too."
)
_WIDE = 2**20
YAML = (".yaml", ".yml")
LANGUAGES = {".yaml": "#", ".yml": "#", ".toml": "#", ".co": "#", ".py": "#", ".json": ""}
DESK = "the help desk: its prompts, matching, checks on message and answer"
CHECKS = "checks on message and answer alone"


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns MiB of installed packages, and lines of configuration by what they do."""
    prepare()
    options.say("counting what is installed")
    installed = {OWN: _own_bytes()} | {one.name: one.installed_bytes() for one in rivals}
    return {
        "titles": {OWN: "canongate"} | {one.name: one.title for one in rivals},
        "installed_mib": {name: round(size / MIB) for name, size in installed.items()},
        "packages": {OWN: len(list(_closure()))} | {one.name: len(one.pins()) for one in rivals},
        "lines": {
            job: {name: sum(map(lines_of, _files(folders))) for name, folders in places.items()}
            for job, places in _places().items()
        },
    }


def _places() -> dict[str, dict[str, Sequence[Path]]]:
    """Returns where the configurations for a job are."""
    nemo = CONFIGURATIONS / "nemoguardrails"
    return {
        DESK: {
            "canongate": (HELPDESK / "prompts", HELPDESK / "assistants", HELPDESK / "policies", _settings()),
            "NeMo Guardrails": (DIALOG,),
        },
        CHECKS: {
            "canongate": (CONFIGURATIONS / "canongate" / "checks",),
            "NeMo Guardrails": (nemo / "regex",),
            "LiteLLM proxy": (CONFIGURATIONS / "litellm" / "filter.yaml",),
            "Guardrails AI": (CONFIGURATIONS / "guardrails-ai" / "config.py",),
        },
    }


def _settings() -> Path:
    return CONFIGURATIONS / "canongate" / "canongate.toml"


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(one for one in place.rglob("*") if one.suffix in LANGUAGES) if place.is_dir() else (place,)


def lines_of(path: Path) -> int:
    """Returns the lines that say something: neither empty nor a comment alone.

    YAML is counted as it would be written with one value on each line, so that nobody is ahead by the style.
    """
    mark, text = LANGUAGES[path.suffix], path.read_text()
    if path.suffix in YAML:
        documents = yaml.load_all(text, yaml.CSafeLoader)
        text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, default_flow_style=False, width=_WIDE)
    lines = (line.strip() for line in text.splitlines())
    return sum(bool(line) and not (mark and line.startswith(mark)) for line in lines)


def _own_bytes() -> int:
    """Returns what an installation with the extra `cpu` brings, without what tests and development add."""
    files = (Path(str(file.locate())) for name in _closure() for file in metadata.files(name) or ())
    own = [file for folder in ("gateway", "rails", "store", "models") for file in _package(folder)]
    return sum(path.stat().st_size for path in {*files, *own} if "__pycache__" not in path.parts and path.is_file())


def _package(name: str) -> Iterator[Path]:
    folder = Path(__file__).parents[2] / name
    return (one for one in folder.rglob("*") if one.is_file() and "node_modules" not in one.parts)


def _closure() -> Iterator[str]:
    """Returns the names of the packages that canongate needs, and that those need."""
    seen: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(OWN, frozenset({EXTRA}))]
    while waiting:
        name, extras = waiting.pop()
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            wanted = needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in extras | {""})
            if wanted and needed.name.lower() not in seen and _is_installed(needed.name):
                seen.add(needed.name.lower())
                waiting.append((needed.name, frozenset(needed.extras)))
                yield needed.name


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    titles, sizes = figures["titles"], figures["installed_mib"]
    names = sorted(sizes, key=sizes.get)
    measures = [Measure("installs {} MiB", sizes), Measure("brings packages: {}", figures["packages"])]
    better = where_better(measures, titles, OWN)
    for job, lines in figures["lines"].items():
        better += where_better([Measure(f"needs {{}} lines for {job}", lines)], {name: name for name in lines}, OWN)
    return Chapter(
        better=better,
        summary=[
            *summed_up("installed, MiB", measures[0], titles, OWN),
            *(
                row
                for job, lines in figures["lines"].items()
                for row in summed_up(f"lines for {job}", Measure("{}", lines), {name: name for name in lines}, OWN)
            ),
        ],
        header=("", "installed, MiB", "packages"),
        rows=[[titles[name], f"{sizes[name]:,}", str(figures["packages"][name])] for name in names],
        tables=[
            Table(f"Lines for {job}", ("", "lines"), [[name, f"{count:,}"] for name, count in lines.items()])
            for job, lines in figures["lines"].items()
        ],
        plot=Plot(
            "Installed packages", "MiB", [Series("installed", {titles[name]: _exact(sizes[name]) for name in names})]
        ),
        plots=_lines_plots(figures["lines"]),
        remarks=[_WITHOUT, f"{_COUNTED} {_MORE}", _NOT_COUNTED],
        measured=ONCE,
    )


def _lines_plots(jobs: Mapping[str, Mapping[str, int]]) -> list[Plot]:
    """Returns the plot of lines by job, or none where nothing was counted."""
    titles = {DESK: "the whole help desk", CHECKS: "checks alone"}
    series = [
        Series(titles.get(job, job), {name: _exact(count) for name, count in lines.items() if count})
        for job, lines in jobs.items()
    ]
    if not any(one.values for one in series):
        return []
    return [Plot("Lines of configuration", "lines", series, is_logarithmic=True, name="lines")]


def _exact(count: float) -> Value:
    return Value(count, count, count)
