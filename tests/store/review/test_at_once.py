"""Several gateways and editors at once, and the schema with a queue in it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from queue_parts import NOW, Queue, editor, noted

from store.database import Database, migrate, migrate_down, open_database
from store.errors import Conflict
from store.review.actions import AddPhrasing, Discard
from tests.migrated import migrate_new


def test_no_count_is_lost_when_several_write_at_once(database: Database) -> None:
    queue = Queue(database)

    def take(writer: int) -> None:
        for number in range(10):
            queue.intake.take([noted(f"{writer}-{number}", f"question {number % 3}")])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(take, range(4)))
    assert {one.text: one.count for one in queue.all()} == {"question 0": 16, "question 1": 12, "question 2": 12}
    assert queue.intake.figures([], since=NOW.date())["new"] == 3


def test_of_two_who_act_on_the_same_questions_at_once_one_wins_all_of_them(database: Database) -> None:
    queue = Queue(database)
    queue.take("vpn one", "vpn two")
    targets = [queue.target("vpn one"), queue.target("vpn two")]

    def act(action: object, order: int) -> Callable[[], str]:
        def call() -> str:
            try:
                return queue.acting.act(editor(), action, targets[::order], now=NOW).id
            except Conflict:
                return ""

        return call

    with ThreadPoolExecutor(4) as threads:
        calls = [act(action, order) for action in (AddPhrasing("it.vpn"), Discard()) for order in (1, -1)]
        done = [one for one in threads.map(lambda call: call(), calls) if one]
    assert len(done) == 1
    assert {one.action for one in queue.all()} == set(done)
    assert len(list(queue.audit.entries())) == 1


def test_the_schema_goes_down_and_up_with_a_queue_in_it(url: str) -> None:
    migrate_new(url)
    database = open_database(url)
    queue = Queue(database)
    queue.take("vpn one", "gym two")
    queue.clusters.place_some(NOW)
    queue.acting.act(editor(), AddPhrasing("it.vpn"), [queue.target("vpn one")], now=NOW)
    database.close()
    migrate_down(url, "0004")
    migrate(url)
    database = open_database(url)
    assert Queue(database).all() == []
    assert len(list(Queue(database).audit.entries())) == 1
    database.close()
