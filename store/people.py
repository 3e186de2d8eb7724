"""Who acts on the store: roles, where they hold, and who answers for what was done."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SETTLES_AFTER = dt.timedelta(days=14)
"""How long before a change an account must have been set up to be nobody else's: time for its person to notice."""


class Role(StrEnum):
    """What somebody may do; each is given by itself, none contains another."""

    VIEWER = "viewer"
    """Reads content, changes, figures and redacted decisions."""
    EDITOR = "editor"
    """Drafts changes and submits them. Never approves or publishes."""
    APPROVER = "approver"
    """Approves, publishes and reverts changes of others, in the areas of the grant."""
    AUDITOR = "auditor"
    """Reads everything, the audit trail too, and changes nothing."""
    ADMIN = "admin"
    """Manages people, keys, settings; may publish in an emergency, which is flagged."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role and where it holds."""

    role: Role
    areas: frozenset[str] = frozenset()
    """Areas of prompts; empty means everywhere."""

    def holds_in(self, area: str | None) -> bool:
        """Whether the role holds in that area; None asks whether it holds anywhere."""
        return area is None or not self.areas or area in self.areas


@dataclass(frozen=True, slots=True)
class SetUp:
    """That somebody gave an account its password, authenticator or roles, and so could act as its person."""

    by: str
    """The person who did."""
    at: dt.datetime
    """The last time."""


def hands_behind(set_up: Iterable[SetUp], since: dt.datetime) -> frozenset[str]:
    """Returns the persons whom an account counts as, besides its own, in what began at `since`."""
    return frozenset(one.by for one in set_up if one.at > since - SETTLES_AFTER)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is behind a change, as the credential says."""

    id: str
    """`user:<id>`, `key:<id>` or `system`."""
    name: str
    person: str
    """The person who answers for it: a key's owner. Two actors of one person cannot approve each other."""
    grants: frozenset[Grant]
    assistants: frozenset[str] = frozenset()
    """Assistants whose decisions, questions and feedback it may see: its tenant. Empty means all."""
    set_up_by: frozenset[SetUp] = frozenset()
    """Who else may be behind its person."""

    def may(self, role: Role, area: str | None = None) -> bool:
        """Whether the actor has the role, in that area when one is named."""
        return any(grant.role is role and grant.holds_in(area) for grant in self.grants)

    def may_everywhere(self, *roles: Role) -> bool:
        """Whether the actor has one of the roles in all areas."""
        return any(grant.role in roles and not grant.areas for grant in self.grants)

    def may_see(self, assistant: str) -> bool:
        """Whether the assistant belongs to the actor's tenant."""
        return not self.assistants or assistant in self.assistants


SYSTEM = Actor(id="system", name="canongate", person="system", grants=frozenset())
"""Scheduled work: it acts for whoever ordered it, whom the details name."""

OPERATOR = Actor(id="operator", name="command line", person="operator", grants=frozenset({Grant(Role.ADMIN)}))
"""Whoever runs commands on the machine, and so has the files anyway."""
