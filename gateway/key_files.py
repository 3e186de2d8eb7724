"""The four keys in the data folder: that they are those that the database was made with."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gateway.credentials import load_secret
from gateway.errors import SettingsInvalid
from store.database import Database, Transaction
from store.proof.verification import is_key_of
from store.repositories.key_fingerprints import KeyFingerprints

PEPPER, AUDIT_KEY, CHECKPOINT_KEY, ACCESS_KEY = "pepper", "audit-key", "checkpoint-key", "access-key"
KEY_FILES = (PEPPER, AUDIT_KEY, CHECKPOINT_KEY, ACCESS_KEY)
"""Files of the data folder without which the rest is not worth much, and with which it can be forged."""
_NEEDED_FOR = {PEPPER: "people", AUDIT_KEY: "audit", CHECKPOINT_KEY: "audit", ACCESS_KEY: "widgets"}
"""The rows that were made with each: a database without them takes a new one."""


class KeysWrong(SettingsInvalid):
    """Key files are missing, or are those of another database."""


@dataclass(frozen=True, slots=True)
class KeysFound:
    """The key files of a data folder, as the database knows them."""

    folder: Path
    missing: tuple[str, ...] = ()
    """That the database was made with."""
    foreign: tuple[str, ...] = ()
    """That are there, and are not the database's."""
    new: tuple[str, ...] = ()
    """That the database does not know yet, and nothing in it depends on; they may be made."""

    def without(self, names: Collection[str]) -> "KeysFound":
        """Returns the same but for those files."""
        kept = (tuple(one for one in group if one not in names) for group in (self.missing, self.foreign, self.new))
        return KeysFound(self.folder, *kept)

    def require(self) -> None:
        """Raises `KeysWrong`, which says what to do."""
        if not self.missing and not self.foreign:
            return
        said = [f"{', '.join(self.missing)}: not there"] if self.missing else []
        said += [f"{', '.join(self.foreign)}: not the one that the database was made with"] if self.foreign else []
        raise KeysWrong(
            f"the keys in {self.folder} do not go with the database ({'; '.join(said)}). Copy them from the data "
            "folder of another gateway, or from where they are kept with the backups. Only when one is lost for good: "
            f"canongate secret adopt {(self.missing + self.foreign)[0]} goes on without it, and says what is lost."
        )


def fingerprint_of(name: str, key: bytes) -> bytes:
    """Returns by what a key is known, which tells nothing of 32 random bytes to whoever does not have them."""
    return hmac.digest(key, f"canongate fingerprint of {name}".encode(), hashlib.sha256)


def find_keys(folder: Path, database: Database, session: Transaction | None = None) -> KeysFound:
    """Compares the key files with what the database knows of them, and writes nothing.

    Of a database from before they were noted: the audit key must have sealed the trail's first row.
    """
    fingerprints = KeyFingerprints(database)
    known = fingerprints.all(session)
    missing: list[str] = []
    foreign: list[str] = []
    new: list[str] = []
    with database.reading(session) as opened:
        uses = frozenset() if known.keys() >= set(KEY_FILES) else fingerprints.uses(opened)
        for name in KEY_FILES:
            path, noted = folder / name, known.get(name)
            if not path.exists():
                is_needed = noted is not None or _NEEDED_FOR[name] in uses
                (missing if is_needed else new).append(name)
            elif noted is not None:
                if not hmac.compare_digest(noted, fingerprint_of(name, load_secret(path))):
                    foreign.append(name)
            elif name == AUDIT_KEY and not is_key_of(opened, load_secret(path)):
                foreign.append(name)
            else:
                new.append(name)
    return KeysFound(folder, tuple(missing), tuple(foreign), tuple(new))


def require_keys(folder: Path, database: Database, *, adopted: Collection[str] = ()) -> None:
    """Sees that the keys are the database's; the first time it makes and notes them.

    Those that are `adopted` are the database's from now on, made where they are missing. Raises `KeysWrong`.
    """
    if not adopted:
        found = find_keys(folder, database)
        found.require()
        if not found.new:
            return
    fingerprints = KeyFingerprints(database)
    with database.writing() as session:
        fingerprints.hold(session)
        found = find_keys(folder, database, session)
        found.without(adopted).require()
        made = {name: fingerprint_of(name, load_secret(folder / name)) for name in (*found.new, *adopted)}
        fingerprints.put(made, at=dt.datetime.now(dt.UTC), session=session)
