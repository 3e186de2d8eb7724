"""What was said in a widget a moment ago, in memory alone, so that a reloaded page can show it again."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import InvalidRequest
from gateway.widget.keeping import Bounds, Shelf
from gateway.widget.sessions import Visit

MOST_TURNS = 50
CONVERSATIONS = Bounds(lifetime_s=1800.0, client_bytes=16 * 2**20, bytes=64 * 2**20, entries=20_000)
_ENTRY_BYTES = 500
"""What a turn or a conversation takes beside its texts."""


@dataclass(slots=True)
class Turn:
    """A question and, once there is one, its answer as JSON."""

    key: str
    message: str
    answer: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes, about."""
        return _ENTRY_BYTES + 4 * len(self.message) + len(self.answer or b"")


@dataclass(slots=True)
class Conversation:
    """A conversation of one holder; its id is as good as a password for visitors who are not known."""

    id: str
    client: str
    holder: str
    turns: deque[Turn] = field(default_factory=lambda: deque(maxlen=MOST_TURNS))

    @property
    def size(self) -> int:
        """Bytes, about."""
        return _ENTRY_BYTES + sum(one.size for one in self.turns)

    @property
    def may_go(self) -> bool:
        """Whether it can be thrown away."""
        return True


class Conversations:
    """Keeps conversations for half an hour after their last question; for the event loop alone."""

    def __init__(self, bounds: Bounds = CONVERSATIONS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.shelf: Shelf[str, Conversation] = Shelf(bounds, clock=clock)

    def ask(self, visit: Visit, wanted: str | None, key: str, message: str) -> Conversation:
        """Adds a question to the visit's conversation with that id, or to a new one where it has none."""
        found = self._find(visit, wanted) if wanted else None
        conversation = found or Conversation(secrets.token_urlsafe(16), visit.client.id, visit.holder)
        _take_out(conversation, key)  # asked anew under its key, after it came to nothing
        conversation.turns.append(Turn(key, message))
        self.shelf.put(conversation.id, conversation)
        return conversation

    def adopt(self, visit: Visit, conversation_id: str) -> None:
        """Makes the place for a conversation of the visit that another gateway knows, if it is not here."""
        if self.shelf.get(conversation_id) is None:
            self.shelf.put(conversation_id, Conversation(conversation_id, visit.client.id, visit.holder))

    def answer(self, conversation: Conversation, key: str, answer: bytes) -> None:
        """Adds the answer to a question; nothing, where the conversation was forgotten meanwhile."""
        if self.shelf.get(conversation.id) is not conversation:
            return
        for turn in conversation.turns:
            if turn.key == key:
                turn.answer = answer
        self.shelf.put(conversation.id, conversation)

    def withdraw(self, conversation: Conversation, key: str) -> None:
        """Takes back a question that was turned away before any work began."""
        _take_out(conversation, key)
        if self.shelf.get(conversation.id) is conversation:
            self.shelf.put(conversation.id, conversation)

    def get(self, visit: Visit, conversation_id: str) -> Conversation:
        """Returns a conversation of the visit. Raises `InvalidRequest` (404)."""
        found = self._find(visit, conversation_id)
        if found is None:
            raise gone()
        return found

    def forget(self, visit: Visit, conversation_id: str) -> tuple[str, ...]:
        """Throws a conversation away, if it is the visit's; returns the keys of its answers."""
        found = self._find(visit, conversation_id)
        if found is None:
            return ()
        self.shelf.drop(conversation_id)
        return tuple(turn.key for turn in found.turns)

    def _find(self, visit: Visit, conversation_id: str) -> Conversation | None:
        found = self.shelf.get(conversation_id)
        return found if found is not None and found.holder == visit.holder else None


def gone() -> InvalidRequest:
    """Returns the refusal of a conversation that is not kept (404)."""
    return InvalidRequest("conversation_gone", "There is no such conversation any more. Begin a new one.")


def _take_out(conversation: Conversation, key: str) -> None:
    kept = [turn for turn in conversation.turns if turn.key != key]
    conversation.turns.clear()
    conversation.turns.extend(kept)
