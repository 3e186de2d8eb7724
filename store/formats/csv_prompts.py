"""CSV of prompts, one a line with all that it says, and of their sentences, one a line; for spreadsheets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from store.content import CanonicalPrompt
from store.errors import InvalidContent
from store.formats.bundle import check_area, convert_document
from store.formats.csv_cells import CsvRecords, csv_line
from store.formats.records import Cut
from store.formats.rows import BadRow, Record
from store.formats.sources import BOUNDS, opened
from store.formats.strict_json import decode, encode
from store.plain import to_plain

_TEXTS = ("key", "title", "area", "owner", "language", "audience", "review_by")
_LISTS = ("phrasings", "counterexamples", "follows", "follow_ups")
_JSON = ("slots", "reply")
PROMPT_COLUMNS = (*_TEXTS, *_LISTS, *_JSON)
SENTENCE_COLUMNS = ("key", "kind", "text")
_KINDS: Mapping[str, str] = {
    "phrasing": "phrasings",
    "counterexample": "counterexamples",
    "follow_up": "follow_ups",
}
_DEPTH = 8
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a prompt."""

    key: str
    kind: str
    """`phrasing`, `counterexample` or `follow_up`."""
    text: str


def prompts_csv(prompts: Iterable[CanonicalPrompt]) -> Iterator[bytes]:
    """Writes prompts whole; lists have a line in the cell for each sentence, slots and reply are JSON.

    A line break at the end of one line, which was taken once, is left out.
    """
    yield csv_line(PROMPT_COLUMNS)
    for prompt in prompts:
        values = msgspec.to_builtins(to_plain(prompt))
        cells = [str(values.get(name, prompt.audience if name == "audience" else "")).rstrip("\n") for name in _TEXTS]
        cells += ["\n".join(text.rstrip("\n") for text in values.get(name, ())) for name in _LISTS]
        cells += [encode(values[name]).decode() if name in values else "" for name in _JSON]
        yield csv_line(cells)


def sentences_csv(prompts: Iterable[CanonicalPrompt]) -> Iterator[bytes]:
    """Writes the sentences of prompts."""
    yield csv_line(SENTENCE_COLUMNS)
    for prompt in prompts:
        for kind, field in _KINDS.items():
            for text in getattr(prompt, field):
                yield csv_line((prompt.key, kind, text))


def read_prompts(path: Path) -> tuple[CanonicalPrompt, ...]:
    """Reads what `prompts_csv` wrote. Raises `InvalidContent` with every problem, a line each."""
    lines: dict[str, int] = {}

    def make(line: int, cells: Mapping[str, str]) -> CanonicalPrompt:
        prompt = _prompt(cells)
        if (first := lines.setdefault(prompt.key, line)) != line:
            raise InvalidContent(f"{prompt.key} is in line {first} already. Keep one of them.")
        return prompt

    return tuple(sorted(_read(path, PROMPT_COLUMNS, make), key=lambda prompt: prompt.key))


def read_sentences(path: Path) -> tuple[Sentence, ...]:
    """Reads what `sentences_csv` wrote. Raises `InvalidContent` with every problem, a line each."""
    return tuple(_read(path, SENTENCE_COLUMNS, lambda _line, cells: _sentence(cells)))


def with_sentences(prompts: Iterable[CanonicalPrompt], sentences: Iterable[Sentence]) -> tuple[CanonicalPrompt, ...]:
    """Returns the prompts that gain sentences, those that they had first. Raises `InvalidContent` for unknown keys."""
    known = {prompt.key: prompt for prompt in prompts}
    gained: dict[str, dict[str, list[str]]] = {}
    for sentence in sentences:
        if sentence.key not in known:
            raise InvalidContent(f"{sentence.key[:80]}: there is no such prompt. Correct the key, or import it first.")
        field = _KINDS[sentence.kind]
        if sentence.text not in getattr(known[sentence.key], field):
            texts = gained.setdefault(sentence.key, {}).setdefault(field, [])
            if sentence.text not in texts:
                texts.append(sentence.text)
    return tuple(_gained(known[key], fields) for key, fields in sorted(gained.items()))


def _gained(prompt: CanonicalPrompt, fields: Mapping[str, list[str]]) -> CanonicalPrompt:
    plain = to_plain(prompt)
    plain |= {field: [*plain.get(field, ()), *texts] for field, texts in fields.items()}
    return convert_document(plain, CanonicalPrompt)


def _prompt(cells: Mapping[str, str]) -> CanonicalPrompt:
    document: dict[str, Any] = {name: cells[name] for name in _TEXTS if cells[name]}
    document |= {name: cells[name].split("\n") for name in _LISTS if cells[name]}
    try:
        document |= {name: decode(cells[name].encode(), _DEPTH) for name in _JSON if cells[name]}
    except BadRow as error:
        raise InvalidContent(f"slots or reply: {error}. Write JSON.") from error
    prompt = convert_document(document, CanonicalPrompt)
    check_area(prompt)
    return prompt


def _sentence(cells: Mapping[str, str]) -> Sentence:
    if cells["kind"] not in _KINDS:
        raise InvalidContent(f"kind: it takes {', '.join(_KINDS)}.")
    return Sentence(cells["key"], cells["kind"], cells["text"])


def _read(path: Path, columns: tuple[str, ...], make: Callable[[int, Mapping[str, str]], _T]) -> list[_T]:
    found: list[_T] = []
    problems: list[str] = []
    with opened(path) as source:
        records = CsvRecords(source.chunks(), BOUNDS.row_bytes)
        for place, record in _told(path, records):
            if record is None:
                problems += [f"line {place.place}: {place.problem}."] if place.is_first else []
                continue
            if missing := set(columns) ^ set(records.header):
                raise InvalidContent(f"{path.name}: the header lacks or adds {min(missing)[:40]}. See docs/formats.md.")
            try:
                found.append(make(place.place, {name: str(value) for name, value in record.items()}))
            except InvalidContent as error:
                problems.append(f"line {place.place}: {error}")
    if problems:
        raise InvalidContent("\n".join(problems))
    return found


def _told(path: Path, records: CsvRecords) -> Iterator[tuple[Cut, Record | None]]:
    try:
        yield from records
    except BadRow as error:
        raise InvalidContent(f"{path.name}: {error}. See docs/formats.md.") from error
