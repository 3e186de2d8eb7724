"""What people do with their own account: set and change a password, enrol an authenticator."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace

from gateway.access.passwords import Passwords, require_good
from gateway.access.sealing import Purpose, Seals, hash_of
from gateway.access.sessions import Now, SessionKeeper, SignedIn, utc_now
from gateway.access.signing_in import recovery_mark
from gateway.access.totp import address, base32, new_secret, step_of
from gateway.access.tries import Tries
from gateway.access.users import require_mail
from gateway.errors import NotAllowed
from store.accounts import User
from store.audit import AuditTrail
from store.database import Database
from store.errors import Conflict
from store.people import Role
from store.repositories.users import Users

_RECOVERY_CODES = 10
_CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike."""
_CODE_CHARS = 16
"""79 bits."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The secret for an authenticator app, shown once."""

    secret: str
    address: str


class ProfileService:
    """People's own accounts. All methods block."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        seals: Seals,
        keeper: SessionKeeper,
        *,
        passwords: Passwords,
        tries: Tries,
        totp_required_for: Collection[Role] = (),
        now: Now = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._seals = seals
        self._keeper = keeper
        self._passwords = passwords
        self._tries = tries
        self._required_for = frozenset(totp_required_for)
        self._now = now
        self._users = Users(database)

    def must_enrol(self, signed_in: SignedIn) -> bool:
        """Whether the session is good for nothing but enrolling an authenticator."""
        is_required = any(signed_in.user.actor.may(role) for role in self._required_for)
        return is_required and not signed_in.user.has_totp and signed_in.session.method == "password"

    def set_up(self, token: str, password: str) -> User:
        """Sets a password with a token that is good once. Raises `NotAllowed`, `InvalidContent` keeps the token."""
        with self._database.writing() as transaction:
            user = self._users.take_setup_token(hash_of(token), now=self._now(), session=transaction)
            if user is None or user.disabled_at is not None:
                raise NotAllowed("invalid_setup_token", "The token is wrong, was used, or is over. Ask for a new one.")
            require_good(password, name=user.name, mail=user.mail)
            changed = replace(user, password_hash=self._passwords.hash(password))
            after = self._users.change(changed, session=transaction)
            self._keeper.end_all(after, transaction=transaction)
            target = f"user {user.id}"
            self._audit.append(user.actor, "user.password_set", target, session=transaction, at=self._now())
            return after

    def change_password(self, signed_in: SignedIn, old: str, new: str) -> User:
        """Changes the password; all other sessions end. Raises `NotAllowed`, `RateLimited`, `InvalidContent`."""
        user = self._require_password(signed_in, old)
        require_good(new, name=user.name, mail=user.mail)
        changed = replace(user, password_hash=self._passwords.hash(new))
        return self._store(signed_in, changed, "user.password_changed", ends_others=True)

    def change_mail(self, signed_in: SignedIn, mail: str | None, *, rev: int) -> User:
        """Changes the address. Raises `Conflict`, `InvalidContent`."""
        require_mail(mail)
        holder = self._users.named(mail) if mail else None
        if holder is not None and holder.id != signed_in.user.id:
            raise Conflict("the address is somebody's already. Choose another one.", rule="address_taken")
        return self._store(signed_in, replace(signed_in.user, mail=mail, rev=rev), "user.mail_changed")

    def enrol(self, signed_in: SignedIn, password: str) -> Enrolment:
        """Makes a secret that counts once it is confirmed. Raises `NotAllowed`, `Conflict` when there is one."""
        user = self._require_password(signed_in, password)
        if user.has_totp:
            raise Conflict("there is an authenticator already. Disable it first.")
        secret = new_secret()
        sealed = self._seals.seal(Purpose.TOTP, secret, place=user.id)
        changed = replace(user, totp_secret=sealed, totp_confirmed=False, totp_step=0)
        self._store(signed_in, changed, "user.totp_enrolled")
        return Enrolment(base32(secret), address(secret, name=user.name))

    def confirm(self, signed_in: SignedIn, code: str) -> tuple[str, ...]:
        """Turns the authenticator on and returns the recovery codes, once. Raises `NotAllowed`, `Conflict`."""
        user = signed_in.user
        if user.totp_secret is None or user.totp_confirmed:
            raise Conflict("there is no authenticator that waits for its first code.")
        counted = [f"profile {user.id}"]
        self._tries.take(counted)
        secret = self._seals.unseal(Purpose.TOTP, user.totp_secret, place=user.id)
        plain = "".join(code.split())
        step = step_of(secret, plain, at_s=self._now().timestamp(), after=user.totp_step)
        if step is None:
            raise NotAllowed("code_wrong", "The code is wrong. Check the clock of the device, and try the next one.")
        self._tries.give_back(counted)
        codes = tuple(_new_code() for _ in range(_RECOVERY_CODES))
        changed = replace(user, totp_confirmed=True, totp_step=step)
        self._store(signed_in, changed, "user.totp_confirmed", codes=codes, ends_others=True)
        return codes

    def disable_totp(self, signed_in: SignedIn, password: str) -> User:
        """Takes the authenticator away. Raises `NotAllowed`, `Conflict` when a role of the person needs one."""
        user = self._require_password(signed_in, password)
        if any(user.actor.may(role) for role in self._required_for):
            raise Conflict("one of your roles needs an authenticator, so it cannot be taken away.")
        changed = replace(user, totp_secret=None, totp_confirmed=False)
        return self._store(signed_in, changed, "user.totp_disabled", codes=())

    def _require_password(self, signed_in: SignedIn, password: str) -> User:
        user = signed_in.user
        counted = [f"profile {user.id}"]
        self._tries.take(counted)
        if not self._passwords.is_right(user.password_hash, password):
            raise NotAllowed("wrong_password", "The password is wrong.")
        self._tries.give_back(counted)
        return user

    def _store(
        self,
        signed_in: SignedIn,
        changed: User,
        action: str,
        *,
        codes: Collection[str] | None = None,
        ends_others: bool = False,
    ) -> User:
        with self._database.writing() as transaction:
            after = self._users.change(changed, session=transaction)
            if codes is not None:
                marks = [recovery_mark(self._seals, after.id, one) for one in codes]
                self._users.put_recovery_codes(after.id, marks, session=transaction)
            details: dict[str, object] = {}
            if ends_others:
                but = signed_in.session.id
                details["sessions_ended"] = self._keeper.end_all(after, but=but, transaction=transaction)
            target, now = f"user {after.id}", self._now()
            self._audit.append(after.actor, action, target, details, session=transaction, at=now)
            return after


def _new_code() -> str:
    letters = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_CHARS))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_CHARS, 4))
