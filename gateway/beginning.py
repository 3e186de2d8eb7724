"""The first publish of an empty store: an administrator makes the example, or a bundle, live without a second person.

Changes cannot make it: they need somebody to approve them, and until something is live there is nothing to ask, so
nothing could be protected from a wrong answer. From the second publish on, everything goes through a change.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from gateway.content import import_bundle, read_folder
from rails.definition import NO_SERVICES, RailServices
from rails.errors import PolicyInvalid, ProbeFailed
from rails.sandbox import SANDBOX, PolicySandbox
from store.audit import AuditTrail
from store.catalog import live_revision
from store.database import Database, Transaction
from store.errors import Conflict, InvalidContent, NotFound, Refused
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, parse_bundle
from store.people import Actor, Role
from store.publish_plan import PublishReport

PACKAGED: Final = Path(__file__).parent / "example"
"""Where a wheel has the example help desk."""
WRITTEN: Final = Path(__file__).resolve().parents[1] / "examples" / "helpdesk"
BEGUN: Final = "content.begun"
"""The row of the audit trail."""
_KEY = "key:"
_PARTS = ("assistants", "policies", "prompts")


def example_folder() -> Path | None:
    """Returns the folder of the example help desk, None where it is not installed."""
    return next((one for one in (PACKAGED, WRITTEN) if one.is_dir()), None)


class Beginning:
    """Publishes into a store in which nothing was ever published. Blocks for seconds: use a thread."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        services: RailServices = NO_SERVICES,
        *,
        example: Path | None,
        sandbox: PolicySandbox = SANDBOX,
    ) -> None:
        self._database = database
        self._audit = audit
        self._services = services
        self._example = example
        self._sandbox = sandbox
        self._guard = Lock()

    @property
    def has_example(self) -> bool:
        """Whether the example is installed here."""
        return self._example is not None

    def is_open(self) -> bool:
        """Whether nothing was ever published."""
        return live_revision(self._database) == 0

    def is_open_to(self, actor: Actor) -> bool:
        """Whether the actor may begin now."""
        return _is_allowed(actor) and self.is_open()

    def with_example(self, actor: Actor) -> PublishReport:
        """Publishes the example help desk.

        Raises `Refused` for whoever is no administrator of everything, `Conflict` once anything is live or while
        somebody else begins, `NotFound` where the example is not installed.
        """
        self._require(actor)
        if self._example is None:
            raise NotFound("the example is not installed here. Begin with a bundle.")
        bundle, written = read_folder(self._example)
        return self._publish(actor, bundle, "example", written)

    def with_bundle(self, actor: Actor, data: bytes, writing: Writing) -> PublishReport:
        """Publishes a bundle that is one file.

        Raises as `with_example` does, and `InvalidContent` with every mistake that was found.
        """
        self._require(actor)
        bundle = parse_bundle(data, writing)
        if missing := [name for name in _PARTS if not getattr(bundle, name)]:
            told = " and no ".join(missing)
            raise InvalidContent(f"bundle: it has no {told}, so nobody could ask anything. Add them.")
        return self._publish(actor, bundle, "bundle", {})

    def _publish(self, actor: Actor, bundle: Bundle, source: str, written: Mapping[str, str]) -> PublishReport:
        def join(transaction: Transaction, report: PublishReport) -> None:
            details = {"with": source, "documents": len(report.added)}
            self._audit.append(actor, BEGUN, f"revision {report.revision}", details, session=transaction)

        if not self._guard.acquire(blocking=False):
            raise Conflict("somebody else is at it right now. Look again in a moment.", rule="beginning_busy")
        try:
            return import_bundle(
                self._database,
                bundle,
                written=written,
                note=source,
                services=self._services,
                sandbox=self._sandbox,
                author=actor.person,
                based_on=0,
                joined=join,
            )
        except Conflict as error:
            raise _begun() from error
        except (PolicyInvalid, ProbeFailed) as error:
            raise InvalidContent(str(error)) from error
        finally:
            self._guard.release()

    def _require(self, actor: Actor) -> None:
        if actor.id.startswith(_KEY):
            raise Refused("person_needed", "Only a person who signed in begins; no key does.")
        if not _is_allowed(actor):
            raise Refused("insufficient_role", "Only an administrator of everything begins.")
        if not self.is_open():
            raise _begun()


def _is_allowed(actor: Actor) -> bool:
    return actor.may_everywhere(Role.ADMIN) and not actor.assistants and not actor.id.startswith(_KEY)


def _begun() -> Conflict:
    return Conflict(
        "something is published already, so this is no longer possible. Make a change, and have it approved.",
        rule="already_begun",
    )
