"""The widget's services as one value, and what runs as long as they do."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
from anyio import to_thread

from gateway.access.sealing import Seals
from gateway.errors import NotServing
from gateway.proxies import TrustedProxies
from gateway.widget.answers import AnswersAtWork
from gateway.widget.book import ClientBook
from gateway.widget.conversations import Conversations
from gateway.widget.sessions import VisitKeeper
from gateway.widget.sharing import SharedTurns
from store.database import Database
from store.repositories.widget_turns import WidgetTurns

_SWEPT_EVERY_S = 60.0
_LOOKED_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Widget:
    """Everything that the widget's routes call."""

    book: ClientBook
    visits: VisitKeeper
    own_origins: frozenset[str]
    """Of the gateway's own pages."""
    proxies: TrustedProxies
    """Whose word about a client's address is believed."""
    answers: AnswersAtWork = field(default_factory=AnswersAtWork)
    conversations: Conversations = field(default_factory=Conversations)
    shared: SharedTurns | None = None
    """What other gateways on the same database know too; None where there can be no other."""

    async def follow(self) -> None:
        """Throws away what is over once a minute, for as long as it runs; at the end all work is ended."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_unwanted)
            await self._sweep()

    async def stop_unwanted(self) -> None:
        """Ends work here that was stopped or forgotten at another gateway."""
        if self.shared is not None and (places := self.answers.at_work):
            for place in await self.shared.unwanted(places):
                self.answers.stop_at(place)

    async def _stop_unwanted(self) -> None:
        while self.shared is not None:
            await anyio.sleep(_LOOKED_EVERY_S)
            try:
                await self.stop_unwanted()
            except NotServing:  # the database is away for a moment
                continue

    async def _sweep(self) -> None:
        try:
            while True:
                await anyio.sleep(_SWEPT_EVERY_S)
                self.answers.shelf.sweep()
                self.conversations.shelf.sweep()
                await to_thread.run_sync(self.visits.forget)
                if self.shared is not None:
                    await self.shared.expire()
        except anyio.get_cancelled_exc_class():  # and not when the database is away for a while
            self.answers.stop_all()
            raise


def widget_of(
    database: Database,
    seals: Seals,
    pseudonym: Callable[[str], str | None],
    *,
    own_origins: frozenset[str],
    proxies: TrustedProxies,
) -> Widget:
    """Makes the services over one database."""
    book = ClientBook(database, seals)
    return Widget(
        book=book,
        visits=VisitKeeper(database, book, pseudonym, own_origins=own_origins),
        own_origins=own_origins,
        proxies=proxies,
        shared=None if database.is_sqlite else SharedTurns(WidgetTurns(database), seals),
    )
