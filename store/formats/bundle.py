"""The folder form of content: one readable YAML file per prompt, assistant and policy, made for review in git."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from store.content import Assistant, CanonicalPrompt, Document
from store.errors import InvalidContent, StoreUnavailable
from store.formats.documents import parse_yaml, read_capped, write_yaml
from store.plain import to_plain

FORMAT, VERSION = "canongate-bundle", 1
_HEAD = "bundle.yaml"
_FOLDERS = ("assistants", "policies", "prompts", "suites")
_MAX_FILES = 20_000
_PROMPT_FIELDS = (
    "key",
    "title",
    "area",
    "owner",
    "language",
    "audience",
    "review_by",
    "phrasings",
    "counterexamples",
    "follows",
    "follow_ups",
    "slots",
    "reply",
)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$?\.?(?P<place>[^`]*)`)?$", re.DOTALL)
_REMEDIES = {
    "contains unknown field": "Correct its spelling or remove it.",
    "missing required field": "Add it.",
    "Expected `str`, got": "Put the text in quotes.",
    "Expected `date`": "Write it like 2027-06-30.",
    "Invalid RFC3339": "Write it like 2027-06-30.",
    "matching regex": "Keep to that form.",
    "of length": "Keep within that length.",
}
_D = TypeVar("_D", bound=Document)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Content that is published together; prompts by key, the rest by name."""

    prompts: tuple[CanonicalPrompt, ...] = ()
    assistants: tuple[Assistant, ...] = ()
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Opaque here: rails/ reads them."""
    suites: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Saved test sets, in the form of `store/formats/suite.py`."""


def prompt_path(key: str) -> str:
    """Returns where a prompt is written: `it.vpn` is `prompts/it/vpn.yaml`."""
    return f"prompts/{key.replace('.', '/')}.yaml"


def read_bundle(folder: Path) -> Bundle:
    """Reads a folder. Raises `InvalidContent` with the problems of all files, a line each: file, field, remedy."""
    reader = _Reader(folder)
    bundle = reader.read()
    if reader.problems:
        raise InvalidContent("\n".join(sorted(reader.problems)))
    return bundle


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Writes the folder form, the same bytes for the same content; files of content that is gone are removed.

    Raises `InvalidContent` for a folder that holds something else, `StoreUnavailable` when it cannot be written.
    """
    files = {_HEAD: {"format": FORMAT, "version": VERSION}} | document_files(bundle)
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / _HEAD).is_file():
            raise InvalidContent(f"{folder} is not empty and not a bundle. Name a new or an empty folder.")
        for name, document in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(write_yaml(document), encoding="utf-8")
        for kind in ("assistants", "policies", "prompts"):  # test sets that were never published stay
            for path in (folder / kind).rglob("*.yaml"):
                if path.relative_to(folder).as_posix() not in files:
                    path.unlink()
    except OSError as error:
        raise StoreUnavailable(f"the bundle cannot be written to {folder}: {error.strerror}") from error


def document_files(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Returns every document by the path that it has in a folder."""
    documents: dict[str, dict[str, Any]] = {}
    for prompt in bundle.prompts:
        values = to_plain(prompt) | {"audience": prompt.audience}
        documents[prompt_path(prompt.key)] = {name: values[name] for name in _PROMPT_FIELDS if name in values}
    for assistant in bundle.assistants:
        documents[f"assistants/{assistant.name}.yaml"] = to_plain(assistant)
    for kind, named in (("policies", bundle.policies), ("suites", bundle.suites)):
        for name, document in named.items():
            documents[f"{kind}/{name}.yaml"] = dict(document)
    return documents


