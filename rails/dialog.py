"""The dialog lane of a policy: an approved reply to a greeting, a thank-you, small talk or the wish for a person."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from rails.definition import RailServices
from rails.dialog_colang import (
    APPROVED_PROMPT,
    HAND_BACK,
    NO_TOPIC,
    chosen_reply,
    intent_of,
    variables,
    write_colang,
    write_settings,
)
from rails.dialog_document import Dialog, DialogContact, Topic
from rails.errors import ProbeFailed
from rails.nemo import Verdict
from rails.nemo_dialog import ColangEngine
from rails.runner import RailRunner
from rails.topics import Topics
from rails.types import RailContext, RailRecord, Stage

DIALOG = "dialog"
"""The name under which the lane stands in a decision's record."""
HANDS_OVER = ".handoff"
"""Ends the reason in that record where the reply hands the conversation to a person."""
_OTHER = "other"
_CHOICES = 6
"""Least number in which one, two and three variants come equally often."""


@dataclass(frozen=True, slots=True)
class DialogReply:
    """An approved text in answer to a message that means no approved prompt."""

    topic: str
    """Name of the topic, or `other` when a flow of an expert answers whatever is no topic."""
    text: str
    contact: DialogContact | None

    @property
    def is_topic(self) -> bool:
        """Whether a topic was heard in the message."""
        return self.topic != _OTHER


@dataclass(frozen=True, slots=True)
class DialogReport:
    """What the lane made of a message: a reply, nothing, or a failure that the record tells."""

    record: RailRecord
    reply: DialogReply | None

    @property
    def has_failed(self) -> bool:
        """Whether it broke, hung or said what it may not; then nothing may be answered."""
        return self.record.stops


class _Talk:
    """One message on its way through the lane, in the shape in which the runner takes a check."""

    name = DIALOG
    stage = Stage.INPUT
    is_monitored = False
    deadline_s = None

    def __init__(
        self, lane: "DialogLane", find_topic: Callable[[], Topic | None], choice: int, *, matched: bool
    ) -> None:
        self._lane = lane
        self._find_topic = find_topic
        self._choice = choice
        self._is_matched = matched
        self._topic: Topic | None = None
        self.reply: DialogReply | None = None

    async def run(self, text: str, context: RailContext) -> Verdict:
        """Keeps the reply, if there is one in a language that serves; raises when NeMo fails, which is a failure."""
        language = self._lane.dialog.language_for(context.language, context.languages[0])
        if language is None:
            return Verdict(is_blocked=False, reason=None, text=text)
        heard = await self._lane.engine.converse(text, variables(language, self._choice), self._intent)
        if heard.text != HAND_BACK:
            topic = self._topic
            is_own = topic is not None and heard.text in _texts_of(topic)
            self.reply = DialogReply(
                topic.name if topic else _OTHER, heard.text, topic.contact if topic and is_own else None
            )
        return Verdict(is_blocked=False, reason=None, text=text)

    def _intent(self) -> str | None:
        if self._is_matched:
            return APPROVED_PROMPT
        self._topic = self._find_topic()
        return intent_of(self._topic.name) if self._topic else None


@dataclass(frozen=True, slots=True)
class DialogLane:
    """A compiled dialog; immutable, shared by all requests. `compile_dialog` is the way to one."""

    dialog: Dialog
    engine: ColangEngine
    _topics: Topics
    _runner: RailRunner

    async def converse(self, text: str, context: RailContext, *, is_matched: bool = False) -> DialogReport:
        """Returns the reply to a message, or none; never raises for what the lane does.

        Runs where the rails run, within their deadline. `is_matched` says that the message means an approved prompt,
        which is then for the caller to answer. The same message gets the same reply.
        """
        find_topic = partial(self._topics.topic_of, text)
        talk = _Talk(self, find_topic, _choice_for(text), matched=is_matched)
        return _told(talk, (await self._runner.run((talk,), text, context)).records[0])

    def texts(self, language: str, default: str) -> Iterator[tuple[str, str]]:
        """Gives every text that people may be shown in `language`, each after the place where it is written.

        `default` is the first language of the assistant.
        """
        ours, tag = {HAND_BACK}, self.dialog.language_for(language, default)
        if tag is None:
            return
        for position, topic in enumerate(self.dialog.topics):
            ours |= _texts_of(topic)
            yield from ((f"{DIALOG}.topics[{position}].replies.{tag}", text.strip()) for text in topic.replies[tag])
        yield from ((f"{DIALOG}.colang", text) for text in sorted(self.engine.texts - ours))

    def try_replies(self, runner: RailRunner) -> None:
        """Has NeMo say every generated reply once, on that runner.

        Raises `ProbeFailed` for one that does not come out as approved.

        Warms the engine, and finds flows of an expert that never end.
        """
        for language in self.dialog.languages:
            self._try_reply(runner, None, language, 0)
            for topic in self.dialog.topics:
                for choice in range(len(topic.replies[language])):
                    self._try_reply(runner, topic, language, choice)

    def _try_reply(self, runner: RailRunner, topic: Topic | None, language: str, choice: int) -> None:
        talk = _Talk(self, lambda: topic, choice, matched=False)
        message = topic.examples[0] if topic else "probe"
        report = _told(talk, runner.run_blocking((talk,), message, RailContext(language, (language,))).records[0])
        name = f"topic {topic.name!r}" if topic else f"`{NO_TOPIC}`"
        if report.has_failed:
            raise ProbeFailed(
                f"dialog: NeMo failed on {name} ({report.record.reason}). "
                "Check the flows under `colang`; without any, this is a bug."
            )
        is_ours = not self.dialog.colang.strip()
        wanted = chosen_reply(topic, language, choice) if topic else None
        if is_ours and wanted != (report.reply.text if report.reply else None):
            raise ProbeFailed(f"dialog: the reply {wanted!r} of {name} comes out changed. Write it without markup.")


def compile_dialog(
    dialog: Dialog, runner: RailRunner, services: RailServices, tries: RailRunner | None = None
) -> DialogLane:
    """Returns `dialog`, ready to talk, after it has said each of its replies, on `tries` where that is given.

    Blocks for about half a second. Raises `PolicyInvalid` or `ProbeFailed`.
    """
    topics = Topics.of(dialog, services)
    lane = DialogLane(dialog, ColangEngine(write_colang(dialog), write_settings()), topics, runner)
    lane.try_replies(tries or runner)
    return lane


def _told(talk: _Talk, record: RailRecord) -> DialogReport:
    if record.stops or talk.reply is None:
        return DialogReport(record, None)
    hands_over = HANDS_OVER if talk.reply.contact else ""
    return DialogReport(replace(record, reason=f"{DIALOG}.{talk.reply.topic}{hands_over}"), talk.reply)


def _texts_of(topic: Topic) -> frozenset[str]:
    return frozenset(text.strip() for texts in topic.replies.values() for text in texts)


def _choice_for(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % _CHOICES
