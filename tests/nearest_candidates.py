"""States of changes with real policies and a real index, matched by the nearest phrasing: nothing is fitted."""

import threading

from gateway.changing.rehearsing import Rehearsing
from gateway.changing.services import Changing
from gateway.fitting.process import Progress
from gateway.live import LiveState
from gateway.publisher import compile_policies
from models.ports import Embedder
from rails.definition import RailServices
from rails.languages import unread_by
from rails.runner import RailRunner
from store.catalog import Catalog
from store.database import Database
from store.index import PromptIndex
from store.matcher import Matcher
from tests.building import scope
from tests.world import World


class NearestCandidates:
    """Makes states; a test may say what keeps them from being made, or hold them back."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.made = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def state_of(self, live: Catalog, ahead: Catalog, runner: RailRunner, step: Progress) -> LiveState:
        step("checking the documents", 0, 1)
        self.gate.wait()
        if self.error is not None:
            raise self.error
        index = PromptIndex.build(ahead, self.embedder.embed, dimension=self.embedder.dimension)
        scopes = {name: scope(one.areas) for name, one in ahead.assistants.items()}
        matcher = Matcher(index, self.embedder.embed, scopes, is_unread=unread_by(None))
        self.made += 1
        return LiveState(ahead, matcher, compile_policies(ahead, runner, RailServices()))


def rehearsing_of(world: World, database: Database, changing: Changing, candidates: NearestCandidates) -> Rehearsing:
    """Makes what asks drafts of the database, beside what the world serves."""
    settings, live = world.components.settings, world.live
    return Rehearsing(
        database, changing.views, candidates, live, world.model, admission=world.admission, settings=settings
    )