class _Reader:
    """Reads one folder and collects what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prompts: list[CanonicalPrompt] = []
        self._assistants: list[Assistant] = []
        self._opaque: dict[str, dict[str, dict[str, Any]]] = {"policies": {}, "suites": {}}
        self.problems: list[str] = []

    def read(self) -> Bundle:
        """Returns what could be read; complete only when there are no problems."""
        self._take(PurePosixPath(_HEAD), self._folder / _HEAD)
        for name, path in self._files():
            self._take(name, path)
        return Bundle(
            tuple(sorted(self._prompts, key=lambda prompt: prompt.key)),
            tuple(sorted(self._assistants, key=lambda assistant: assistant.name)),
            self._opaque["policies"],
            self._opaque["suites"],
        )

    def _take(self, name: PurePosixPath, path: Path) -> None:
        try:
            self._add(name, parse_yaml(read_capped(path)))
        except InvalidContent as error:
            self.problems.append(f"{name}: {error}")

    def _add(self, name: PurePosixPath, document: dict[str, Any]) -> None:
        match name.parts[0]:
            case "prompts":
                prompt = convert_document(document, CanonicalPrompt)
                _check_place(prompt, name)
                self._prompts.append(prompt)
            case "assistants":
                assistant = convert_document(document, Assistant)
                if name != PurePosixPath(f"assistants/{assistant.name}.yaml"):
                    raise InvalidContent(f"name: the file must be called assistants/{assistant.name}.yaml.")
                self._assistants.append(assistant)
            case "policies" | "suites" as kind:
                _check_opaque(name, document)
                self._opaque[kind][name.stem] = document
            case _ if document != {"format": FORMAT, "version": VERSION}:
                raise InvalidContent(f"it must say `format: {FORMAT}` and `version: {VERSION}`, and nothing else.")

    def _files(self) -> Iterator[tuple[PurePosixPath, Path]]:
        root = self._folder.resolve()
        paths = [path for kind in _FOLDERS for path in sorted((self._folder / kind).rglob("*"))]
        if len(paths) > _MAX_FILES:
            self.problems.append(f"{self._folder.name}: more than {_MAX_FILES} files. Split the bundle.")
            return
        for path in paths:
            name = PurePosixPath(path.relative_to(self._folder).as_posix())
            if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root)):
                self.problems.append(f"{name}: a link to a folder or out of the bundle is not followed. Copy the file.")
            elif path.suffix == ".yml":
                self.problems.append(f"{name}: only files that end in .yaml are read. Rename it.")
            elif path.suffix == ".yaml" and not path.name.startswith("."):
                yield name, path


def convert_document(document: Mapping[str, Any], kind: type[_D]) -> _D:
    """Returns plain data as a document. Raises `InvalidContent`: the place, what is wrong, and the remedy."""
    try:
        return msgspec.convert(dict(document), kind)
    except msgspec.ValidationError as error:
        hit = _PLACE.match(str(error))
        problem, place = (hit["problem"], hit["place"]) if hit else (str(error), None)
        remedy = next((text for sign, text in _REMEDIES.items() if sign in problem), "Correct it.")
        raise InvalidContent(f"{place or 'the document'}: {problem}. {remedy}") from error


def _check_place(prompt: CanonicalPrompt, name: PurePosixPath) -> None:
    if str(name) != prompt_path(prompt.key):
        raise InvalidContent(
            f"key: {prompt.key} belongs in {prompt_path(prompt.key)}. Move the file or correct the key."
        )
    check_area(prompt)


def check_area(prompt: CanonicalPrompt) -> None:
    """Raises `InvalidContent` for a key that does not begin with the prompt's area."""
    if prompt.key.partition(".")[0] != prompt.area:
        raise InvalidContent(f"area: the key starts with its area, so it must be {prompt.key.partition('.')[0]}.")


def _check_opaque(name: PurePosixPath, document: dict[str, Any]) -> None:
    if len(name.parts) != 2:  # noqa: PLR2004 -- folder and file
        raise InvalidContent("the file must lie in the folder itself.")
    check_opaque(name.stem, document)


def check_opaque(name: str, document: Mapping[str, Any]) -> None:
    """Raises `InvalidContent` for a policy or test set that cannot be kept under that name."""
    if not _NAME.fullmatch(name):
        raise InvalidContent("it must be named in lower-case letters, digits, - and _.")
    if document.get("name", name) != name:
        raise InvalidContent(f"name: it is called {name}. Give both the same name.")
    _check_json(dict(document), "")


def _check_json(value: Any, place: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_json(item, f"{place}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_json(item, f"{place}[{number}]")
    elif not isinstance(value, str | int | float | None) or value != value:  # noqa: PLR0124 -- NaN alone differs from itself
        raise InvalidContent(f"{place.lstrip('.')}: a {type(value).__name__} cannot be kept. Put it in quotes.")
