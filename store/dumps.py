"""Copies a database into one file and back: by SQLite itself, or by PostgreSQL's own programs."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL

from store.engines import engine_of, parse_url, translated
from store.errors import Conflict, InvalidContent, StoreUnavailable
from store.setting_aside import ASIDE

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_PROGRAM_S = 3600
_MARK = "alembic_version"


def kind_of(url: str) -> str:
    """Returns `sqlite` or `postgresql`. Raises `StoreUnavailable`."""
    return parse_url(url).get_backend_name()


def file_of(url: str) -> Path | None:
    """Returns the file of a SQLite database; None for a server's."""
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == SQLITE else None


def dump_database(url: str, path: Path) -> None:
    """Writes one consistent state of the database to a new file of its owner alone, while others go on writing.

    Raises `StoreUnavailable`, which names the program to install where one is missing.
    """
    parsed = parse_url(url)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if parsed.get_backend_name() == SQLITE:
        try:
            with closing(sqlite3.connect(parsed.database or "", timeout=30)) as connection:
                connection.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be copied: {error}") from error
        return
    options = ("--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*", f"--file={path}")
    _run(parsed, "pg_dump", *options)


def schema_of(url: str) -> str | None:
    """Returns the revision of the schema that is there; None for a database without one, or no database.

    Makes nothing. Raises `StoreUnavailable`.
    """
    parsed = parse_url(url)
    is_sqlite = parsed.get_backend_name() == SQLITE
    if is_sqlite and not _is_there(Path(parsed.database or "")):
        return None
    engine = create_engine(parsed, hide_parameters=True) if is_sqlite else engine_of(parsed)
    try:
        with translated(), engine.connect() as connection:
            if not inspect(connection).has_table(_MARK):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return str(found) if found else None
    finally:
        engine.dispose()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # such as the folder of another user
        raise StoreUnavailable(f"the database file {path} cannot be looked at: {error.strerror}") from error


def check_file(path: Path) -> None:
    """Raises `InvalidContent` unless a SQLite file is sound and its foreign keys lead somewhere."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
            astray = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        raise InvalidContent(f"the copy of the database cannot be read: {error}") from error
    if found != ["ok"]:
        raise InvalidContent(f"the copy of the database is damaged: {'; '.join(found)}")
    if astray:
        raise InvalidContent(f"{len(astray)} rows refer to rows that are not there, the first in {astray[0][0]}.")


def require_unused(path: Path) -> None:
    """Raises `Conflict` while another process has the SQLite file open; else its log is written into it."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # refused as long as anybody else is connected
    except sqlite3.OperationalError as error:
        raise Conflict(f"{path} is in use: stop the gateway first. Nothing was changed.") from error
    except sqlite3.DatabaseError:
        return  # no database, so nobody works on one


def restore_into(url: str, path: Path) -> None:
    """Puts a dump of PostgreSQL into the empty database at `url`, all of it or nothing. Raises `StoreUnavailable`."""
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run(parse_url(url), "pg_restore", *options, str(path))


def _run(url: URL, program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise StoreUnavailable(
            f"{program} is not installed. It comes with PostgreSQL's client programs (Debian: postgresql-client), of "
            "the server's version or newer."
        )
    # A password among the arguments could be read by every user of the machine.
    environment = {"PATH": os.defpath, "PGPASSWORD": url.password or "", "PGCONNECT_TIMEOUT": "10"}
    target = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    command = [found, f"--dbname={target}", "--no-password", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 -- a program that was found, and arguments of ours
            command, env=environment, capture_output=True, text=True, timeout=_PROGRAM_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreUnavailable(f"{program} did not end: {error}") from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        first = done.stderr.strip().splitlines()[:1] or last
        raise StoreUnavailable(f"{program} failed: {first[0]}")
