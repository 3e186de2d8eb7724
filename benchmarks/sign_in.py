"""What a sign-in costs, and whether its time tells who exists: python -m benchmarks.sign_in --tries 40."""

import argparse
import contextlib
import json
import statistics
import tempfile
import time
from pathlib import Path

from gateway.access.passwords import Passwords
from gateway.access.services import Access, access_of
from gateway.access.signing_in import Attempt
from gateway.access.tries import Tries
from gateway.access_settings import AccessSettings, OidcSettings
from gateway.credentials import KeyRing
from gateway.errors import NotAllowed
from store.audit import AuditTrail
from store.database import Database, migrate, open_database
from store.people import OPERATOR
from store.repositories.keys import Keys

PASSWORD = "nine patient otters"  # noqa: S105 - of nobody


def main() -> None:
    """Prints medians of sign-ins of each kind, taken in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=40, help="of each kind")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'sign-in.db'}"
        migrate(url)
        database = open_database(url)
        figures = measure(access(database), chosen.tries)
        database.close()
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<40} {value:8.2f}")


def access(database: Database) -> Access:
    """Makes the real services, which let any number of tries pass."""
    made = access_of(
        database,
        AuditTrail(database, b"a" * 32),
        KeyRing(Keys(database), b"p" * 32, requests_per_minute=1),
        access_key=b"x" * 32,
        pepper=b"p" * 32,
        settings=AccessSettings(),
        oidc=OidcSettings(),
        passwords=Passwords(),
    )
    made.sign_in._tries = Tries(per_minute=10**9)  # noqa: SLF001 - a pause would be measured
    return made


def measure(services: Access, tries: int) -> dict[str, float]:
    """Returns medians in milliseconds, and how far unknown and wrong are apart."""
    services.profiles.set_up(services.users.create(OPERATOR, "ada").token, PASSWORD)
    kinds = {"right": ("ada", PASSWORD), "wrong password": ("ada", "something else"), "unknown": ("bob", PASSWORD)}
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(tries):
        for kind, (name, password) in kinds.items():
            attempt = Attempt(name=name, password=password, code=None, address="192.0.2.1", agent="benchmark")
            started = time.perf_counter()
            with contextlib.suppress(NotAllowed):
                services.sign_in.sign_in(attempt)
            took[kind].append((time.perf_counter() - started) * 1000)
    medians = {f"{kind}, median ms": statistics.median(values) for kind, values in took.items()}
    ratio = medians["unknown, median ms"] / medians["wrong password, median ms"]
    return {**medians, "unknown to wrong password, ratio": ratio}


if __name__ == "__main__":
    main()
