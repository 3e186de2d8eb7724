"""The file that a backup is: a tar of named parts, whose manifest has the hash of each."""

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec

from gateway.errors import SettingsInvalid

MANIFEST = "manifest.json"
FORMAT = "canongate-backup"
VERSION = 1
_CHUNK = 1 << 20
_MOST_MANIFEST = 1 << 24
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
"""Of a part: a relative path that leads nowhere else."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the archive."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an archive has in it, and what it was made of."""

    format: str = FORMAT
    version: int = VERSION
    made_at: str
    canongate: str
    database: str
    """`sqlite` or `postgresql`."""
    schema: str
    """Revision of the database's schema."""
    secrets: tuple[str, ...]
    """Names of the secret files that belong to it."""
    has_secrets: bool
    """Whether they are in it."""
    parts: dict[str, Part]


class BackupInvalid(SettingsInvalid):
    """The file is no backup, or not whole."""


def write_archive(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> str:
    """Writes a new file of its owner alone, which is there as a whole or not at all; returns its SHA-256.

    `files` are the parts by name. Raises `SettingsInvalid` when the file exists or cannot be written.
    """
    if path.exists():
        raise SettingsInvalid(f"{path} exists. Name another file; a backup is never written over.")
    scratch = path.with_name(f".{path.name}.writing")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
                _write(packed, manifest, files)
            file.flush()
            os.fsync(file.fileno())
        digest = sha256_of(scratch)
        os.link(scratch, path)  # unlike a rename it fails when somebody made the file meanwhile
        _sync(path.parent)
    except OSError as error:
        raise SettingsInvalid(f"the backup cannot be written to {path}: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return digest


def unpack(path: Path, folder: Path) -> Manifest:
    """Writes the parts into an empty folder, each verified. Raises `BackupInvalid`: then none of them is to be used."""
    try:
        with tarfile.open(path, "r:gz") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MOST_MANIFEST:
                raise BackupInvalid(f"{path} is no backup of canongate.")
            manifest = _manifest(path, _content(tar, first).read())
            missing = dict(manifest.parts)
            while (member := tar.next()) is not None:
                part = missing.pop(member.name, None)
                if part is None or not member.isreg() or not _NAME.fullmatch(member.name):
                    raise BackupInvalid(f"{path} has something in it that its manifest does not name.")
                _unpack_part(_content(tar, member), folder / member.name, part, member.name)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise BackupInvalid(f"{path} is damaged, or no backup: {error}") from error
    if missing:
        raise BackupInvalid(f"{path} lacks {min(missing)}. It was not written to its end.")
    return manifest


def part_of(path: Path) -> Part:
    """Returns a file as the manifest names it."""
    return Part(path.stat().st_size, sha256_of(path))


def sha256_of(path: Path) -> str:
    """Returns the hexadecimal hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(packed: gzip.GzipFile, manifest: Manifest, files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        told = msgspec.json.format(msgspec.json.encode(manifest))
        tar.addfile(_member(MANIFEST, len(told)), io.BytesIO(told))
        for name, file in files.items():
            with file.open("rb") as content:
                tar.addfile(_member(name, manifest.parts[name].size), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise BackupInvalid("a part of the backup is no file.")
    return content


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupInvalid(f"{path} is no backup that this canongate can read.") from error
    if manifest.format != FORMAT or manifest.version != VERSION:
        raise BackupInvalid(f"{path} was made by another canongate, in a form that this one cannot read.")
    return manifest


def _unpack_part(content: IO[bytes], target: Path, part: Part, name: str) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if (size, digest.hexdigest()) != (part.size, part.sha256):
        raise BackupInvalid(f"the part {name} of the backup is damaged: its hash is another.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
