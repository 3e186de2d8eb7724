"""A database is worked on with the keys that it was made with, and with no others."""

import shutil
import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from gateway.backups.making import make_backup
from gateway.backups.restoring import Restore
from gateway.bootstrap import auditing_of
from gateway.errors import SettingsInvalid
from gateway.key_files import KEY_FILES, KeysWrong, find_keys
from gateway.opening import first_key, open_store
from gateway.settings import DataSettings, Settings
from store.people import SYSTEM
from store.repositories.key_fingerprints import KeyFingerprints
from store.tables import KeyFingerprintRow


def settings_in(folder: Path, url: str = "") -> Settings:
    return Settings(data=DataSettings(directory=str(folder), database_url=url))


def use(settings: Settings) -> None:
    """Makes what depends on the keys: an API key, and rows of the trail."""
    with open_store(settings) as store:
        first_key(settings, store)


def contents(settings: Settings) -> dict[str, bytes]:
    return {name: (settings.data_directory / name).read_bytes() for name in KEY_FILES}


def replace(path: Path, content: bytes = bytes(32)) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def forget(settings: Settings) -> None:
    """Leaves the database as a version from before the fingerprints left it."""
    with open_store(settings, adopted=None) as store, store.database.writing() as session:
        session.execute(delete(KeyFingerprintRow))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path / "data")
    use(made)
    return made


def test_a_new_database_has_its_keys_made_and_noted(settings: Settings) -> None:
    before = contents(settings)
    with open_store(settings) as store:
        assert set(KeyFingerprints(store.database).all()) == set(KEY_FILES)
        assert not {one.hex() for one in before.values()} & {
            one.hex() for one in KeyFingerprints(store.database).all().values()
        }
    assert contents(settings) == before


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_key_that_is_missing_or_another_is_refused_by_name_and_not_made(settings: Settings, name: str) -> None:
    path = settings.data_directory / name
    path.unlink()
    with pytest.raises(KeysWrong, match=rf"{name}: not there.*secret adopt {name}"), open_store(settings):
        pass
    assert not path.exists()
    replace(path)
    with pytest.raises(KeysWrong, match=f"{name}: not the one"), open_store(settings):
        pass
    with open_store(settings, adopted=[name]) as store:
        assert find_keys(settings.data_directory, store.database).foreign == ()
    use(settings)


def test_a_database_from_before_takes_its_keys_at_the_first_start(settings: Settings) -> None:
    forget(settings)
    use(settings)
    with open_store(settings) as store:
        assert set(KeyFingerprints(store.database).all()) == set(KEY_FILES)


def test_a_database_from_before_takes_no_other_audit_key_and_no_new_one_for_what_was_made(settings: Settings) -> None:
    forget(settings)
    right = contents(settings)
    replace(settings.data_directory / "audit-key")
    with pytest.raises(KeysWrong, match="audit-key: not the one"), open_store(settings):
        pass
    replace(settings.data_directory / "audit-key", right["audit-key"])
    for name in KEY_FILES:
        (settings.data_directory / name).unlink()
    with pytest.raises(KeysWrong, match="pepper, audit-key, checkpoint-key: not there"):
        open_store(settings).__enter__()
    assert not [name for name in KEY_FILES if (settings.data_directory / name).exists()]


def test_keys_are_made_for_what_nothing_was_made_with(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with open_store(settings) as store, store.database.writing() as session:
        auditing_of(settings, store.database).trail.append(SYSTEM, "key.made", "key 1", session=session)
    forget(settings)
    for name in ("pepper", "access-key"):  # a version from before made each when it was first needed
        (tmp_path / name).unlink()
    use(settings)
    assert set(contents(settings)) == set(KEY_FILES)


def test_a_restore_sees_that_the_keys_are_those_of_the_backup(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "one"
    with open_store(settings) as store:
        make_backup(settings, store.database, auditing_of(settings, store.database).trail, file)
    other = settings_in(tmp_path / "other")
    other.data_directory.mkdir()
    for name, content in contents(settings).items():
        replace(other.data_directory / name, content)
    replace(other.data_directory / "pepper")
    with pytest.raises(SettingsInvalid, match=r"pepper in .* is not the one that the backup"):
        Restore(other, file).run()
    assert not (other.data_directory / "canongate.db").exists()
    assert Restore(other, file, is_unverified=True).run().trail is None
    use(other)


@pytest.mark.postgres
def test_of_two_gateways_that_start_at_once_the_second_is_told_to_copy(tmp_path: Path, postgres_server) -> None:
    url, told = postgres_server(), {}
    begun = threading.Barrier(2)

    def start(number: int) -> None:
        begun.wait(60)
        try:
            use(settings_in(tmp_path / str(number), url))
        except KeysWrong as error:
            told[number] = str(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (refused,) = told
    assert "Copy them from the data folder of another gateway" in told[refused]
    assert not [name for name in KEY_FILES if (tmp_path / str(refused) / name).exists()]
    for name in KEY_FILES:
        shutil.copy2(tmp_path / str(1 - refused) / name, tmp_path / str(refused) / name)
    use(settings_in(tmp_path / str(refused), url))
    with open_store(settings_in(tmp_path / "0", url)) as store, store.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM api_keys")) == 1
