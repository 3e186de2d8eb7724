"""Computed beginnings of approved prompts outside the model's cache: in memory, and on disk for the next worker.

The cache itself holds few of them, because every step passes over all of its cells. They hold approved text only, never
a slot's value.
"""

import contextlib
import hashlib
import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.verified import STRAY_AGE_S
from models.worker.prefixes import PrefixKey

MOST_MEMORY_BYTES = 256 << 20
MOST_DISK_BYTES = 1 << 30

_HASH_BYTES = 32
_START_BYTES = 8
_MOST_BACKLOG = 64
"""Writes that may wait; more are dropped, for a beginning that is not on disk costs time and nothing else."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The cells of a beginning from token `start` on; those before it are those of the shorter beginning."""

    start: int
    state: bytes


class PrefixStore:
    """Finds beginnings by what they were computed from: weights, adapter, llama.cpp, assistant and tokens.

    A file that is damaged, or of other weights, is not found. Used from one thread; another one writes files.
    """

    def __init__(
        self,
        identity: Callable[[str], str],
        folder: Path | None = None,
        *,
        most_memory_bytes: int = MOST_MEMORY_BYTES,
        most_disk_bytes: int = MOST_DISK_BYTES,
    ) -> None:
        self._identity = identity
        self._folder = folder
        self._most_memory_bytes = most_memory_bytes
        self._most_disk_bytes = most_disk_bytes
        self._held: OrderedDict[str, Saved] = OrderedDict()
        self._held_bytes = 0
        self._largest_bytes = 1
        self._backlog: queue.Queue[tuple[Path, bytes]] = queue.Queue(_MOST_BACKLOG)
        if folder is not None:
            threading.Thread(target=self._write_all, args=(folder,), name="prefixes", daemon=True).start()

    @property
    def count(self) -> int:
        """How many are in memory."""
        return len(self._held)

    @property
    def has_room(self) -> bool:
        """Whether one more of the usual size is kept in memory without dropping another."""
        return self._held_bytes + self._largest_bytes <= self._most_memory_bytes

    def read(self, key: PrefixKey) -> Saved | None:
        """Returns what was saved of a beginning, None when there is nothing, or nothing that is whole."""
        name = self._name(key)
        saved = self._held.get(name)
        if saved is None and self._folder is not None:
            saved = _read(self._folder, name)
            if saved is not None:
                self._hold(name, saved)
        if saved is not None:
            self._held.move_to_end(name)
        return saved

    def write(self, key: PrefixKey, start: int, export: Callable[[], bytes]) -> None:
        """Saves a beginning unless it is there; it never waits for the disk."""
        name = self._name(key)
        if name in self._held:
            return
        saved = Saved(start, export())
        self._hold(name, saved)
        if self._folder is not None and not self._backlog.full() and not (self._folder / name).exists():
            self._backlog.put_nowait((self._folder / name, start.to_bytes(_START_BYTES, "big") + saved.state))

    def _name(self, key: PrefixKey) -> str:
        assistant, tokens = key
        text = f"{self._identity(assistant)}\0{assistant}\0{tokens}"
        return f"{hashlib.sha256(text.encode()).hexdigest()}.prefix"

    def _hold(self, name: str, saved: Saved) -> None:
        self._held[name] = saved
        self._held_bytes += len(saved.state)
        self._largest_bytes = max(self._largest_bytes, len(saved.state))
        while self._held_bytes > self._most_memory_bytes:
            _, gone = self._held.popitem(last=False)
            self._held_bytes -= len(gone.state)

    def _write_all(self, folder: Path) -> None:
        _remove_strays(folder)
        while True:
            path, data = self._backlog.get()
            # A full or read-only disk: the beginning is computed again by the next worker.
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(path, data)
                self._drop_oldest(folder)

    def _drop_oldest(self, folder: Path) -> None:
        files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.prefix"))
        excess = sum(size for _, size, _ in files) - self._most_disk_bytes
        for _, size, path in files:
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size


def _read(folder: Path, name: str) -> Saved | None:
    """Returns a whole file's content; one that is damaged, or lies under another's name, is removed."""
    path = folder / name
    try:
        data = path.read_bytes()
        os.utime(path)
        body = data[_HASH_BYTES:]
        if len(body) < _START_BYTES or _digest(name, body) != data[:_HASH_BYTES]:
            path.unlink()
            return None
    except OSError:
        return None
    return Saved(int.from_bytes(body[:_START_BYTES], "big"), body[_START_BYTES:])


def _digest(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + body).digest()


def _write(path: Path, data: bytes) -> None:
    new = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        new.touch(0o600)
        new.write_bytes(_digest(path.name, data) + data)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def _remove_strays(folder: Path) -> None:
    """Removes what a worker that died was writing; a younger file may be another worker's that is at it."""
    oldest = time.time() - STRAY_AGE_S
    with contextlib.suppress(OSError):
        for stray in folder.glob("*.tmp"):
            if stray.stat().st_mtime < oldest:
                stray.unlink(missing_ok=True)
