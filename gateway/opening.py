"""What is opened without what answers questions: the database, and the services of commands on it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.access.keys import KeyWish
from gateway.access.services import Access
from gateway.admin_services import access_from, auditing_of, key_ring_of, seals_of
from gateway.credentials import NewKey
from gateway.errors import SettingsInvalid
from gateway.key_files import require_keys
from gateway.settings import Settings
from gateway.widget.clients import WidgetClientService
from store.catalog import live_revision, load_catalog
from store.database import Database, migrate, open_database
from store.people import OPERATOR
from store.repositories.keys import Keys
from store.types import KeyScope


@dataclass(frozen=True, slots=True)
class Store:
    """The open database and the repositories that commands need."""

    database: Database
    keys: Keys

    @property
    def is_published(self) -> bool:
        """Whether anything was ever published."""
        return live_revision(self.database) > 0


@contextmanager
def open_store(settings: Settings, *, adopted: Collection[str] | None = ()) -> Iterator[Store]:
    """Opens the database, with its schema brought up to date, and sees that the keys in the data folder are its own.

    Keys that are `adopted` become its own; with None nobody looks. Raises `StoreUnavailable` and `KeysWrong`.
    """
    make_data_directory(settings)
    migrate(settings.database_url)
    database = open_database(settings.database_url)
    try:
        if adopted is not None:
            require_keys(settings.data_directory, database, adopted=adopted)
        yield Store(database, Keys(database))
    finally:
        database.close()


def make_data_directory(settings: Settings) -> None:
    """Makes the data folder, for its owner alone."""
    try:
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"data.directory: cannot make {settings.data_directory}: {error.strerror}") from error


def first_key(settings: Settings, store: Store) -> NewKey | None:
    """Makes the first API key when there is none at all; its token is shown once by the caller."""
    if store.keys.all():
        return None
    wish = KeyWish(name="first key", scopes=(KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS))
    return _access(settings, store).keys.create(OPERATOR, wish)


@contextmanager
def open_access(settings: Settings) -> Iterator[Access]:
    """Opens the services behind sign-in, people and keys, for commands. Raises `StoreUnavailable`."""
    with open_store(settings) as store:
        yield _access(settings, store)


@contextmanager
def open_widgets(settings: Settings) -> Iterator[WidgetClientService]:
    """Opens the service behind widget clients, for commands. Raises `StoreUnavailable`."""
    with open_store(settings) as store:
        yield WidgetClientService(
            store.database,
            auditing_of(settings, store.database).trail,
            seals_of(settings),
            live=lambda: load_catalog(store.database).assistants,
        )


def _access(settings: Settings, store: Store) -> Access:
    trail = auditing_of(settings, store.database).trail
    return access_from(settings, store.database, trail, key_ring_of(settings, store.keys))
