"""Finds the topic of a policy's dialog that a message is about, by the nearest of the topics' examples."""

from dataclasses import dataclass

from rails.definition import Neighbours, RailServices
from rails.dialog_document import Dialog, Topic
from rails.errors import PolicyInvalid


@dataclass(frozen=True, slots=True)
class Topics:
    """The examples of all topics in one index; immutable, safe to ask from several threads."""

    _services: RailServices
    _index: Neighbours
    _rows: tuple[tuple[Topic, float], ...]
    """Of each example: its topic, and how near a message must be."""

    @classmethod
    def of(cls, dialog: Dialog, services: RailServices) -> "Topics":
        """Embeds the examples. Raises `PolicyInvalid` without an embedder: a dialog without its means is missing."""
        if services.embed is None or services.neighbours is None:
            raise PolicyInvalid("dialog: it needs the embedder to tell what a message is about. Configure one.")
        rows = tuple((topic, dialog.limit_of(topic), said) for topic in dialog.topics for said in topic.examples)
        vectors = services.embed([said for _, _, said in rows])
        return cls(services, services.neighbours(vectors), tuple((topic, limit) for topic, limit, _ in rows))

    def topic_of(self, message: str) -> Topic | None:
        """Returns the topic of the nearest example when that is near enough. Raises whatever the services raise."""
        if self._services.embed is None:
            raise TypeError("topics were made without an embedder. This is a bug.")
        (vector,) = self._services.embed([message])
        similarities, rows = self._index.nearest(vector, 1)
        topic, limit = self._rows[int(rows[0])]
        return topic if float(similarities[0]) >= limit else None
