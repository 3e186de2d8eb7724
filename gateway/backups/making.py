"""Makes a backup while the gateway goes on working."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from gateway.backups.archive import Manifest, part_of, write_archive
from gateway.errors import SettingsInvalid
from gateway.key_files import KEY_FILES
from gateway.settings import Settings
from models.files.registry import REGISTRY
from store.audit import AuditTrail
from store.database import Database
from store.dumps import dump_database, kind_of, schema_of
from store.people import OPERATOR

DATABASE, CHECKPOINTS, FITS = "database", "checkpoints", "matcher"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written."""

    path: Path
    sha256: str
    manifest: Manifest


def make_backup(
    settings: Settings, database: Database, trail: AuditTrail, path: Path, *, with_secrets: bool = False
) -> BackupReport:
    """Writes database, checkpoints, model registry and fits to a new file; the audit trail says so.

    The secrets are left out unless `with_secrets`. Raises `SettingsInvalid` and `StoreUnavailable`.
    """
    if path.exists():
        raise SettingsInvalid(f"{path} exists. Name another file; a backup is never written over.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".backup-", dir=settings.data_directory) as folder:
            return _make(settings, database, trail, path, Path(folder), with_secrets=with_secrets)
    except OSError as error:
        raise SettingsInvalid(f"the backup cannot be made: {error}") from error


def _make(
    settings: Settings, database: Database, trail: AuditTrail, path: Path, scratch: Path, *, with_secrets: bool
) -> BackupReport:
    with database.writing() as session:
        trail.append(OPERATOR, "backup.made", f"backup {path.name}", {"has_secrets": with_secrets}, session=session)
    files: dict[str, Path] = {}
    # Before the database: a checkpoint of rows that the copy does not have would tell of a trail cut short.
    if settings.checkpoint_file.exists():
        files[CHECKPOINTS] = scratch / CHECKPOINTS
        files[CHECKPOINTS].write_bytes(settings.checkpoint_file.read_bytes())
    dump_database(settings.database_url, scratch / DATABASE)
    files[DATABASE] = scratch / DATABASE
    data = settings.data_directory
    secrets = tuple(name for name in KEY_FILES if (data / name).exists())
    files |= {name: data / name for name in secrets if with_secrets}
    # The gateway goes on writing: what is hashed and what is read later must be the same.
    for file in (data / REGISTRY, *_fits(data / FITS)):
        name = str(file.relative_to(data))
        with suppress(FileNotFoundError):  # there is none, or the fit was cleared away
            files[name] = _copied(file, scratch / name)
    manifest = Manifest(
        made_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        canongate=version("canongate"),
        database=kind_of(settings.database_url),
        schema=schema_of(settings.database_url) or "",
        secrets=secrets,
        has_secrets=with_secrets,
        parts={name: part_of(file) for name, file in files.items()},
    )
    return BackupReport(path, write_archive(path, manifest, files), manifest)


def _copied(file: Path, copy: Path) -> Path:
    copy.parent.mkdir(parents=True, exist_ok=True)
    return copyfile(file, copy)


def _fits(folder: Path) -> list[Path]:
    """What was learned takes minutes to learn again, and every byte of it is verified before it is used."""
    hidden = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sorted(file for file in hidden if not any(p.startswith(".") for p in file.relative_to(folder).parts))
