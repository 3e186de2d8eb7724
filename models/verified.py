"""Hashes of files, and folders that are published whole and used only while every hash in them matches."""

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.errors import ModelRefused, ModelUnavailable

MANIFEST = "manifest.json"
STRAY_AGE_S = 3600.0
"""What is temporary and older than this was left by a process that died; a younger one may be in use."""


_LOG = logging.getLogger(__name__)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a published folder holds. It guards against damage, not against someone who can write the folder."""

    format: int
    source_sha256: str
    dimension: int
    max_tokens: int
    files: dict[str, str]
    """Name of each file to its SHA-256, hex."""
    pad_id: int = 0
    """The word piece that fills a row; it never counts, but some models number their positions by it."""
    form: str = "float32"
    """How the numbers of an exported graph are kept."""


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, hex; raises `ModelRefused` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}") from error


def require_sha256(path: Path, expected: str) -> None:
    """Raises `ModelRefused` unless the file has exactly this hash."""
    actual = sha256_of(path)
    if actual != expected:
        raise ModelRefused(
            f"{path.name} has SHA-256 {actual}, but {expected} is registered. The file was changed or is another "
            "version: restore it, or register its hash after checking where it came from."
        )


def intact_manifest(folder: Path) -> Manifest | None:
    """Returns the folder's manifest when every file in it has its hash, None when anything is missing or differs.

    The log names the file that keeps a folder which is there from being used.
    """
    if not folder.exists():
        return None
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        _require_files(folder, manifest)
    except (OSError, msgspec.MsgspecError) as error:
        _LOG.warning("folder_not_used: %s: %s", folder / MANIFEST, error)
        return None
    except ModelRefused as error:
        _LOG.warning("folder_not_used: %s: %s", folder, error)
        return None
    return manifest


def _require_files(folder: Path, manifest: Manifest) -> None:
    if not manifest.files or any(Path(name).name != name for name in manifest.files):
        raise ModelRefused(f"{MANIFEST} is none of ours")
    for name, digest in manifest.files.items():
        require_sha256(folder / name, digest)


@contextlib.contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """Gives an empty folder beside the published ones; what is still in it at the end is removed."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_strays(parent)
        folder = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=parent))
    except OSError as error:
        raise ModelUnavailable(f"{parent} cannot be written: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, target: Path, manifest: Manifest) -> None:
    """Writes the manifest, makes everything durable and moves `folder` to `target`, in place of a damaged one.

    A crash leaves the old folder, no folder or the new one, never a half-written one. When another process was
    quicker with an intact folder, that one stays. Raises `ModelUnavailable` when the disk is full or read-only.
    """
    try:
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        for name in (*manifest.files, MANIFEST):
            _sync(folder / name)
        _sync(folder)
        if target.exists():
            if intact_manifest(target) is not None:
                return
            discard(target)
        folder.rename(target)
        _sync(target.parent)
        _remove_strays(target.parent, older_than_s=STRAY_AGE_S, also=f".{target.name}-")
    except OSError as error:
        if intact_manifest(target) is not None:
            return
        raise ModelUnavailable(f"{target} cannot be written: {error.strerror}") from error


def discard(folder: Path) -> None:
    """Moves a published folder that proved useless out of the way, so that a new one can take its place."""
    try:
        if folder.exists():
            folder.rename(folder.with_name(f".{folder.name}-{time.monotonic_ns()}.tmp"))
    except OSError as error:
        raise ModelUnavailable(f"{folder} cannot be replaced: {error.strerror}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_strays(parent: Path, older_than_s: float = STRAY_AGE_S, also: str | None = None) -> None:
    oldest = time.time() - older_than_s
    for stray in parent.glob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if stray.stat().st_mtime < oldest or (also is not None and stray.name.startswith(also)):
                shutil.rmtree(stray, ignore_errors=True)
