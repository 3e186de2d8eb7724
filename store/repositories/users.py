"""People who sign in, in the database."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.accounts import User, folded
from store.advisory import INVITING, hold
from store.database import Database
from store.errors import Conflict, NotFound
from store.people import Grant, Role, SetUp
from store.sorting import Order, Sort, in_order, sort_of
from store.tables import IdentityRow, RecoveryCodeRow, SetupTokenRow, UserRow

_NOBODY = "there is no such user"
SORTS: Mapping[str, Sort[User]] = {
    "name": Sort(str, lambda one: folded(one.name), UserRow.folded_name),
    "made": Sort(dt.datetime, lambda one: one.created_at, UserRow.created_at),
}
"""Columns that lists are sorted by."""


class Users:
    """Reads, adds and changes users; who may is not decided here. All methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User, session: Session | None = None) -> None:
        """Stores a new user. Raises `Conflict` when the name or the address is taken."""
        with self._database.writing(session) as opened:
            row = UserRow(id=user.id, created_at=user.created_at)
            _fill(row, user)
            opened.add(row)
            opened.flush()

    def get(self, user_id: str, session: Session | None = None) -> User:
        """Returns a user. Raises `NotFound`."""
        if "\x00" in user_id:
            raise NotFound(_NOBODY)  # PostgreSQL refuses a NUL with an error of its own
        with self._database.reading(session) as opened:
            row = opened.get(UserRow, user_id)
            if row is None:
                raise NotFound(_NOBODY)
            return _load(row)

    def of_ids(self, ids: Collection[str], session: Session | None = None) -> tuple[User, ...]:
        """Returns those of the named users that there are."""
        with self._database.reading(session) as opened:
            return tuple(_load(row) for row in opened.scalars(select(UserRow).where(UserRow.id.in_(tuple(ids)))))

    def hold(self, user_id: str, *, session: Session) -> User:
        """Returns a user as they are now, whom nobody else changes until the transaction ends. Raises `NotFound`."""
        row = session.get(UserRow, user_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound(_NOBODY)
        return _load(row)

    def hold_page(self, *, limit: int, after: str = "", session: Session) -> tuple[User, ...]:
        """Returns users as `page` does, whom nobody else changes until the transaction ends."""
        query = select(UserRow).where(UserRow.id > after).order_by(UserRow.id).limit(limit)
        fresh = query.with_for_update().execution_options(populate_existing=True)
        return tuple(map(_load, session.scalars(fresh)))

    def named(self, name_or_mail: str, session: Session | None = None) -> User | None:
        """Returns whoever has that name, or that address: a name never holds an `@`."""
        wanted = folded(name_or_mail)
        if "\x00" in wanted:
            return None
        column = UserRow.folded_mail if "@" in wanted else UserRow.folded_name
        with self._database.reading(session) as opened:
            row = opened.scalar(select(UserRow).where(column == wanted))
            return None if row is None else _load(row)

    def page(self, *, limit: int, after: str = "", session: Session | None = None) -> tuple[User, ...]:
        """Returns users with ids after that one, in the order in which they were made."""
        query = select(UserRow).where(UserRow.id > after).order_by(UserRow.id).limit(limit)
        with self._database.reading(session) as opened:
            return tuple(map(_load, opened.scalars(query)))

    def sorted_page(self, order: Order, *, limit: int, session: Session | None = None) -> tuple[User, ...]:
        """Returns users in an order of `SORTS`."""
        query = in_order(select(UserRow), order, sort_of(SORTS, order).by, UserRow.id).limit(limit)
        with self._database.reading(session) as opened:
            return tuple(map(_load, opened.scalars(query)))

    def change(self, user: User, *, session: Session) -> User:
        """Stores the user over the state that it was made from, which must have the same `rev`; returns it as it is.

        Raises `Conflict` when somebody else was quicker, `NotFound`.
        """
        row = session.get(UserRow, user.id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound(_NOBODY)
        if row.rev != user.rev:
            raise Conflict(f"the user was changed meanwhile and has rev {row.rev} now. Read it and try again.")
        _fill(row, user)
        row.rev = user.rev + 1
        session.flush()
        return _load(row)

    def with_identity(self, issuer: str, subject: str, session: Session | None = None) -> User | None:
        """Returns whoever a provider knows by that subject."""
        with self._database.reading(session) as opened:
            row = opened.get(IdentityRow, (issuer, subject))
            return None if row is None else self.get(row.user_id, opened)

    def link(self, user_id: str, issuer: str, subject: str, *, session: Session) -> None:
        """Lets a provider's subject sign in as the user. Raises `Conflict` when it is somebody's already."""
        session.add(IdentityRow(issuer=issuer, subject=subject, user_id=user_id))
        session.flush()

    def put_recovery_codes(self, user_id: str, hashes: Collection[bytes], *, session: Session) -> None:
        """Replaces the user's recovery codes."""
        session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
        session.add_all(RecoveryCodeRow(user_id=user_id, code_hash=one) for one in hashes)
        session.flush()

    def take_recovery_code(self, user_id: str, code_hash: bytes, *, session: Session) -> bool:
        """Uses a code up; returns whether it was there."""
        row = session.get(RecoveryCodeRow, (user_id, code_hash), with_for_update=True)
        if row is None:
            return False
        session.delete(row)
        session.flush()
        return True

    def put_setup_token(self, user_id: str, token_hash: bytes, *, expires_at: dt.datetime, session: Session) -> None:
        """Gives the user a token in place of any that there was."""
        session.execute(delete(SetupTokenRow).where(SetupTokenRow.user_id == user_id))
        session.add(SetupTokenRow(user_id=user_id, token_hash=token_hash, expires_at=expires_at))
        session.flush()

    def setup_token(self, user_id: str, session: Session) -> tuple[bytes, dt.datetime] | None:
        """Returns the hash of the token with which the user can set a password, and until when; None without one."""
        row = session.scalar(select(SetupTokenRow).where(SetupTokenRow.user_id == user_id))
        return None if row is None else (row.token_hash, row.expires_at)

    def hold_first(self, session: Session) -> None:
        """Lets nobody else make the first user until the session's transaction ends."""
        hold(session, INVITING)

    def take_setup_token(self, token_hash: bytes, *, now: dt.datetime, session: Session) -> User | None:
        """Uses a token up; returns whose it was, None when it is unknown, used or over."""
        row = session.get(SetupTokenRow, token_hash, with_for_update=True)
        if row is None:
            return None
        session.delete(row)
        session.flush()
        return self.get(row.user_id, session) if now < row.expires_at else None


def _fill(row: UserRow, user: User) -> None:
    row.name, row.folded_name = user.name, folded(user.name)
    row.mail, row.folded_mail = user.mail, None if user.mail is None else folded(user.mail)
    row.password_hash = user.password_hash
    grants = sorted(user.grants, key=lambda one: (one.role, sorted(one.areas)))
    row.grants = [{"role": one.role.value, "areas": sorted(one.areas)} for one in grants]
    row.assistants = sorted(user.assistants)
    row.disabled_at = user.disabled_at
    row.totp_secret, row.totp_confirmed, row.totp_step = user.totp_secret, user.totp_confirmed, user.totp_step
    row.rev = user.rev
    row.set_up_by = set_up_document(user.set_up_by)


def set_up_document(set_up: Iterable[SetUp]) -> list[dict[str, str]]:
    """Returns it as it is stored."""
    return [{"by": one.by, "at": one.at.isoformat()} for one in sorted(set_up, key=lambda one: one.by)]


def set_up_of(document: Iterable[Mapping[str, str]]) -> frozenset[SetUp]:
    """Reads what is stored."""
    return frozenset(SetUp(one["by"], dt.datetime.fromisoformat(one["at"])) for one in document)


def _load(row: UserRow) -> User:
    return User(
        id=row.id,
        name=row.name,
        mail=row.mail,
        password_hash=row.password_hash,
        grants=frozenset(
            Grant(Role(one["role"]), frozenset(msgspec.convert(one["areas"], list[str]))) for one in row.grants
        ),
        assistants=frozenset(row.assistants),
        disabled_at=row.disabled_at,
        totp_secret=row.totp_secret,
        totp_confirmed=row.totp_confirmed,
        totp_step=row.totp_step,
        created_at=row.created_at,
        rev=row.rev,
        set_up_by=set_up_of(row.set_up_by),
    )
