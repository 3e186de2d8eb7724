"""The dialog of a policy as it is written: what a greeting, a thank-you or the wish for a person is answered with."""

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated

import msgspec
from msgspec import Meta

from rails.errors import PolicyInvalid
from rails.refusals import refusal_language

MOST_TOPICS = 40
"""Each topic is a flow, and NeMo looks at every flow for every message."""

TopicName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
LanguageTag = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
Example = Annotated[str, Meta(min_length=1, max_length=200)]
ReplyText = Annotated[str, Meta(min_length=1, max_length=1000)]
Variants = Annotated[tuple[ReplyText, ...], Meta(min_length=1, max_length=3)]
Similarity = Annotated[float, Meta(ge=0.3, le=1.0)]

# NeMo would read these as a variable, a template, an escape or an end of line, and show another text.
_SIGNS = "{}$\\"
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})


class DialogContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes over."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    email: str = ""
    phone: str = ""
    url: str = ""
    hours: str = ""


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that people say to an assistant without asking for anything that it knows."""

    name: TopicName
    examples: Annotated[tuple[Example, ...], Meta(min_length=1, max_length=200)]
    """What people say; a message counts as the topic when it is near enough to one of them."""
    replies: Annotated[dict[LanguageTag, Variants], Meta(min_length=1)]
    """Language, then one to three approved texts; which of them is a function of the message."""
    contact: DialogContact | None = None
    """Who takes over; the topic hands the conversation to a person."""
    limit: Similarity | None = None
    """How near is near enough for this topic, where the dialog's limit does not fit."""


class Dialog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The topics, and how near a message must come to one of their examples."""

    topics: Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=MOST_TOPICS)]
    limit: Similarity
    """Cosine between the message and the nearest example, from which on it counts as the topic."""
    colang: Annotated[str, Meta(max_length=20_000)] = ""
    """Flows of an expert, in Colang 1.0; they come before the generated ones. Their `define bot` texts are approved
    texts. A message's topic reaches them as `user topic NAME`, anything else as `user other message`."""

    def limit_of(self, topic: Topic) -> float:
        """Returns how near is near enough for `topic`."""
        return self.limit if topic.limit is None else topic.limit

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that every topic has replies in."""
        return tuple(self.topics[0].replies)

    def language_for(self, language: str, default: str) -> str | None:
        """Returns which of the languages a person of `language` is answered in, as with refusals.

        Where there are no replies in it, it is `default`, the first language of the assistant; None where there are
        none in that one either: an answer in any other would be a surprise.
        """
        return refusal_language(language, default, self.languages)


def check_dialog(dialog: Dialog) -> None:
    """Raises `PolicyInvalid` for what the types cannot say; its message names the place and the remedy."""
    for problem in _problems(dialog):
        raise PolicyInvalid(problem)


def _problems(dialog: Dialog) -> Iterator[str]:
    seen: dict[str, str] = {}
    for position, topic in enumerate(dialog.topics):
        place = f"dialog.topics[{position}]"
        if any(topic.name == other.name for other in dialog.topics[:position]):
            yield f"{place}.name: there is a topic {topic.name!r} already. Put its examples and replies together."
        for number, example in enumerate(topic.examples):
            said = " ".join(example.casefold().split())
            if not said:
                yield f"{place}.examples[{number}]: the example is blank. Write what people say."
            elif seen.setdefault(said, topic.name) != topic.name:
                yield f"{place}.examples[{number}]: {example!r} belongs to topic {seen[said]!r} too. Keep it in one."
        if tuple(topic.replies) != dialog.languages:
            there = ", ".join(dialog.languages)
            yield f"{place}.replies: every topic needs replies in the same languages and order: {there}."
        yield from _reply_problems(f"{place}.replies", topic.replies)
        if topic.contact and not (topic.contact.email or topic.contact.phone or topic.contact.url):
            yield f"{place}.contact: a person cannot be reached by name alone. Add `email`, `phone` or `url`."


def _reply_problems(place: str, replies: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for language, number, text in chain.from_iterable(
        ((tag, number, text) for number, text in enumerate(texts)) for tag, texts in replies.items()
    ):
        if not text.strip():
            yield f"{place}.{language}[{number}]: a text is blank. Write what a person should read."
        if found := next((letter for letter in text if _is_read_by_nemo(letter)), None):
            told = f"a reply is shown as it stands and cannot have {found!r} in it. Take it out."
            yield f"{place}.{language}[{number}]: {told}"


def _is_read_by_nemo(letter: str) -> bool:
    return letter in _SIGNS or (letter != "\n" and unicodedata.category(letter) in _CONTROLS)
