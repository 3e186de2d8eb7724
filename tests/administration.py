"""The admin surface on a real database, spoken to as whoever a test says."""

import base64
import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy
from litestar import Litestar

from gateway.access.keys import KeyWish
from gateway.access.passwords import Passwords
from gateway.access.sealing import Seals, new_token
from gateway.access.services import access_of
from gateway.access.sessions import NewSession
from gateway.access.totp import STEP_S, code_at
from gateway.access_settings import AccessSettings, OidcSettings
from gateway.administration import Administration
from gateway.analysing import Analysing
from gateway.auditing import Auditing
from gateway.beginning import Beginning, example_folder
from gateway.changing.live_suites import LiveSuites
from gateway.changing.services import changing_of
from gateway.checkpointing import Checkpointing
from gateway.credentials import KeyRing
from gateway.decision_archive import DecisionArchive
from gateway.feedback import FeedbackDesk
from gateway.http.admin.key_authenticator import KeyAuthenticator
from gateway.http.admin.session_authenticator import CredentialAuthenticator, SessionAuthenticator
from gateway.http.bearer import bearer_token
from gateway.http.client_address import count_unknown
from gateway.http.cookies import Cookies
from gateway.import_jobs import Importing
from gateway.open_work import OpenWork
from gateway.presence import PresenceDesk
from gateway.privacy import Privacy
from gateway.proxies import TrustedProxies
from gateway.rail_services import rail_services
from gateway.reviewing.making import make_review
from gateway.settings import ReviewSettings
from gateway.widget.book import ClientBook
from gateway.widget.clients import WidgetClientService
from gateway.widget.purging import VisitPurger
from gateway.widget.services import Widget
from gateway.widget.sessions import VisitKeeper
from gateway.widget.sharing import SharedTurns
from models.fakes import FakeEmbedder
from rails.fakes import InProcessSandbox
from rails.redaction import redact
from store.accounts import User
from store.audit import AuditTrail
from store.changes.suite_runs import SuiteRuns
from store.content import KeepsText
from store.database import Database
from store.import_desk import ImportDesk
from store.people import OPERATOR, Actor, Grant, Role
from store.proof.checkpoints import CheckpointFile
from store.proof.signing import Signer
from store.purging import DecisionPurger, FeedbackPurger, Purging
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackStore
from store.repositories.keys import Keys
from store.repositories.presences import Presences
from store.repositories.users import Users
from store.repositories.widget_sessions import WidgetSessions
from store.repositories.widget_turns import WidgetTurns
from store.review.purging import QuestionPurger
from store.types import Decision, KeyScope
from tests.drafts import KeptDrafts
from tests.gate_runs import FinishedGate
from tests.nearest_candidates import NearestCandidates, rehearsing_of
from tests.world import PEPPER, World

OWN_ORIGIN = "https://gateway.test"
AUDIT_KEY = b"a" * 32
ACCESS_KEY = b"x" * 32
PASSWORDS = Passwords(memory_kib=64)
"""As the real ones, and a thousand times as quick."""
PASSWORD = "nine patient otters"
PRIVACY = Privacy(b"p" * 32, redact)


def person(name: str, *roles: Role, areas: Iterable[str] = (), assistants: Iterable[str] = ()) -> Actor:
    grants = frozenset(Grant(role, frozenset(areas)) for role in roles)
    return Actor(f"user:{name}", name.title(), f"user:{name}", grants, frozenset(assistants))


