"""Reads the limits that a container puts on this process: Linux control groups, version 2 and version 1."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def core_quota(root: Path = ROOT, own: Path = OWN) -> float | None:
    """Returns how many cores' worth of time the group may use, None when nothing limits it."""
    quotas = [quota for folder in _folders(root, own, "cpu") if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def free_bytes_left(root: Path = ROOT, own: Path = OWN) -> int | None:
    """Returns how many bytes the group may still take, None when nothing limits it.

    Files that are only cached and were not used lately are not counted as taken: the kernel drops them first.
    """
    lefts = [left for folder in _folders(root, own, "memory") if (left := _left(folder)) is not None]
    return min(lefts, default=None)


def _folders(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """Gives the folders of this process's groups, from its own up to the root; a limit may stand in any of them."""
    try:
        lines = own.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base = root
        elif controller in controllers.split(","):
            base = root / controller
        else:
            continue
        # Inside a container the path is often the host's and absent here; the root then is the container's own.
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            folder = base.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder


def _quota(folder: Path) -> float | None:
    both = _words(folder / "cpu.max") or [
        *_words(folder / "cpu.cfs_quota_us"),
        *_words(folder / "cpu.cfs_period_us"),
    ]
    numbers = [_number(word) for word in both]
    match numbers:
        case [int(quota), int(period)] if quota > 0 and period > 0:
            return quota / period
        case _:
            return None


def _left(folder: Path) -> int | None:
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        most, taken = _first(folder / limit), _first(folder / used)
        if most is not None and taken is not None:
            return max(0, most - taken + _stat(folder / "memory.stat", cached))
    return None


def _stat(path: Path, name: str) -> int:
    words = _words(path)
    for word, value in zip(words[::2], words[1::2], strict=False):
        if word == name:
            return _number(value) or 0
    return 0


def _first(path: Path) -> int | None:
    words = _words(path)
    return _number(words[0]) if words else None


def _number(word: str) -> int | None:
    """Returns a number; None for `max` and for what is no number."""
    return int(word) if word.isascii() and word.isdecimal() else None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except (OSError, UnicodeDecodeError):
        return []
