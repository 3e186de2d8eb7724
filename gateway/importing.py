"""Reads files of rows and makes drafts of them: prompts, a test set, or questions; nothing of it is live at once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from gateway.prompt_sampling import unusable_sampling
from store.errors import InvalidContent
from store.formats.as_rows import first_question
from store.formats.bundle import Bundle
from store.formats.bundle_file import MAX_BYTES, Writing, parse_bundle
from store.formats.csv_prompts import read_prompts
from store.formats.documents import read_capped
from store.formats.drafting import Drafter, DraftSettings
from store.formats.reading import Problem, Progress, Rejects, RowReader, Tally
from store.formats.registry import format_named
from store.formats.row_format import Placed
from store.formats.rows import BadRow, Row
from store.formats.sources import BOUNDS, Bounds
from store.formats.suite import Suite
from store.formats.suite_cases import CaseMaker
from store.plain import to_plain

WHOLE_FORMATS = ("csv-prompts", "bundle-json", "bundle-yaml")
"""In which prompts come back whole; they are called as in an export."""
LONGEST_NAME = 120
"""Of a file."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_KEY = re.compile(r"(?=.{1,80}\Z)[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")


class Makes(StrEnum):
    """What an import makes of rows."""

    PROMPTS = "prompts"
    """Drafts of prompts."""
    SUITE = "suite"
    """A test set."""
    WHOLE = "whole"
    """Drafts of whole prompts, as an export wrote them: new ones, and others in place of those that are live."""
    QUESTIONS = "questions"
    """What people asked, for the review queue or to look at."""
    NOTHING = "nothing"
    """Reads and checks, as a dry run does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What should be made of a file."""

    format: str
    makes: Makes
    drafts: DraftSettings | None = None
    """Needed for prompts."""
    suite: str = "imported"
    prompt: str | None = None
    """That every case of the test set should lead to; None for cases that no prompt answers."""
    change: str | None = None
    """The draft that takes the documents; None for one that is made for this file."""
    file: str | None = None
    """The file's name, for people to know it by."""
    is_trial: bool = False
    """Whether the drafts wait until somebody puts them into a change."""

    def __post_init__(self) -> None:
        if self.makes is not Makes.WHOLE:
            format_named(self.format)
        elif self.format not in WHOLE_FORMATS:
            raise InvalidContent(f"whole prompts are read from these formats: {', '.join(WHOLE_FORMATS)}.")
        if not _NAME.fullmatch(self.suite):
            raise InvalidContent("the test set's name takes small letters, digits, - and _, and begins with a letter.")
        if self.prompt is not None and not _KEY.fullmatch(self.prompt):
            raise InvalidContent("prompt: it takes the key of a prompt, such as it.vpn.")
        if self.file is not None and not (0 < len(self.file) <= LONGEST_NAME and self.file.isprintable()):
            raise InvalidContent(f"file: a name of 1 to {LONGEST_NAME} printable characters.")
        if self.makes is Makes.PROMPTS and self.drafts is None:
            raise InvalidContent("prompts need an area and an owner: say which.")


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was in a file and what became of it: rows = made + joined + repeated + refused rows that were read."""

    format: str
    makes: Makes
    rows: int
    """That could be read."""
    rejected: int
    """Rows that could not be read, or not be used."""
    made: int
    """Prompts, cases or questions."""
    joined: int
    """Rows that became a further phrasing of a prompt."""
    repeated: int
    """Rows that say again what one before said."""
    duplicates: int
    """Rows that are there twice, byte for byte."""
    problems: tuple[Problem, ...]
    """The first thousand of the rejected, with line and reason."""
    duplicate_places: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """The report, and the drafts."""

    report: ImportReport
    bundle: Bundle


Ask = Callable[[str, str], None]
"""Is told each question and its language."""


def import_rows(
    path: Path,
    order: ImportOrder,
    *,
    ask: Ask = lambda _question, _language: None,
    rejects: Rejects | None = None,
    progress: Progress = lambda _rows, _done, _size: None,
    bounds: Bounds = BOUNDS,
) -> Imported:
    """Reads a file to its end. Raises `InvalidContent` for one that cannot be; a bad row is told in the report."""
    if order.makes is Makes.WHOLE:
        return _whole(path, order)
    reader = RowReader(path, format_named(order.format), bounds=bounds, rejects=rejects, progress=progress)
    maker = _maker(order, ask)
    for placed in reader:
        _give(maker, placed, reader)
    return Imported(_report(order, reader.tally, maker), maker.bundle())


def _whole(path: Path, order: ImportOrder) -> Imported:
    """Reads whole prompts, all of them or none; other parts of a bundle are left out, and a note says so."""
    notes: tuple[str, ...] = ()
    if order.format == "csv-prompts":
        bundle = Bundle(prompts=read_prompts(path))
    else:
        writing = Writing.JSON if order.format == "bundle-json" else Writing.YAML
        read = parse_bundle(read_capped(path, MAX_BYTES), writing)
        bundle = Bundle(prompts=read.prompts)
        if read != bundle:
            notes = ("assistants, policies and test sets of the bundle were left out",)
    if problems := sorted(unusable_sampling(bundle.prompts)):
        raise InvalidContent("\n".join(problems))
    count = len(bundle.prompts)
    report = ImportReport(
        format=order.format,
        makes=order.makes,
        rows=count,
        rejected=0,
        made=count,
        joined=0,
        repeated=0,
        duplicates=0,
        problems=(),
        duplicate_places=(),
        notes=notes,
    )
    return Imported(report, bundle)


class _Nothing:
    """Takes every row."""

    joined = repeated = made = 0

    def take(self, row: Row) -> None:
        """Takes a row. Raises `BadRow`."""

    def bundle(self) -> Bundle:
        """Returns what was made."""
        return Bundle()


class _Prompts(_Nothing):
    """Makes prompts."""

    def __init__(self, settings: DraftSettings) -> None:
        self._drafter = Drafter(settings)

    def take(self, row: Row) -> None:
        self._drafter.add(row)
        self.made, self.joined, self.repeated = len(self._drafter), self._drafter.joined, self._drafter.repeated

    def bundle(self) -> Bundle:
        return Bundle(prompts=tuple(self._drafter.prompts()))


class _Suite(_Nothing):
    """Makes a test set."""

    def __init__(self, name: str, prompt: str | None) -> None:
        self._name = name
        self._cases = CaseMaker(name, prompt=prompt)

    def take(self, row: Row) -> None:
        self._cases.add(row)
        self.made, self.repeated = len(self._cases), self._cases.repeated

    def bundle(self) -> Bundle:
        return Bundle(suites={self._name: _plain(self._cases.suite())} if self.made else {})


class _Questions(_Nothing):
    """Tells what was asked."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def take(self, row: Row) -> None:
        question, language = first_question(row)
        if not question.strip():
            raise BadRow("the question is empty")
        self._ask(question, language)
        self.made += 1


def _maker(order: ImportOrder, ask: Ask) -> _Nothing:
    match order.makes:
        case Makes.PROMPTS if order.drafts is not None:
            return _Prompts(order.drafts)
        case Makes.SUITE:
            return _Suite(order.suite, order.prompt)
        case Makes.QUESTIONS:
            return _Questions(ask)
        case _:
            return _Nothing()


def _give(maker: _Nothing, placed: Placed, reader: RowReader) -> None:
    try:
        maker.take(placed.row)
    except BadRow as error:
        reader.refuse(placed, str(error))


def _plain(suite: Suite) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(to_plain(suite))
    return plain


def _report(order: ImportOrder, tally: Tally, maker: _Nothing) -> ImportReport:
    return ImportReport(
        format=order.format,
        makes=order.makes,
        rows=tally.rows,
        rejected=tally.rejected,
        made=maker.made,
        joined=maker.joined,
        repeated=maker.repeated,
        duplicates=tally.duplicates,
        problems=tuple(tally.problems),
        duplicate_places=tuple(tally.repeated),
        notes=tuple(tally.notes),
    )