class Clock:
    """A time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = dt.datetime(2026, 11, 29, 9, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.at

    def pass_by(self, **more: float) -> None:
        self.at += dt.timedelta(**more)


class TestAuthenticator:
    """Takes the bearer token for the name of an actor that the test made; everybody else shows real credentials."""

    __test__ = False

    def __init__(self, real: CredentialAuthenticator) -> None:
        self.real = real
        self.actors: dict[str, Actor] = {}

    def add(self, actor: Actor) -> Actor:
        self.actors[actor.id] = actor
        return actor

    async def actor(self, connection) -> Actor:
        token = bearer_token(connection)
        return self.actors[token] if token in self.actors else await self.real.actor(connection)


class Disliked:
    """Notes which answers did not help."""

    def __init__(self, seen: list[tuple[str, str]]) -> None:
        self._seen = seen

    def disliked(self, decision: Decision, message: str, *, at: dt.datetime) -> None:
        self._seen.append((decision.id, message))


class AdminWorld:
    """A gateway on fakes with a real database behind its admin surface."""

    def __init__(
        self,
        world: World,
        database: Database,
        folder: Path,
        settings: AccessSettings | None = None,
        oidc: OidcSettings | None = None,
        *,
        keeps_changes: bool = False,
        shares_turns: bool = False,
    ) -> None:
        """With `keeps_changes`, queue and imports draft into real changes; with `shares_turns` it is one of several."""
        self.world = world
        self.database = database
        self.folder = folder
        self.audit = AuditTrail(database, AUDIT_KEY)
        self.clock = Clock()
        self.ring = KeyRing(
            Keys(database), PEPPER, requests_per_minute=600, rate_classes={"scan": 6000}, now=self.clock.now
        )
        self.access = access_of(
            database,
            self.audit,
            self.ring,
            access_key=ACCESS_KEY,
            pepper=PEPPER,
            settings=settings or AccessSettings(),
            oidc=oidc or OidcSettings(),
            passwords=PASSWORDS,
            now=self.clock.now,
        )
        cookies = Cookies(is_plain=self.access.has_plain_cookies)
        sessions = SessionAuthenticator(self.access.keeper, self.access.profiles, cookies)
        unknown = partial(count_unknown, world.admission, self.access.proxies)
        keys = KeyAuthenticator(self.ring, Users(database).get, unknown)
        self.authenticator = TestAuthenticator(CredentialAuthenticator(sessions, keys))
        self.checkpoints = CheckpointFile(folder / "checkpoints")
        checkpointing = Checkpointing(database, AUDIT_KEY, Signer(b"s" * 32), self.checkpoints)
        self.weaker: set[str] = set()
        self.changing = changing_of(
            database,
            self.audit,
            weakens=lambda before, _: before.get("name") in self.weaker,
            unservable=lambda _live, _ahead: (),
            still_holds=lambda _person, _change: True,
            gate_of=FinishedGate,
            clock=self.clock.now,
        )
        self.candidates = NearestCandidates(FakeEmbedder())
        self.rehearsing = rehearsing_of(world, database, self.changing, self.candidates)
        self.suites = LiveSuites(
            SuiteRuns(database), self.changing.contents, world.live, world.model, clock=self.clock.now
        )
        self.drafts = KeptDrafts()
        drafts = self.changing.queue if keeps_changes else self.drafts
        self.review = make_review(
            ReviewSettings(),
            database,
            self.audit,
            world.live,
            FakeEmbedder(),
            world.model,
            drafts,
            keeps=lambda _: True,
        )
        self.purging = Purging(
            database,
            self.audit,
            PRIVACY.pseudonym,
            (
                FeedbackPurger(FeedbackStore(database)),
                QuestionPurger(database),
                VisitPurger(WidgetSessions(database), WidgetTurns(database), now=self.clock.now),
                DecisionPurger(Decisions(database)),
            ),
        )
        self.keeps: dict[str, KeepsText] = {}
        self.disliked: list[tuple[str, str]] = []
        self.importing = Importing(
            database, ImportDesk(database, self.audit, drafts), folder / "imports", most_bytes=1024 * 1024
        )
        seals = Seals(ACCESS_KEY)
        book = ClientBook(database, seals, now=self.clock.now)
        own = frozenset({OWN_ORIGIN})
        self.widget = Widget(
            book=book,
            visits=VisitKeeper(database, book, PRIVACY.pseudonym, own_origins=own),
            own_origins=own,
            proxies=TrustedProxies(),
            shared=SharedTurns(WidgetTurns(database), seals, now=self.clock.now) if shares_turns else None,
        )
        feedback = FeedbackDesk(
            database, self.audit, PRIVACY, lambda name: self.keeps.get(name, KeepsText.OFF), Disliked(self.disliked)
        )
        self.administration = Administration(
            database=database,
            audit=self.audit,
            authenticator=self.authenticator,
            auditing=Auditing(self.audit, checkpointing),
            archive=DecisionArchive(database, self.audit),
            access=self.access,
            purging=self.purging,
            reviewing=self.review.reviewing,
            suggesting=self.review.suggesting,
            feedback=feedback,
            importing=self.importing,
            changing=self.changing,
            rehearsing=self.rehearsing,
            suites=self.suites,
            presence=PresenceDesk(Presences(database), self.changing.contents, self.access.users, now=self.clock.now),
            analysing=Analysing(database, world.live, self.clock.now),
            open_work=OpenWork(self.changing, self.review.reviewing, feedback, now=self.clock.now),
            widgets=WidgetClientService(
                database,
                self.audit,
                seals,
                live=lambda: {*world.live.current.catalog.assistants, "shop"},
                changed=book.forget,
                now=self.clock.now,
            ),
            beginning=Beginning(
                database,
                self.audit,
                rail_services(FakeEmbedder),
                example=example_folder(),
                sandbox=InProcessSandbox(),
            ),
        )
        self.components = replace(world.components, administration=self.administration, widget=self.widget)

    @cached_property
    def app(self) -> Litestar:
        """The application."""
        return self.world.application(self.components)

    def client(self, actor: Actor | None = None) -> httpx.AsyncClient:
        """Gives a client that speaks as the actor, or as nobody."""
        headers = {} if actor is None else {"authorization": f"Bearer {self.authenticator.add(actor).id}"}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)

    def user(
        self,
        name: str,
        *roles: Role,
        mail: str | None = None,
        areas: Iterable[str] = (),
        assistants: Iterable[str] = (),
    ) -> User:
        """Makes somebody who has set a password."""
        grants = [Grant(role, frozenset(areas)) for role in roles]
        made = self.access.users.create(OPERATOR, name, mail=mail, grants=grants, assistants=tuple(assistants))
        return self.access.profiles.set_up(made.token, PASSWORD)

    def browser(self, *, address: str = "192.0.2.1", base_url: str = "https://gateway.test") -> httpx.AsyncClient:
        """Gives a client that keeps cookies, as somebody's browser at that address."""
        transport = httpx.ASGITransport(self.app, client=(address, 4711), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=base_url)

    async def sign_in(self, browser: httpx.AsyncClient, name: str) -> dict[str, Any]:
        """Signs in with the password of all, and sends the session's token with each write from now on."""
        told = await browser.post("/v1/admin/session", json={"name": name, "password": PASSWORD})
        assert told.status_code == 201, told.text
        browser.headers.update({"x-canongate-csrf": told.json()["csrf"], "content-type": "application/json"})
        return told.json()

    def key(self, *scopes: KeyScope, owner: str | None = None) -> str:
        """Makes an API key; gives its token."""
        wish = KeyWish(name=f"key {new_token()}", scopes=scopes)
        return self.access.keys.create(OPERATOR, wish, owner=owner).token

    def session(self, user: User, *, agent: str = "test") -> NewSession:
        """Begins a session without a password."""
        with self.database.writing() as transaction:
            return self.access.keeper.begin(
                user, method="password", agent=agent, old_token=None, transaction=transaction
            )

    async def enrol(self, browser: httpx.AsyncClient, password: str = PASSWORD) -> tuple[bytes, list[str]]:
        """Enrols an authenticator; gives its secret and the recovery codes."""
        begun = await browser.post("/v1/admin/profile/totp", json={"password": password})
        assert begun.status_code == 200, begun.text
        text = begun.json()["secret"]
        secret = base64.b32decode(text + "=" * (-len(text) % 8))
        code = code_at(secret, int(self.clock.at.timestamp()) // STEP_S)
        confirmed = await browser.post("/v1/admin/profile/totp/confirm", json={"code": code})
        assert confirmed.status_code == 200, confirmed.text
        return secret, confirmed.json()["codes"]

    def dump(self) -> bytes:
        """Gives everything that the database has on the disk."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("admin.db*")))

    def count(self, table: str) -> int:
        with self.database.reading() as session:
            return session.execute(sqlalchemy.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 -- ours
