"""The widget's services as one value, and what runs as long as they do."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
from anyio import to_thread

from gateway.access.sealing import Seals
from gateway.proxies import TrustedProxies
from gateway.widget.answers import AnswersAtWork
from gateway.widget.book import ClientBook
from gateway.widget.conversations import Conversations
from gateway.widget.sessions import VisitKeeper
from store.database import Database

_SWEPT_EVERY_S = 60.0


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

    async def follow(self) -> None:
        """Throws away what is over once a minute, for as long as it runs; at the end all work is ended."""
        try:
            while True:
                await anyio.sleep(_SWEPT_EVERY_S)
                self.answers.shelf.sweep()
                self.conversations.shelf.sweep()
                await to_thread.run_sync(self.visits.forget)
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
    )
