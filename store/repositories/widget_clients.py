"""Places that embed the widget, in the database."""

import re

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.errors import Conflict, NotFound
from store.tables import WidgetClientRow, WidgetSecretRow
from store.widgets import WidgetClient, WidgetSecret, WidgetSettings

_NONE = "there is no such widget client"
PLAIN_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")


class WidgetClients:
    """Reads, adds and changes widget clients; who may is not decided here. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, client: WidgetClient, session: Session | None = None) -> None:
        """Stores a new client with its secrets. Raises `Conflict` when the id is taken."""
        with self._database.writing(session) as opened:
            row = WidgetClientRow(
                id=client.id,
                document=msgspec.to_builtins(client.settings),
                created_at=client.created_at,
                disabled_at=client.disabled_at,
                rev=client.rev,
            )
            opened.add(row)
            opened.flush()
            opened.add_all(_secret_row(client.id, one) for one in client.secrets)
            opened.flush()

    def get(self, client_id: str, session: Session | None = None) -> WidgetClient:
        """Returns a client, a disabled one too. Raises `NotFound`."""
        if not PLAIN_ID.fullmatch(client_id):
            raise NotFound(_NONE)  # PostgreSQL refuses a NUL with an error of its own
        with self._database.reading(session) as opened:
            row = opened.get(WidgetClientRow, client_id, populate_existing=True)
            if row is None:
                raise NotFound(_NONE)
            return _load(row, _secrets(opened, client_id))

    def all(self, session: Session | None = None) -> tuple[WidgetClient, ...]:
        """Returns every client, by id."""
        with self._database.reading(session) as opened:
            secrets: dict[str, list[WidgetSecret]] = {}
            for row in opened.scalars(select(WidgetSecretRow).order_by(WidgetSecretRow.created_at, WidgetSecretRow.id)):
                secrets.setdefault(row.client, []).append(_load_secret(row))
            rows = opened.scalars(select(WidgetClientRow).order_by(WidgetClientRow.id))
            return tuple(_load(row, tuple(secrets.get(row.id, ()))) for row in rows)

    def state(self, session: Session | None = None) -> tuple[int, int]:
        """Returns two numbers of which one grows with every change to any client."""
        with self._database.reading(session) as opened:
            counted = select(func.count(), func.coalesce(func.sum(WidgetClientRow.rev), 0)).select_from(WidgetClientRow)
            count, revs = opened.execute(counted).one()
            return int(count), int(revs)

    def change(self, client: WidgetClient, *, session: Session) -> WidgetClient:
        """Stores the client over the state that it was made from, which must have the same `rev`; returns it as it is.

        Secrets that it no longer has are deleted. Raises `Conflict` when somebody else was quicker, `NotFound`.
        """
        row = session.get(WidgetClientRow, client.id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound(_NONE)
        if row.rev != client.rev:
            raise Conflict(f"the client was changed meanwhile and has rev {row.rev} now. Read it and try again.")
        row.document = msgspec.to_builtins(client.settings)
        row.disabled_at = client.disabled_at
        row.rev = client.rev + 1
        kept = {one.id: one for one in client.secrets}
        for known in session.scalars(select(WidgetSecretRow).where(WidgetSecretRow.client == client.id)):
            if (wanted := kept.pop(known.id, None)) is None:
                session.delete(known)
            else:
                known.ends_at = wanted.ends_at
        session.add_all(_secret_row(client.id, one) for one in kept.values())
        session.flush()
        return _load(row, _secrets(session, client.id))


def _secrets(session: Session, client_id: str) -> tuple[WidgetSecret, ...]:
    wanted = select(WidgetSecretRow).where(WidgetSecretRow.client == client_id)
    rows = session.scalars(wanted.order_by(WidgetSecretRow.created_at, WidgetSecretRow.id))
    return tuple(map(_load_secret, rows))


def _secret_row(client_id: str, secret: WidgetSecret) -> WidgetSecretRow:
    return WidgetSecretRow(
        id=secret.id,
        client=client_id,
        sealed=secret.sealed,
        created_at=secret.created_at,
        ends_at=secret.ends_at,
    )


def _load_secret(row: WidgetSecretRow) -> WidgetSecret:
    return WidgetSecret(row.id, row.sealed, row.created_at, row.ends_at)


def _load(row: WidgetClientRow, secrets: tuple[WidgetSecret, ...]) -> WidgetClient:
    return WidgetClient(
        id=row.id,
        settings=msgspec.convert(row.document, WidgetSettings),
        secrets=secrets,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        rev=row.rev,
    )
