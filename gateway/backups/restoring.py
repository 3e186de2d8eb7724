"""Restores a backup: everything is verified before anything is replaced, and nothing that was there is deleted."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.backups.archive import BackupInvalid, Manifest, sha256_of, unpack
from gateway.backups.exchanging import exchange
from gateway.backups.making import CHECKPOINTS, DATABASE, FITS
from gateway.credentials import load_secret
from gateway.errors import SettingsInvalid
from gateway.key_files import AUDIT_KEY, CHECKPOINT_KEY, KEY_FILES, fingerprint_of, require_keys
from gateway.settings import Settings
from models.files.registry import REGISTRY
from store.audit import AuditTrail
from store.database import known_schemas, migrate, open_database
from store.dumps import POSTGRESQL, SQLITE, check_file, file_of, kind_of, require_unused, restore_into, schema_of
from store.people import OPERATOR
from store.proof.checkpoints import CheckpointFile, require_signed
from store.proof.signing import Signer
from store.proof.verification import Verification, verify_trail
from store.repositories.key_fingerprints import KeyFingerprints
from store.setting_aside import require_unserved, set_aside

_SQLITE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored, and what was found out about it."""

    manifest: Manifest
    trail: Verification | None
    """None when the chain was not verified, because there is no key."""
    set_aside: Path | None
    """Where files that were there before are now; None when there were none."""
    schema_set_aside: str | None
    """The schema of the database in which the tables that were there before are now."""


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore. `is_unverified` lets a trail be restored that nobody can verify: its key is lost."""

    settings: Settings
    archive: Path
    replaces: bool = False
    is_unverified: bool = False

    def run(self) -> RestoreReport:
        """Restores, or leaves everything as it was. Stop the gateway first.

        Raises `SettingsInvalid` (`BackupInvalid` for the file), `Conflict`, `InvalidContent` and `StoreUnavailable`.
        """
        data = self.settings.data_directory
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsInvalid(
                f"the data folder {data} cannot be made ({error.strerror}). Take away what is there, or set "
                "data.directory to another folder."
            ) from error
        self._require_room()
        with TemporaryDirectory(prefix=".restore-", dir=data) as folder:
            scratch = Path(folder)
            manifest = unpack(self.archive, scratch)
            self._require_fitting(manifest, scratch)
            if (path := self._file) is not None and path.exists():
                require_unused(path)
            with self._database_of(scratch) as (trail, schema):
                files = self._exchange(manifest, scratch)
        self._tell(manifest)
        return RestoreReport(manifest, trail, files, schema)

    def _require_room(self) -> None:
        """Raises `SettingsInvalid` where something would be replaced that nobody said may be."""
        url = self.settings.database_url
        kept = [name for name in (REGISTRY, FITS) if (self.settings.data_directory / name).exists()]
        if not self.replaces and (schema_of(url) is not None or kept or self.settings.checkpoint_file.exists()):
            raise SettingsInvalid(
                f"there is data already ({self.settings.data_directory}). With --replace it is set aside, not deleted."
            )

    def _require_fitting(self, manifest: Manifest, scratch: Path) -> None:
        if manifest.database not in (SQLITE, POSTGRESQL) or manifest.database != kind_of(self.settings.database_url):
            raise SettingsInvalid(
                f"the backup is of {manifest.database}, and the settings name another kind of database."
            )
        if manifest.schema not in known_schemas():
            raise BackupInvalid("the backup was made by a newer canongate. Restore it with that version.")
        if not (scratch / DATABASE).exists():
            raise BackupInvalid("the backup has no database in it.")
        missing = [name for name in manifest.secrets if self._secret(scratch, name) is None]
        if missing and not self.is_unverified:
            raise SettingsInvalid(
                f"the backup has no secrets, and {', '.join(missing)} is not in {self.settings.data_directory}. Copy "
                "the files there first. If they are lost for good, --unverified restores without: then API keys, "
                "authenticators and the proof of the old audit trail are lost too."
            )

    def _secret(self, scratch: Path, name: str) -> Path | None:
        places = (scratch / name, self.settings.data_directory / name)
        return next((place for place in places if place.exists()), None)

    @contextmanager
    def _database_of(self, scratch: Path) -> Iterator[tuple[Verification | None, str | None]]:
        """Verifies the backup's database; gives what was found of its trail, and the schema with what was there.

        PostgreSQL has one place for it, so it is verified where it will serve; when that fails, what was there is back.
        """
        url = self.settings.database_url
        if self._file is not None:
            yield self._verify_file(scratch), None
            return
        with set_aside(url, replaces=self.replaces) as schema:
            restore_into(url, scratch / DATABASE)
            migrate(url, is_restoring=True)
            found = self._verify(url, scratch, scratch / CHECKPOINTS)
            require_unserved(url)
            yield found, schema

    def _verify_file(self, scratch: Path) -> Verification | None:
        """Verifies the copy, and brings its schema up to date."""
        check_file(scratch / DATABASE)
        url = f"sqlite:///{scratch / DATABASE}"
        migrate(url)
        trail = self._verify(url, scratch, scratch / CHECKPOINTS)
        check_file(scratch / DATABASE)
        require_unused(scratch / DATABASE)  # writes its log into it, so that one file is all
        return trail

    def _verify(self, url: str, place: Path, checkpoints: Path) -> Verification | None:
        """Raises `BackupInvalid` when the trail is not what was written; the checkpoints must be ours."""
        self._require_own_keys(url, place)
        key, seed = self._secret(place, AUDIT_KEY), self._secret(place, CHECKPOINT_KEY)
        if key is None or seed is None or self.is_unverified:
            return None
        proofs = CheckpointFile(checkpoints).read()
        require_signed(proofs, Signer(load_secret(seed)).verifier)
        database = open_database(url)
        try:
            found = verify_trail(database, load_secret(key), proofs)
        finally:
            database.close()
        if found.fault is not None:
            raise BackupInvalid(f"the audit trail in the backup is damaged ({found.fault}). Do not serve from it.")
        return found

    def _require_own_keys(self, url: str, place: Path) -> None:
        """Raises `SettingsInvalid` where a key is another than that which the backup's database was made with."""
        database = open_database(url)
        try:
            known = KeyFingerprints(database).all()
        finally:
            database.close()
        places = {name: self._secret(place, name) for name in known}
        wrong = [
            name for name, path in places.items() if path and fingerprint_of(name, load_secret(path)) != known[name]
        ]
        if wrong and not self.is_unverified:
            raise SettingsInvalid(
                f"{', '.join(wrong)} in {self.settings.data_directory} is not the one that the backup was made with. "
                "Copy the right files there first. If they are lost for good, --unverified restores without."
            )

    def _exchange(self, manifest: Manifest, scratch: Path) -> Path | None:
        """Puts what was restored in its place, and what was there into a folder of its own, which it returns."""
        aside = self.settings.data_directory / f"replaced-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}"
        there = {one: aside / one.name for one in self._there(manifest)}
        try:
            exchange(there, self._moves(scratch))
        except OSError as error:
            left = f"in {aside}" if aside.exists() else "there again"
            raise SettingsInvalid(
                f"the backup cannot be put in its place: {error.strerror or error}. What was there is {left}."
            ) from error
        return aside if there else None

    def _there(self, manifest: Manifest) -> list[Path]:
        data = self.settings.data_directory
        replaced = (REGISTRY, FITS, "index", *(name for name in KEY_FILES if name in manifest.parts))
        places = [*(data / name for name in replaced), self.settings.checkpoint_file]
        if (path := self._file) is not None:
            places += [path.with_name(path.name + end) for end in _SQLITE_FILES]
        return [one for one in places if one.exists()]

    def _moves(self, scratch: Path) -> dict[Path, Path]:
        data = self.settings.data_directory
        places = {name: data / name for name in (REGISTRY, FITS, *KEY_FILES)}
        places[CHECKPOINTS] = self.settings.checkpoint_file
        if (path := self._file) is not None:
            places[DATABASE] = path  # last: with it the restore is done
        return {scratch / name: target for name, target in places.items() if (scratch / name).exists()}

    @property
    def _file(self) -> Path | None:
        return file_of(self.settings.database_url)

    def _tell(self, manifest: Manifest) -> None:
        database = open_database(self.settings.database_url)
        try:
            data = self.settings.data_directory
            require_keys(data, database, adopted=KEY_FILES if self.is_unverified else ())
            trail = AuditTrail(database, load_secret(data / AUDIT_KEY))
            details = {"sha256": sha256_of(self.archive), "made_at": manifest.made_at, "schema": manifest.schema}
            with database.writing() as session:
                target = f"backup {self.archive.name}"
                trail.append(OPERATOR, "backup.restored", target, details, session=session)
        finally:
            database.close()
