"""Asks the playground's question of what is live, of a draft or of both, once or five times."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from gateway.components import Components
from gateway.http.asking import Asking, deadline_of
from gateway.http.explanation import Explanation, explain
from gateway.http.pages.diff import ShownDifference, document_difference
from gateway.http.pages.forms import Form
from gateway.http.pages.texts import Texts
from gateway.http.pages.visit import Visit
from gateway.http.replies import ContactReply, SlotReply, contact_reply, slot_reply, suggested
from gateway.pipeline import ChatPipeline
from gateway.trying import principal_of
from gateway.turn import Question, Reply
from store.content import SLOT_MARK
from store.people import Role

TIMES: Final = 5
"""How often a question is asked to see whether its answers are the same."""
READY_S = 12.0
"""How long a page waits for the state of a draft before it says how far that is."""
_CONVERSATION_CHARS = 22
_SEE_RAW = (Role.EDITOR, Role.APPROVER, Role.ADMIN)
"""Who reads the model's own words: they are not approved, and may be anything."""


@dataclass(frozen=True, slots=True)
class Run:
    """One of several replies to the same question."""

    reply: Reply
    is_same: bool
    """Whether text, prompt and outcome are those of the first one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A state that was asked, and what it replied."""

    side: str
    """`live` or `draft`."""
    reply: Reply
    how: Explanation
    runs: tuple[Run, ...]
    """All replies, the one that is shown first."""
    raw: str
    """The model's own words, empty where there are none or they are not for this person."""
    is_withheld: bool
    """Whether people got other words in their place."""
    is_recorded: bool

    @property
    def read(self) -> str:
        """The question as it went on its way, empty when it was refused before."""
        return self.reply.turn.message or self.reply.turn.sent_message

    @property
    def same(self) -> int:
        """How many of the replies are the same as the first, that one counted."""
        return sum(one.is_same for one in self.runs)

    @property
    def contact(self) -> ContactReply | None:
        """Who takes over."""
        return contact_reply(self.reply)

    @property
    def slot(self) -> SlotReply | None:
        """The blank that is asked for."""
        return slot_reply(self.reply.slot)

    @property
    def offers(self) -> tuple[tuple[str, str], ...]:
        """Titles of prompts that may have been meant, each with a phrasing that can be asked as it stands."""
        found = []
        for prompt in suggested(self.reply):
            phrasing = next((text for text in prompt.content.phrasings if not SLOT_MARK.search(text)), None)
            if phrasing:
                found.append((prompt.content.title, phrasing))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to have asked."""

    change: UUID | None
    """The draft to ask; None for what is live."""
    is_compared: bool = False
    """Whether what is live is asked as well."""
    is_repeated: bool = False

    @property
    def is_recorded(self) -> bool:
        """Whether it is a question like everybody's: only those of what is live, asked once, are recorded."""
        return self.change is None and not self.is_repeated


async def asked_of(visit: Visit, components: Components, wish: Wish, *, side: str, pipeline: ChatPipeline) -> Column:
    """Asks one state what the form says. Raises as the pipeline does."""
    form, limits = visit.form, components.settings.limits
    question = Question(
        text=form.secret("question"),
        assistant=form.text("assistant"),
        principal=principal_of(visit.actor, requests_per_minute=limits.visitor_requests_per_minute),
        deadline=deadline_of(visit.request, limits.deadline_s),
        conversation=conversation_of(form),
    )
    replies = [await _asked(visit, pipeline, question)]
    for _ in range(TIMES - 1 if wish.is_repeated else 0):
        deadline = deadline_of(visit.request, limits.deadline_s)
        again = replace(question, conversation=secrets.token_urlsafe(16), deadline=deadline)
        replies.append(await _asked(visit, pipeline, again))
    return _column(visit, side, replies, is_recorded=wish.is_recorded)


def conversation_of(form: Form) -> str:
    """Returns the conversation of a form that goes on, or a new one."""
    sent = form.text("conversation")
    is_ours = len(sent) == _CONVERSATION_CHARS and sent.replace("-", "").replace("_", "").isalnum() and sent.isascii()
    return sent if is_ours else secrets.token_urlsafe(16)


def differences_of(texts: Texts, live: Column, draft: Column) -> tuple[ShownDifference, ...]:
    """Returns what a draft would change of a reply, in the order in which it comes about."""
    return document_difference(_told(texts, live), _told(texts, draft))


async def _asked(visit: Visit, pipeline: ChatPipeline, question: Question) -> Reply:
    asking = Asking(pipeline, question)
    await asking.until_settled(visit.request.receive)
    return asking.reply()


def _column(visit: Visit, side: str, replies: Sequence[Reply], *, is_recorded: bool) -> Column:
    first = replies[0]
    completion = first.turn.completion
    may_see = any(map(visit.actor.may, _SEE_RAW))
    return Column(
        side=side,
        reply=first,
        how=explain(first),
        runs=tuple(Run(one, _essence(one) == _essence(first)) for one in replies),
        raw=completion.text if completion and may_see else "",
        is_withheld=completion is not None and first.text != completion.text,
        is_recorded=is_recorded,
    )


def _essence(reply: Reply) -> tuple[object, ...]:
    decision = reply.decision
    return (decision.outcome, decision.prompt_key, decision.prompt_version, decision.needs_slot, reply.text)


def _told(texts: Texts, column: Column) -> dict[str, object]:
    """Returns of a reply what a draft may change, each under the name of its text `document.asked_…`."""
    reply, how = column.reply, column.how
    return {
        "asked_outcome": texts(f"outcome.{reply.decision.outcome.value}"),
        "asked_prompt": reply.turn.prompt.key if reply.turn.prompt else "",
        "asked_stopped": reply.decision.stopped_by or "",
        "asked_given": "".join(part.text for part in (*how.instructions, *how.question)),
        "asked_answer": reply.text,
    }
