"""Turns rows into draft prompts: one prompt for each answer, near duplicates of its question joined as phrasings."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from store.content import SLOT_MARK, CanonicalPrompt
from store.errors import InvalidContent
from store.formats.as_rows import as_instruction
from store.formats.rows import BadRow, Instruction, Row
from store.phrases import fold
from store.readable import CONTROL

MOST_PROMPTS = 20_000
"""As many as a bundle holds files."""
LINE_CHARS, TEXT_CHARS = 200, 4000
"""Of a phrasing or title, and of an answer; as in `store/content.py`."""
NEAR = 0.5
"""Share of words that two questions with one answer have in common to be phrasings of one prompt."""
MOST_PHRASINGS = 1000
_COMPARED = 50
"""Prompts with one answer, and phrasings of each, that a question is compared with: answers such as "Yes" are many."""
_WORD = re.compile(r"\w+")
_AREA = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SLUG = re.compile(r"[^a-z0-9]+")
_KEY_CHARS = 60


class Replying(StrEnum):
    """How a draft answers."""

    VERBATIM = "verbatim"
    """The row's answer as it stands."""
    GENERATE = "generate"
    """The model words it from the row's context, or from its answer where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSettings:
    """What rows do not say, and a prompt needs."""

    area: str
    owner: str
    review_by: dt.date
    language: str = "en"
    """Of rows that do not tell theirs."""
    replying: Replying = Replying.VERBATIM
    most: int = MOST_PROMPTS
    """Prompts that are drafted; rows for more are told."""
    taken: frozenset[str] = frozenset()
    """Keys of prompts that are there: a draft gets another one, and replaces nothing."""

    def __post_init__(self) -> None:
        if not _AREA.fullmatch(self.area):
            raise InvalidContent("area: it takes small letters, digits and hyphens, and begins with a letter.")
        if not re.fullmatch("[a-z]{2}", self.language):
            raise InvalidContent("language: it takes two small letters, such as en.")
        if not 1 <= len(self.owner) <= LINE_CHARS or set("\r\n") & set(self.owner):
            raise InvalidContent(f"owner: it takes one line of at most {LINE_CHARS} characters.")


@dataclass(slots=True)
class _Draft:
    """A prompt in the making."""

    key: str
    title: str
    answer: str
    context: str
    instruction: str
    language: str
    phrasings: list[str] = field(default_factory=list)
    words: list[frozenset[str]] = field(default_factory=list)


class Drafter:
    """Takes rows one by one. Memory holds the drafts, of which there are at most 20,000."""

    def __init__(self, settings: DraftSettings) -> None:
        self._settings = settings
        self._drafts: list[_Draft] = []
        self._by_answer: dict[str, list[int]] = {}
        self._by_question: dict[str, int] = {}
        self._keys = set(settings.taken)
        self.joined = 0
        """Questions that became a further phrasing of a prompt."""
        self.repeated = 0
        """Questions that were there already, with the same answer."""

    def __len__(self) -> int:
        return len(self._drafts)

    def add(self, row: Row) -> None:
        """Takes a row. Raises `BadRow` for one that cannot become a prompt, and says why."""
        said = as_instruction(row)
        question, answer = self._checked(said)
        folded, reply = fold(question), fold(answer)
        known = self._by_question.get(folded)
        if known is not None:
            if fold(self._drafts[known].answer) != reply:
                raise BadRow("the same question has another answer in a row before")
            self.repeated += 1
            return
        words = frozenset(_WORD.findall(folded))
        for number in self._by_answer.get(reply, [])[-_COMPARED:]:
            if any(_nearness(words, other) >= NEAR for other in self._drafts[number].words[:_COMPARED]):
                self._join(number, question, folded, words)
                return
        self._begin(said, question, answer, words)
        self._by_question[folded] = len(self._drafts) - 1
        self._by_answer.setdefault(reply, []).append(len(self._drafts) - 1)

    def prompts(self) -> Iterator[CanonicalPrompt]:
        """Gives the drafts, by key."""
        for draft in sorted(self._drafts, key=lambda draft: draft.key):
            yield msgspec.convert(self._document(draft), CanonicalPrompt)

    def _checked(self, said: Instruction) -> tuple[str, str]:
        """Returns question and answer as a prompt would have them. Raises `BadRow`."""
        if len(said.cases) != 1 or said.cases[0].input.strip():
            raise BadRow("the answer depends on an input that a person would have to give; write a prompt with a slot")
        question, answer = " ".join(said.instruction.split()), said.cases[0].output.strip()
        for name, text, most in (("question", question, LINE_CHARS), ("answer", answer, TEXT_CHARS)):
            if not text:
                raise BadRow(f"the {name} is empty")
            if len(text) > most:
                raise BadRow(f"the {name} has {len(text)} characters, and at most {most} are taken")
        if not _WORD.search(fold(question)):
            raise BadRow("the question has no words")
        for name, text in (("question", question), ("answer", answer), ("context", said.context)):
            if SLOT_MARK.search(text):
                raise BadRow(f"the {name} has a word in braces, which would be a blank")
            if CONTROL.search(text):
                raise BadRow(f"the {name} has control characters")
        if self._settings.replying is Replying.GENERATE and len(said.context) > TEXT_CHARS:
            raise BadRow(f"the context has {len(said.context)} characters, and facts take at most {TEXT_CHARS}")
        return question, answer

    def _begin(self, said: Instruction, question: str, answer: str, words: frozenset[str]) -> None:
        if len(self._drafts) >= self._settings.most:
            raise BadRow(f"there are {self._settings.most} drafts already; import the rest by itself")
        title = " ".join(said.title.split()) or question
        if CONTROL.search(title):
            raise BadRow("the title has control characters")
        language = said.language if re.fullmatch("[a-z]{2}", said.language) else self._settings.language
        draft = _Draft(self._key(title), title[:LINE_CHARS], answer, said.context.strip(), question, language)
        draft.phrasings.append(question)
        draft.words.append(words)
        self._drafts.append(draft)

    def _join(self, number: int, question: str, folded: str, words: frozenset[str]) -> None:
        if len(self._drafts[number].phrasings) >= MOST_PHRASINGS:
            raise BadRow(f"its prompt has {MOST_PHRASINGS} phrasings already")
        self._drafts[number].phrasings.append(question)
        self._drafts[number].words.append(words)
        self._by_question[folded] = number
        self.joined += 1

    def _key(self, title: str) -> str:
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        slug = _SLUG.sub("-", plain).strip("-")[: _KEY_CHARS - len(self._settings.area)].strip("-")
        slug = slug.lstrip("0123456789-") or "row"
        number, key = 1, f"{self._settings.area}.{slug}"
        while key in self._keys:
            number += 1
            key = f"{self._settings.area}.{slug}-{number}"
        self._keys.add(key)
        return key

    def _document(self, draft: _Draft) -> dict[str, Any]:
        reply: dict[str, Any] = {"mode": "verbatim", "answer": draft.answer}
        if self._settings.replying is Replying.GENERATE:
            reply = {
                "mode": "generate",
                "prompt": f"{draft.instruction}\n\nAnswer from this text alone:\n\n{{facts}}",
                "facts": draft.context or draft.answer,
                "fallback": draft.answer,
            }
        return {
            "key": draft.key,
            "title": draft.title,
            "area": self._settings.area,
            "owner": self._settings.owner,
            "language": draft.language,
            "review_by": self._settings.review_by,
            "phrasings": draft.phrasings,
            "reply": reply,
        }


def _nearness(words: frozenset[str], others: frozenset[str]) -> float:
    return len(words & others) / (len(words | others) or 1)
