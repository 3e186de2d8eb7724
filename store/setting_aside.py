"""Sets aside what is in a PostgreSQL database while a restore takes its place, and puts it back when that fails."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.schema import CreateSchema, DropSchema

from store.advisory import LEADING, RESTORING, is_held
from store.engines import engine_of, parse_url, translated
from store.errors import Conflict, StoreUnavailable

ASIDE = "canongate_before_"
"""Schemas with what was there before a restore begin with this; backups leave them out."""
_FAILED = "canongate_failed_"
_LEAVING_S = 5.0
"""Connections of a process that ended a moment ago are gone by then."""
_LOOK_S = 0.2
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND usesysid = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
)
_MOVES = text(
    """
    WITH here AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = current_schema()),
    extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
    SELECT format('ALTER TABLE %I.%I SET SCHEMA %I', nspname, relname, CAST(:target AS text))
      FROM pg_class JOIN here ON here.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
       AND ('pg_class'::regclass, pg_class.oid) NOT IN (SELECT classid, objid FROM extended)
    UNION ALL
    SELECT format('ALTER SEQUENCE %I.%I SET SCHEMA %I', nspname, relname, CAST(:target AS text))
      FROM pg_class JOIN here ON here.oid = relnamespace
     WHERE relkind = 'S'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                       AND deptype IN ('a', 'i', 'e'))
    UNION ALL
    SELECT format('ALTER ROUTINE %I.%I(%s) SET SCHEMA %I', nspname, proname,
                  pg_get_function_identity_arguments(pg_proc.oid), CAST(:target AS text))
      FROM pg_proc JOIN here ON here.oid = pronamespace
     WHERE ('pg_proc'::regclass, pg_proc.oid) NOT IN (SELECT classid, objid FROM extended)
    """
)
"""Moves what there is in the schema that names lead to. Indexes, triggers and the sequences of columns go with their
tables; what an extension brought stays."""


@contextmanager
def set_aside(url: str, *, replaces: bool) -> Iterator[str | None]:
    """Empties the database for a restore; gives the name of the schema with what was there, None for an empty one.

    When the block raises, what it restored is dropped and what was there is back. Meanwhile no gateway can start on it.
    Raises `Conflict` when anybody else is connected, or when there is something and it may not be replaced;
    `StoreUnavailable`.
    """
    engine = engine_of(parse_url(url))
    try:
        with translated(), engine.connect() as held:
            _require_alone(held)
            name = _make_room(held, replaces=replaces)
            try:
                yield name
            except BaseException:
                _put_back(engine, name)
                raise
    finally:
        engine.dispose()


def require_unserved(url: str) -> None:
    """Raises `Conflict` when a gateway works in the database: an older version does not know of the restore."""
    engine = engine_of(parse_url(url))
    try:
        with translated(), engine.connect() as connection:
            if is_held(connection, LEADING):
                raise Conflict("a gateway was started during the restore. Stop it first. Nothing was changed.")
    finally:
        engine.dispose()


def _require_alone(held: Connection) -> None:
    """Keeps others from starting, for as long as the connection lives, and sees that nobody has started."""
    with held.begin():
        if not held.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": RESTORING}):
            raise Conflict("another restore is at work in this database. Nothing was changed.")
    until_s = time.monotonic() + _LEAVING_S
    while True:
        with held.begin():
            others = held.scalar(_OTHERS) or 0
            is_served = is_held(held, LEADING)
        if not others and not is_served:
            return
        if time.monotonic() >= until_s:
            raise Conflict(
                f"the database is in use, by {max(others, 1)} connections: stop every gateway and command that works "
                "in it first. Nothing was changed."
            )
        time.sleep(_LOOK_S)


def _make_room(held: Connection, *, replaces: bool) -> str | None:
    with held.begin():
        if held.scalar(_MOVES, {"target": ""}) is None:
            return None
        if not replaces:
            raise Conflict("there is something in the database already. With --replace it is set aside, not deleted.")
        if not held.scalar(text("SELECT has_database_privilege(current_database(), 'CREATE')")):
            raise StoreUnavailable(
                "setting aside what is in the database needs a schema, and the role may not make one. Run as the "
                "database's owner: GRANT CREATE ON DATABASE ... TO ..."
            )
        return _move(held, ASIDE)


def _put_back(engine: Engine, name: str | None) -> None:
    """Drops what the restore made, and moves back what was there, both or neither."""
    try:
        with translated(), engine.begin() as connection:
            home = connection.scalar(text("SELECT current_schema()"))
            failed = _move(connection, _FAILED)
            connection.execute(DropSchema(failed, cascade=True))
            if name is None:
                return
            connection.execute(text("SELECT set_config('search_path', :name, true)"), {"name": name})
            _move_all(connection, str(home))
            connection.execute(DropSchema(name))
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"the restore failed, and what was there could not be put back. It is whole, in the schema {name} of the "
            f"database: {error}"
        ) from error


def _move(connection: Connection, prefix: str) -> str:
    """Moves everything into a new schema, and returns its name, which needs no quotes."""
    name = f"{prefix}{dt.datetime.now(dt.UTC):%Y%m%dt%H%M%S%f}"
    connection.execute(CreateSchema(name))
    _move_all(connection, name)
    return name


def _move_all(connection: Connection, target: str) -> None:
    for move in list(connection.scalars(_MOVES, {"target": target})):
        connection.exec_driver_sql(move)
