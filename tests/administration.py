"""The admin surface on a real database, spoken to as whoever a test says."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import httpx

from gateway.administration import Administration
from gateway.app import create_app
from gateway.auditing import Auditing
from gateway.checkpointing import Checkpointing
from gateway.decision_archive import DecisionArchive
from gateway.errors import NotAllowed
from gateway.http.bearer import bearer_token
from gateway.privacy import Privacy
from gateway.reviewing.making import make_review
from gateway.settings import ReviewSettings
from models.fakes import FakeEmbedder
from rails.redaction import redact
from store.audit import AuditTrail
from store.database import Database
from store.people import Actor, Grant, Role
from store.proof.checkpoints import CheckpointFile
from store.proof.signing import Signer
from store.purging import DecisionPurger, Purging
from store.repositories.decisions import Decisions
from tests.drafts import KeptDrafts
from tests.world import World

AUDIT_KEY = b"a" * 32
PRIVACY = Privacy(b"p" * 32, redact)


def person(name: str, *roles: Role, areas: Iterable[str] = (), assistants: Iterable[str] = ()) -> Actor:
    grants = frozenset(Grant(role, frozenset(areas)) for role in roles)
    return Actor(f"user:{name}", name.title(), f"user:{name}", grants, frozenset(assistants))


class TestAuthenticator:
    """Takes the bearer token for the name of an actor that the test made."""

    __test__ = False

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    def add(self, actor: Actor) -> Actor:
        self.actors[actor.id] = actor
        return actor

    async def actor(self, connection) -> Actor:
        token = bearer_token(connection)
        if token not in self.actors:
            raise NotAllowed("invalid_api_key", "The API key is missing, wrong, expired or revoked.")
        return self.actors[token]


class AdminWorld:
    """A gateway on fakes with a real database behind its admin surface."""

    def __init__(self, world: World, database: Database, folder: Path) -> None:
        self.world = world
        self.database = database
        self.audit = AuditTrail(database, AUDIT_KEY)
        self.authenticator = TestAuthenticator()
        self.checkpoints = CheckpointFile(folder / "checkpoints")
        checkpointing = Checkpointing(database, AUDIT_KEY, Signer(b"s" * 32), self.checkpoints)
        self.drafts = KeptDrafts()
        self.review = make_review(
            ReviewSettings(),
            database,
            self.audit,
            world.live,
            FakeEmbedder(),
            world.model,
            self.drafts,
            keeps=lambda _: True,
        )
        self.administration = Administration(
            database=database,
            audit=self.audit,
            authenticator=self.authenticator,
            auditing=Auditing(self.audit, checkpointing),
            archive=DecisionArchive(database, self.audit),
            purging=Purging(database, self.audit, PRIVACY.pseudonym, (DecisionPurger(Decisions(database)),)),
            reviewing=self.review.reviewing,
            suggesting=self.review.suggesting,
        )
        self.components = replace(world.components, administration=self.administration)
        self.app = create_app(self.components)

    def client(self, actor: Actor | None = None) -> httpx.AsyncClient:
        """Gives a client that speaks as the actor, or as nobody."""
        headers = {} if actor is None else {"authorization": f"Bearer {self.authenticator.add(actor).id}"}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)
