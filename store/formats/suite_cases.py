"""Turns rows into a test set: each first question with what it should lead to."""

from store.formats.as_rows import first_question
from store.formats.rows import BadRow, Row
from store.formats.suite import Expectation, Suite, SuiteCase
from store.phrases import fold

MOST_CASES = 100_000
MESSAGE_CHARS = 4000
"""Longer ones are refused before they are matched."""


class CaseMaker:
    """Takes rows one by one. Memory holds the cases."""

    def __init__(self, name: str, *, prompt: str | None = None) -> None:
        """With `prompt`, every message should lead to that prompt's answer; without, to none."""
        self._name = name
        self._prompt = prompt
        self._cases: list[SuiteCase] = []
        self._seen: set[str] = set()
        self.repeated = 0

    def __len__(self) -> int:
        return len(self._cases)

    def add(self, row: Row) -> None:
        """Takes a row. Raises `BadRow` for one without a question that can be sent."""
        question, _ = first_question(row)
        if not question.strip():
            raise BadRow("the question is empty")
        if len(question) > MESSAGE_CHARS:
            raise BadRow(f"the question has {len(question)} characters, and a message takes {MESSAGE_CHARS}")
        if "\x00" in question:
            raise BadRow("the question has control characters")
        if (folded := fold(question)) in self._seen:
            self.repeated += 1
            return
        if len(self._cases) >= MOST_CASES:
            raise BadRow(f"there are {MOST_CASES} cases already")
        self._seen.add(folded)
        self._cases.append(
            SuiteCase(
                id=f"r{len(self._cases) + 1:06}",
                kind="imported",
                message=question,
                expect=Expectation.ANSWER if self._prompt else Expectation.REFUSE,
                prompt=self._prompt,
            )
        )

    def suite(self) -> Suite:
        """Returns the test set. Raises `BadRow` when there is nothing in it."""
        if not self._cases:
            raise BadRow("no row has a question")
        return Suite(name=self._name, title=f"Imported: {self._name}", cases=tuple(self._cases))
