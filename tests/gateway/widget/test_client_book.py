"""What a gateway believes of widget clients, and for how long, when another process changes them."""

import pytest

from gateway.access.sealing import Seals
from gateway.credentials import TRUSTED_S
from gateway.widget.book import ClientBook
from store.errors import StoreUnavailable
from store.people import OPERATOR
from tests.administration import ACCESS_KEY, AdminWorld
from tests.widget_world import INTRANET, Site


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def book(admin: AdminWorld, time: Time) -> ClientBook:
    """Of another process: nobody tells it of changes."""
    return ClientBook(admin.database, Seals(ACCESS_KEY), clock=time, now=admin.clock.now)


def test_a_client_that_is_turned_off_elsewhere_is_served_a_second_longer_and_no_more(
    site: Site, book: ClientBook, time: Time
) -> None:
    assert TRUSTED_S <= 1.0
    assert book.known() is None
    assert INTRANET in book.page().origins
    site.admin.administration.widgets.disable(OPERATOR, site.client)
    time.at = TRUSTED_S - 0.01
    assert book.known() is not None
    time.at = TRUSTED_S
    assert book.known() is None
    assert book.page().clients == {}
    assert book.page().origins == frozenset()


def test_a_rotation_elsewhere_counts_as_quickly(site: Site, book: ClientBook, time: Time) -> None:
    at = site.admin.clock.now()
    before = book.page().clients[site.client].verifier(at)
    made = site.admin.administration.widgets.rotate(OPERATOR, site.client, overlap=site.admin.clock.at - at)
    time.at = TRUSTED_S
    after = book.page().clients[site.client].verifier(at)
    assert before.identity(site.token(), at=at).subject == "ada"
    assert after.identity(site.token(secret=made.secret), at=at).subject == "ada"


@pytest.mark.usefixtures("site")
def test_what_did_not_change_is_not_read_again(book: ClientBook, time: Time) -> None:
    first = book.page()
    time.at = 2 * TRUSTED_S
    assert book.page() is first


def test_a_database_that_is_away_is_not_covered_up(
    book: ClientBook, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.page()

    def away(*_: object) -> None:
        raise StoreUnavailable("it is away")

    monkeypatch.setattr(book._clients, "state", away)
    time.at = TRUSTED_S
    with pytest.raises(StoreUnavailable):
        book.page()
    assert book.known() is None


def test_with_another_access_key_nobody_is_believed(site: Site, time: Time) -> None:
    other = ClientBook(site.admin.database, Seals(b"y" * 32), clock=time, now=site.admin.clock.now)
    assert other.page().clients[site.client].verifier(site.admin.clock.now()) is None
