"""Blocks personal data, or masks it: contacts, payment details, and the numbers that states give to people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from rails.definition import OnFail, Probes, RailDefinition, RailParams, RailServices, probes_of
from rails.nemo import RailOutcome, request_context, rewritten, verdict
from rails.recognisers.births import find_births
from rails.recognisers.contacts import find_addresses, find_emails
from rails.recognisers.finding import Entity, Finding, Reading
from rails.recognisers.identities import find_identities
from rails.recognisers.payments import find_cards, find_ibans
from rails.recognisers.phones import find_phones
from rails.types import Stage

_ORDER = (
    # Where two readings of the same digits overlap, the one with the harder proof counts.
    find_emails,
    find_ibans,
    find_cards,
    find_identities,
    find_addresses,
    find_births,
    find_phones,
)
_ANY_NAME = "*@"


class Treatment(StrEnum):
    """What becomes of one kind of personal data."""

    BLOCK = "block"
    """The text goes no further."""
    MASK = "mask"
    """The text goes on with `[email]`, `[card]` and so on in its place; needs `on_fail: transform`."""
    ALLOW = "allow"
    """It may stay."""


class PersonalParams(RailParams, frozen=True, kw_only=True, tag="personal"):
    """How each kind is treated, and which contacts anybody may read."""

    entities: dict[Entity, Treatment] = msgspec.field(default_factory=dict)
    """Kinds that are not named are masked under `on_fail: transform` and blocked otherwise."""
    approved: Annotated[tuple[Annotated[str, Meta(min_length=3, max_length=200)], ...], Meta(max_length=200)] = ()
    """The organisation's own contacts: `desk@a.example`, `*@a.example`, `+49 30 901820`. The same digits in another
    spelling are the same number. What stands in an answer's facts was approved with them and needs no entry."""

    def __post_init__(self) -> None:
        masked = [entity.value for entity, treatment in self.entities.items() if treatment is Treatment.MASK]
        if masked and self.on_fail is not OnFail.TRANSFORM:
            raise ValueError(f"masking {masked[0]!r} changes the text, which needs `on_fail: transform` in this entry")
        if all(self.treatment(entity) is Treatment.ALLOW for entity in Entity):
            raise ValueError("everything is allowed, so the rail does nothing; take it out or allow less")
        if any(not _squeezed(contact) for contact in self.approved):
            raise ValueError("an approved contact has neither letters nor digits")

    def treatment(self, entity: Entity) -> Treatment:
        """Returns what becomes of `entity`."""
        return self.entities.get(entity, Treatment.MASK if self.on_fail is OnFail.TRANSFORM else Treatment.BLOCK)


@dataclass(frozen=True, slots=True)
class Approved:
    """Contacts that anybody may read, as they are compared."""

    values: frozenset[str]
    hosts: frozenset[str]

    def has(self, value: str) -> bool:
        """Whether the policy names `value`, in whatever spelling."""
        _, sign, host = value.casefold().rpartition("@")
        return (bool(sign) and host in self.hosts) or _squeezed(value) in self.values


def prepare(params: PersonalParams, _services: RailServices) -> Approved:
    """Returns the approved contacts, ready to compare."""
    hosts = (contact for contact in params.approved if contact.startswith(_ANY_NAME))
    values = (contact for contact in params.approved if not contact.startswith(_ANY_NAME))
    return Approved(
        frozenset(map(_squeezed, values)), frozenset(host.removeprefix(_ANY_NAME).casefold() for host in hosts)
    )


def find(reading: Reading) -> list[Finding]:
    """Returns the personal data in a text, in its order and without overlaps."""
    found: list[Finding] = []
    for finder in _ORDER:
        for finding in finder(reading):
            if all(finding.end <= other.start or other.end <= finding.start for other in found):
                found.append(finding)
    return sorted(found, key=lambda finding: finding.start)


def masked(text: str, findings: Iterable[Finding]) -> str:
    """Returns `text` with each finding's kind in its place."""
    parts, at = [], 0
    for finding in findings:
        parts += [text[at : finding.start], f"[{finding.entity.value}]"]
        at = finding.end
    return "".join([*parts, text[at:]])


async def check(text: str, params: PersonalParams, prepared: Approved) -> RailOutcome:
    """Returns the verdict on personal data in `text`, or the text with it masked."""
    reading = Reading.of(text)
    found = [finding for finding in find(reading) if params.treatment(finding.entity) is not Treatment.ALLOW]
    if found:
        facts = _squeezed(request_context().facts)
        values = (reading.plain[finding.start : finding.end] for finding in found)
        found = [
            finding
            for finding, value in zip(found, values, strict=True)
            if not prepared.has(value) and _squeezed(value) not in facts
        ]
    if not found:
        return verdict(None)
    blocking = [finding for finding in found if params.treatment(finding.entity) is Treatment.BLOCK]
    if blocking:
        return verdict(f"personal.{blocking[0].entity.value}")
    return rewritten(masked(reading.text, found), f"personal.{found[0].entity.value}")


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, Reading.of(text).plain)).casefold()


_EXAMPLES = {
    Entity.EMAIL: "Write to jo.miller@post.example today.",
    Entity.PHONE: "My phone number is +1 212 555 0142.",
    Entity.CARD: "The card is 4111 1111 1111 1111.",
    Entity.IBAN: "Pay to GB82 WEST 1234 5698 7654 32.",
    Entity.SSN: "My SSN is 219-09-8765.",
    Entity.NATIONAL_ID: "Mi DNI es 12345678Z.",
    Entity.TAX_NUMBER: "O CPF dela: 529.982.247-25.",
    Entity.PASSPORT: "Passport number X1234567.",
    Entity.BIRTH_DATE: "She was born on 12 March 1985.",
    Entity.IP: "It came from 81.2.69.142.",
}


def _probes(params: PersonalParams) -> Probes:
    return probes_of(
        blocked=[text for entity, text in _EXAMPLES.items() if params.treatment(entity) is not Treatment.ALLOW],
        passed=["INC-123456 since 12/05/2024 at 10:30 in room 4.12: version 10.0.19045 on 192.168.1.20 costs 1,250.00"],
    )


RAIL = RailDefinition(
    name="personal",
    stages=frozenset({Stage.INPUT, Stage.OUTPUT}),
    params=PersonalParams,
    check=check,
    probes=_probes,
    may_rewrite=True,
    prepare=prepare,
)
