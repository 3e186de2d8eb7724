"""What a browser keeps between the two steps of a sign-in: the name and the password, which nobody else can read."""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass

import msgspec

from gateway.access.sealing import Purpose, Seals
from gateway.access.sessions import Now, utc_now
from gateway.errors import NotAllowed, SettingsInvalid

LIFETIME = dt.timedelta(minutes=5)
_PLACE = "sign-in"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A password that was right, until the code comes."""

    name: str
    password: str
    until: dt.datetime


class Tickets:
    """Seals them: a page shows no password, and the gateway keeps nothing for people who are not let in yet."""

    def __init__(self, seals: Seals, *, now: Now = utc_now) -> None:
        self._seals = seals
        self._now = now

    def make(self, name: str, password: str) -> str:
        """Returns the ticket as text."""
        made = msgspec.json.encode(Ticket(name, password, self._now() + LIFETIME))
        return base64.urlsafe_b64encode(self._seals.seal(Purpose.TICKET, made, place=_PLACE)).decode()

    def open(self, text: str) -> Ticket:
        """Returns what was sealed. Raises `NotAllowed` for a ticket that is too old, or not ours."""
        try:
            plain = self._seals.unseal(Purpose.TICKET, base64.urlsafe_b64decode(text.encode()), place=_PLACE)
        except (binascii.Error, ValueError, SettingsInvalid) as error:
            raise NotAllowed("sign_in_expired", "This sign-in took too long. Begin again.") from error
        found = msgspec.json.decode(plain, type=Ticket)
        if self._now() >= found.until:
            raise NotAllowed("sign_in_expired", "This sign-in took too long. Begin again.")
        return found
