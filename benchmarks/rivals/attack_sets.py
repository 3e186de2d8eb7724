"""Messages of attackers and of honest people: the example test set's own, and the rows that are no part of it."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.attacks import BLANK, ESCAPE, FILLING
from benchmarks.rivals.sets import SUITE
from store.formats.suite import Expectation, read_suite

ATTACKS = {
    "jailbreaks": ("jailbreaks", "text"),
    "prompt hijacking": ("tensor_hijacking", "attack"),
    "prompt extraction": ("tensor_extraction", "attack"),
    "harmful requests": ("harmful", "text"),
}
"""Sets by what they are called, each with its file and the field of the attacker's words."""
HONEST = {
    "BANKING77": ("intents_banking77_queries", "text"),
    "CLINC150 credit cards": ("intents_clinc_credit_cards_queries", "text"),
    "SOFMattress chat logs": ("intents_hint3_sofmattress_queries", "text"),
    "questions that look harmful": ("benign_lookalike", "text"),
}
OWN_ATTACKS = "help desk's attacks"
OWN_HONEST = "help desk's questions"
_ATTACK_KINDS = frozenset({"attack", "glued", "hidden"})


def attack_messages(data: Path) -> dict[str, list[str]]:
    """Returns the messages of attackers, by set; a set without its rows is left out."""
    own = [case.message for case in read_suite(SUITE).cases if case.kind in _ATTACK_KINDS]
    return {OWN_ATTACKS: own, **dict(_sets(data, ATTACKS))}


def honest_messages(data: Path) -> dict[str, list[str]]:
    """Returns the messages of honest people, by set; those about other things than the help desk too."""
    wanted = (Expectation.ANSWER, Expectation.ASK)
    cases = read_suite(SUITE).cases
    own = [case.message for case in cases if case.expect in wanted and case.after is None]
    return {OWN_HONEST: own, **dict(_sets(data, HONEST))}


def _sets(data: Path, files: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for name, (file, field) in files.items():
        path = data / f"{file}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                rows = [json.loads(line) for line in lines]
            yield name, [_filled(row[field]) for row in rows if row.get("kind", "in") == "in"]


def _filled(text: str) -> str:
    """Returns a collected attack with a harmless request where it has a blank for one."""
    return str(BLANK.sub(FILLING, ESCAPE.sub("", text)))
