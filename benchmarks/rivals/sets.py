"""What every matcher is given and asked: the example help desk, and BANKING77 where its rows lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.rivals.venvs import ROOT
from gateway.fitting.labelled import OUT_OF_SCOPE, Kind, LabelledQuery, read_labelled
from gateway.fitting.trial import trial_catalog
from store.catalog import Catalog
from store.content import PromptVersion
from store.formats.bundle import read_bundle
from store.formats.suite import Expectation, SuiteCase, read_suite
from store.phrases import RowKind, fill_sample, rows_of
from store.plain import canonical_hash

HELPDESK = ROOT / "examples" / "helpdesk"
SUITE = HELPDESK / "suites" / "helpdesk.yaml"
BANKING77 = "intents_banking77"
_ELSEWHERE = frozenset({"stranger", "language"})
_ATTACKS = frozenset({"attack", "glued", "hidden"})


@dataclass(frozen=True, slots=True)
class MatchingSet:
    """Sentences by the prompt that they belong to, and messages by the prompt that answers them."""

    name: str
    catalog: Catalog
    """The prompts as the gateway has them: with counterexamples and blanks where they were written."""
    sentences: tuple[tuple[str, str], ...]
    """(text, key): the phrasings, with an example in each blank; what every rival gets."""
    queries: tuple[LabelledQuery, ...]

    @property
    def truths(self) -> list[str | None]:
        """The key that answers each message, None where no prompt does."""
        return [query.intent if query.kind is Kind.IN_SCOPE else None for query in self.queries]

    @property
    def messages(self) -> list[str]:
        """What people say."""
        return [query.text for query in self.queries]


@dataclass(frozen=True, slots=True)
class Parts:
    """How many messages the help desk's test set has, and how many of them no matcher is asked."""

    messages: int
    in_scope: int
    """With a prompt, those that only the turn before explains among them."""
    attacks: int
    follow_ups: int


def parts() -> Parts:
    """Returns the parts of the help desk's test set, whole."""
    cases = read_suite(SUITE).cases
    return Parts(
        len(cases),
        sum(_is_in_scope(case) for case in cases),
        sum(case.kind in _ATTACKS for case in cases),
        sum(case.after is not None for case in cases),
    )


def helpdesk() -> MatchingSet:
    """Returns the example store and its test set, without attacks and without what only the turn before explains."""
    prompts = read_bundle(HELPDESK).prompts
    versions = {one.key: PromptVersion(1, one, canonical_hash(one)) for one in prompts}
    catalog = Catalog(1, MappingProxyType(versions), MappingProxyType({}), MappingProxyType({}))
    queries = tuple(query for case in read_suite(SUITE).cases for query in _queries(case))
    return MatchingSet("help desk", catalog, _sentences(catalog), queries)


def banking77(data: Path) -> MatchingSet | None:
    """Returns BANKING77 with strangers of CLINC150, or None where its rows are not to be had."""
    paths = [data / f"{BANKING77}_{part}.jsonl.gz" for part in ("store", "queries")]
    if not all(path.is_file() for path in paths):
        return None
    labelled = read_labelled(*paths)
    catalog = trial_catalog(labelled.store)
    return MatchingSet("BANKING77", catalog, _sentences(catalog), labelled.queries)


def _sentences(catalog: Catalog) -> tuple[tuple[str, str], ...]:
    rows = (row for row in rows_of(catalog.prompts.values()) if row.kind is RowKind.PHRASING)
    return tuple(dict.fromkeys((fill_sample(row), row.prompt.key) for row in rows))


def _queries(case: SuiteCase) -> Iterator[LabelledQuery]:
    if case.after is not None or case.kind in _ATTACKS:
        return
    if _is_in_scope(case) and case.prompt is not None:
        yield LabelledQuery(case.message, case.prompt, Kind.IN_SCOPE)
    elif case.expect is Expectation.REFUSE:
        kind = Kind.STRANGER if case.kind in _ELSEWHERE else Kind.NEAR_MISS
        yield LabelledQuery(case.message, OUT_OF_SCOPE, kind)


def _is_in_scope(case: SuiteCase) -> bool:
    return case.expect in (Expectation.ANSWER, Expectation.ASK) and case.prompt is not None
