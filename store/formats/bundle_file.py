"""A bundle as one file, YAML or JSON, with the same documents as the folder form."""

import json
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from store.content import Assistant, CanonicalPrompt
from store.errors import InvalidContent
from store.formats.bundle import (
    FORMAT,
    VERSION,
    Bundle,
    check_area,
    check_opaque,
    convert_document,
    document_files,
)
from store.formats.documents import parse_yaml, read_capped, write_yaml
from store.formats.rows import BadRow
from store.formats.strict_json import decode

MAX_BYTES = 32 * 1024 * 1024
_MAX_DEPTH = 18
_D = TypeVar("_D", CanonicalPrompt, Assistant)
_HEAD: dict[str, Any] = {"format": FORMAT, "version": VERSION}
_LISTS, _NAMED = ("prompts", "assistants"), ("policies", "suites")


class Writing(StrEnum):
    """How the file is written."""

    YAML = "yaml"
    JSON = "json"


def read_bundle_file(path: Path) -> Bundle:
    """Reads a file. Raises `InvalidContent` with every problem, a line each: place, what is wrong, remedy."""
    data = read_capped(path, MAX_BYTES)
    return parse_bundle(data, Writing.JSON if path.suffix == ".json" else Writing.YAML)


def parse_bundle(data: bytes, writing: Writing) -> Bundle:
    """Reads the text of a bundle. Raises `InvalidContent` as `read_bundle_file` does."""
    document = _parsed(data) if writing is Writing.JSON else parse_yaml(data, MAX_BYTES, depth=_MAX_DEPTH)
    problems = [f"{name}: there is no such part. Remove it." for name in document.keys() - {*_HEAD, *_LISTS, *_NAMED}]
    if {name: document.get(name) for name in _HEAD} != _HEAD:
        problems.append(f"the file must say `format: {FORMAT}` and `version: {VERSION}`.")
    problems += [f"{name}: it must be a list." for name in _LISTS if not isinstance(document.get(name, []), list)]
    problems += [f"{name}: it must name documents." for name in _NAMED if not isinstance(document.get(name, {}), dict)]
    if problems:
        raise InvalidContent("\n".join(sorted(problems)))
    bundle = Bundle(
        tuple(sorted(_all(document, "prompts", CanonicalPrompt, problems), key=lambda prompt: prompt.key)),
        tuple(sorted(_all(document, "assistants", Assistant, problems), key=lambda assistant: assistant.name)),
        _opaque(document, "policies", problems),
        _opaque(document, "suites", problems),
    )
    problems += _twice("prompts", [prompt.key for prompt in bundle.prompts])
    problems += _twice("assistants", [assistant.name for assistant in bundle.assistants])
    if problems:
        raise InvalidContent("\n".join(sorted(problems)))
    return bundle


def bundle_text(bundle: Bundle, writing: Writing) -> str:
    """Returns the bundle as the text of one file, the same for the same content."""
    whole: dict[str, Any] = dict(_HEAD)
    files = document_files(bundle)
    for name in _LISTS:
        whole[name] = [document for path, document in files.items() if path.startswith(f"{name}/")]
    whole |= {"policies": dict(bundle.policies), "suites": dict(bundle.suites)}
    whole = {name: value for name, value in whole.items() if value}
    if writing is Writing.YAML:
        return write_yaml(whole)
    return json.dumps(msgspec.to_builtins(whole), ensure_ascii=False, indent=2) + "\n"


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise InvalidContent(f"the file is larger than {MAX_BYTES} bytes. Write a folder instead.")
    try:
        document = decode(data.removeprefix(b"\xef\xbb\xbf"), _MAX_DEPTH)
    except BadRow as error:
        raise InvalidContent(f"not valid JSON: {error}. Correct it.") from error
    if not isinstance(document, dict):
        raise InvalidContent("the file must hold one mapping of names to values.")
    return document


def _all(document: Mapping[str, Any], name: str, kind: type[_D], problems: list[str]) -> list[_D]:
    found: list[_D] = []
    for number, one in enumerate(document.get(name, ())):
        try:
            value = convert_document(_mapping(one), kind)
            if isinstance(value, CanonicalPrompt):
                check_area(value)
            found.append(value)
        except InvalidContent as error:
            problems.append(f"{name}[{number}]: {error}")
    return found


def _opaque(document: Mapping[str, Any], kind: str, problems: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, one in sorted(document.get(kind, {}).items()):
        try:
            found[name] = _mapping(one)
            check_opaque(name, found[name])
        except InvalidContent as error:
            problems.append(f"{kind}.{name[:40]}: {error}")
    return found


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidContent("it must be a mapping of names to values.")
    return value


def _twice(kind: str, names: list[str]) -> list[str]:
    several = sorted(name for name, count in Counter(names).items() if count > 1)
    return [f"{kind}: {name} occurs twice. Keep one of them." for name in several]
