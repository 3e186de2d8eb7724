"""What lists of the admin pages show beside prompts, decisions and changes, for `benchmarks.pages`."""

import datetime as dt
import hashlib
import random

from sqlalchemy import insert

from gateway.access.keys import KeyWish
from gateway.changing.prompt_lists import SORTS as PROMPTS
from gateway.http.pages.suites import SORTS as SUITES
from store.audit import SORTS as AUDIT
from store.changes.ordering import SORTS as CHANGES
from store.database import Database
from store.people import OPERATOR, Role
from store.repositories.decisions import SORTS as DECISIONS
from store.repositories.feedback import SORTS as FEEDBACK
from store.repositories.keys import SORTS as KEYS
from store.repositories.users import SORTS as USERS
from store.review.reading import SORTS as CLUSTERS
from store.tables import FeedbackRow, QuestionClusterRow, QuestionRow
from tests.administration import AdminWorld

SORTED = {
    "/admin/requests": DECISIONS,
    "/admin/prompts": PROMPTS,
    "/admin/changes": CHANGES,
    "/admin/unmatched": CLUSTERS,
    "/admin/feedback": FEEDBACK,
    "/admin/keys": KEYS,
    "/admin/people": USERS,
    "/admin/suites": SUITES,
    "/admin/audit": AUDIT,
}
"""Lists with the columns that they are sorted by."""
_KEYS, _PEOPLE = 200, 200
_QUESTIONS_OF = 4
_START = dt.timedelta(days=30)


def sorted_lists() -> list[str]:
    """Returns the addresses of all lists in all their orders."""
    return [f"{path}?sort={way}{column}" for path, sorts in SORTED.items() for column in sorts for way in ("", "-")]


def fill_lists(admin: AdminWorld, decisions: int) -> None:
    """Makes keys, people, feedback on every tenth decision, and questions of every fiftieth."""
    for number in range(_KEYS):
        admin.access.keys.create(OPERATOR, KeyWish(name=f"Site {number}"))
    for number in range(_PEOPLE):
        admin.user(f"person{number}", Role.VIEWER)
    chance = random.Random(2)  # noqa: S311 - figures, no secret
    _judge(admin.database, admin.clock.at, decisions // 10, chance)
    _ask(admin.database, admin.clock.at, decisions // 50, chance)


def _judge(database: Database, until: dt.datetime, count: int, chance: random.Random) -> None:
    rows = [
        {
            "decision": f"{number:08}",
            "given_at": (at := until - chance.random() * _START),
            "changed_at": at,
            "principal": "caller",
            "assistant": "helpdesk",
            "prompt_key": f"it.p{chance.randrange(1000):05}",
            "prompt_version": 1,
            "verdict": chance.choice(("up", "up", "down")),
            "reasons": [],
        }
        for number in range(count)
    ]
    with database.writing() as session:
        session.execute(insert(FeedbackRow), rows)


def _ask(database: Database, until: dt.datetime, count: int, chance: random.Random) -> None:
    clusters = [
        {"id": f"c{number:07}", "assistant": "helpdesk", "made_at": until, "label": f"q{number * _QUESTIONS_OF:07}"}
        | {"centre": None, "fingerprint": None, "merged_into": None, "rev": 1}
        for number in range(count // _QUESTIONS_OF)
    ]
    questions = [
        {
            "id": f"q{number:07}",
            "assistant": "helpdesk",
            "text": f"Who waters plant {number}?",
            "canonical": f"who waters plant {number}",
            "canonical_sha256": hashlib.sha256(str(number).encode()).digest(),
            "state": "open",
            "count": 1 + chance.randrange(9),
            "reasons": {"no_match": 1},
            "first_seen": (at := until - chance.random() * _START),
            "last_seen": at,
            "last_decision": f"{number:08}",
            "cluster": f"c{number // _QUESTIONS_OF:07}",
            "rev": 1,
        }
        for number in range(len(clusters) * _QUESTIONS_OF)
    ]
    with database.writing() as session:
        session.execute(insert(QuestionClusterRow), clusters)
        session.execute(insert(QuestionRow), questions)
