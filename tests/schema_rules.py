"""What a migration may not do while the version before it serves, found by comparing a database before and after it.

Tables and columns may come. Nothing that is there may go, change its type or refuse more than it did.
"""

from dataclasses import dataclass, field

import sqlalchemy
from sqlalchemy import Connection, Inspector, text

_FUNCTIONS = """
SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = current_schema() AND p.prokind IN ('f', 'p')
"""
_TRIGGERS = """
SELECT c.relname, t.tgname || ' ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal
"""
_SQLITE_TRIGGERS = "SELECT tbl_name, name || ' ' || sql FROM sqlite_master WHERE type = 'trigger'"


@dataclass(frozen=True)
class Table:
    """What writers and readers of a table rely on."""

    columns: dict[str, tuple[str, bool, bool]]
    """Each one's type, whether it may be empty, and whether the database has a value for it."""
    refuses: frozenset[str]
    """What is refused: keys, unique columns, checks, references, triggers."""
    unique: frozenset[str]
    """What `ON CONFLICT` may name."""


@dataclass(frozen=True)
class Schema:
    """All tables, and the functions that statements call."""

    tables: dict[str, Table]
    functions: dict[str, str] = field(default_factory=dict)


def schema_of(connection: Connection) -> Schema:
    """Reads what a database has."""
    is_sqlite = connection.dialect.name == "sqlite"
    triggers: dict[str, list[str]] = {}
    for table, said in connection.execute(text(_SQLITE_TRIGGERS if is_sqlite else _TRIGGERS)):
        triggers.setdefault(table, []).append(f"trigger {said}")
    inspector = sqlalchemy.inspect(connection)
    names = set(inspector.get_table_names()) - {"alembic_version"}
    functions = {} if is_sqlite else {name: str(said) for name, said in connection.execute(text(_FUNCTIONS))}
    return Schema({name: _table(inspector, name, triggers.get(name, [])) for name in names}, functions)


def _table(inspector: Inspector, name: str, triggers: list[str]) -> Table:
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    unique = {f"unique {sorted(one['column_names'])}" for one in inspector.get_unique_constraints(name)}
    unique |= {f"unique {sorted(one['column_names'], key=str)}" for one in inspector.get_indexes(name) if one["unique"]}
    unique.add(f"key {key}")
    checks = {f"check {one['sqltext']}" for one in inspector.get_check_constraints(name)}
    references = {
        f"reference {one['constrained_columns']} to {one['referred_table']}" for one in inspector.get_foreign_keys(name)
    }
    columns = {
        one["name"]: (
            str(one["type"]),
            bool(one["nullable"]),
            one.get("default") is not None or one.get("autoincrement") is True,
        )
        for one in inspector.get_columns(name)
    }
    return Table(columns, frozenset({*unique, *checks, *references, *triggers}), frozenset(unique))


def breaches(before: Schema, after: Schema) -> set[str]:
    """Returns what a version that knows the first would not bear about the second."""
    found = {f"{name} is gone" for name in before.tables.keys() - after.tables.keys()}
    for name in before.tables.keys() & after.tables.keys():
        found |= {f"{name}{one}" for one in _breaches_of(before.tables[name], after.tables[name])}
    changed = (name for name, said in before.functions.items() if after.functions.get(name) != said)
    return found | {f"function {name} is not what it was" for name in changed}


def _breaches_of(before: Table, after: Table) -> set[str]:
    found = {f".{name} is gone" for name in before.columns.keys() - after.columns.keys()}
    for name, (kind, may_be_empty, has_default) in after.columns.items():
        if name not in before.columns:
            if not (may_be_empty or has_default):
                found.add(f".{name} needs a value that the version before does not give")
            continue
        old_kind, could_be_empty, had_default = before.columns[name]
        if kind != old_kind:
            found.add(f".{name} has another type")
        if could_be_empty and not may_be_empty:
            found.add(f".{name} may not be empty any more")
        if had_default and not has_default:
            found.add(f".{name} has no value of its own any more")
    found |= {f" refuses more: {one}" for one in after.refuses - before.refuses}
    return found | {f" lost {one}" for one in before.unique - after.unique}
