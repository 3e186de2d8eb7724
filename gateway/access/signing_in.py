"""Signing in with a password: the same answer after the same work for whoever is not let in."""

import hmac
from dataclasses import dataclass, replace

from gateway.access.passwords import Passwords
from gateway.access.sealing import Purpose, Seals, new_token
from gateway.access.sessions import NewSession, Now, SessionKeeper, utc_now
from gateway.access.totp import step_of
from gateway.access.tries import Failures, Tries, network_of
from gateway.errors import NotAllowed
from store.accounts import User, folded
from store.audit import AuditTrail
from store.database import Database, Transaction
from store.errors import Conflict, NotFound
from store.people import SYSTEM
from store.repositories.users import Users

_WRONG = "The name, the address or the password is wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody who wants to sign in gave."""

    name: str
    password: str
    code: str | None
    """Of the authenticator, or a recovery code."""
    address: str
    agent: str
    device: str | None = None
    """The mark of a browser that signed in here before."""
    old_token: str | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """A sign-in that succeeded."""

    session: NewSession
    device: str
    """The mark that the browser keeps, so that nobody else's tries count against it."""


class SignIn:
    """Lets people in by name or address, password and code. All methods block, for about 30 ms."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        seals: Seals,
        keeper: SessionKeeper,
        *,
        passwords: Passwords,
        tries: Tries,
        now: Now = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._seals = seals
        self._keeper = keeper
        self._passwords = passwords
        self._tries = tries
        self._now = now
        self._users = Users(database)
        self._failures = Failures()

    def sign_in(self, attempt: Attempt) -> Welcome:
        """Begins a session. Raises `NotAllowed`, `RateLimited`.

        Tries count for the account and for the address; those of a browser that signed in before for that browser
        alone, so that nobody can keep somebody out by trying wrong passwords.
        """
        user = self._users.named(attempt.name)
        counted = self._counted(attempt, user)
        self._tries.take(counted)
        kept = user.password_hash if user is not None and user.disabled_at is None else None
        if not self._passwords.is_right(kept, attempt.password) or user is None:
            self._fail(attempt, user, "password")
            raise NotAllowed("sign_in_failed", _WRONG)
        if user.has_totp and attempt.code is None:
            self._tries.give_back(counted)
            raise NotAllowed("code_required", "Send the code of your authenticator, or a recovery code, as `code`.")
        session = self._let_in(attempt, user)
        if session is None and not user.has_totp:
            self._fail(attempt, user, "password")
            raise NotAllowed("sign_in_failed", _WRONG)
        if session is None:
            self._fail(attempt, user, "code")
            raise NotAllowed("code_wrong", "The code is wrong, or was used before. Wait for the next one.")
        self._tries.give_back(counted)
        self._failures.forget(user.id)
        return Welcome(session, self._new_device(user))

    def _let_in(self, attempt: Attempt, user: User) -> NewSession | None:
        """Begins the session; None when the code does not fit, or what was looked at no longer counts."""
        renewed_hash = user.password_hash
        if self._passwords.is_outdated(user.password_hash or ""):
            renewed_hash = self._passwords.hash(attempt.password)
        try:
            with self._database.writing() as transaction:
                held = self._users.hold(user.id, session=transaction)
                if not _is_still(held, user):
                    return None
                accepted = self._with_code(replace(held, password_hash=renewed_hash), attempt.code, transaction)
                if accepted is None:
                    return None
                if accepted != held:
                    accepted = self._users.change(accepted, session=transaction)
                made = self._keeper.begin(
                    accepted,
                    method="password",
                    agent=attempt.agent,
                    old_token=attempt.old_token,
                    transaction=transaction,
                )
                self._tell(made, self._failures.count(user.id), transaction)
                return made
        except (Conflict, NotFound):
            return None

    def _tell(self, made: NewSession, failures: int, transaction: Transaction) -> None:
        user, session = made.signed_in.user, made.signed_in.session
        details = {"session": session.id, "method": session.method, "failures": failures}
        target, now = f"user {user.id}", self._now()
        self._audit.append(user.actor, "session.started", target, details, session=transaction, at=now)

    def _with_code(self, user: User, code: str | None, transaction: Transaction) -> User | None:
        """Returns the user with the code used up; None when it does not fit."""
        if not user.has_totp:
            return user
        secret = self._seals.unseal(Purpose.TOTP, user.totp_secret or b"", place=user.id)
        code = "".join((code or "").split())
        step = step_of(secret, code, at_s=self._now().timestamp(), after=user.totp_step)
        if step is not None:
            return replace(user, totp_step=step)
        marked = recovery_mark(self._seals, user.id, code)
        return user if self._users.take_recovery_code(user.id, marked, session=transaction) else None

    def _fail(self, attempt: Attempt, user: User | None, reason: str) -> None:
        """Notes the failure, with how many there were; what was typed may be a password in the wrong field."""
        count = self._failures.add(_account_of(attempt, user))
        target = f"user {user.id}" if user is not None else "unknown account"
        with self._database.writing() as transaction:
            details = {"reason": reason, "failures": count}
            self._audit.append(SYSTEM, "session.refused", target, details, session=transaction, at=self._now())

    def _counted(self, attempt: Attempt, user: User | None) -> list[str]:
        nonce, _, mark = (attempt.device or "").partition(".")
        if user is not None and hmac.compare_digest(self._device_mark(user, nonce), mark.encode(errors="replace")):
            return [f"device {nonce}"]
        return [f"account {_account_of(attempt, user)}", f"address {network_of(attempt.address)}"]

    def _new_device(self, user: User) -> str:
        nonce = new_token()
        return f"{nonce}.{self._device_mark(user, nonce).decode()}"

    def _device_mark(self, user: User, nonce: str) -> bytes:
        return self._seals.mark(Purpose.DEVICE, f"{user.id}\0{nonce}".encode(errors="replace")).hex().encode()


def _account_of(attempt: Attempt, user: User | None) -> str:
    """Returns what tries count under: one thing for an account, whether its name or its address was typed."""
    return folded(attempt.name) if user is None else user.id


def _is_still(held: User, seen: User) -> bool:
    """Whether a password that was right still is: a look takes 30 ms and more, in which it may have been reset."""
    is_same = (held.password_hash, held.totp_secret, held.totp_confirmed) == (
        seen.password_hash,
        seen.totp_secret,
        seen.totp_confirmed,
    )
    return is_same and held.disabled_at is None


def recovery_mark(seals: Seals, user_id: str, code: str) -> bytes:
    """Returns what is kept of a recovery code, however it was spelt."""
    plain = "".join(one for one in folded(code) if one.isalnum())
    return seals.mark(Purpose.RECOVERY, f"{user_id}\0{plain}".encode(errors="replace"))
