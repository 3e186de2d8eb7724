"""What needs somebody now: changes to decide about or to mend, prompts to look at again, test sets that fail live."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from gateway.changing.queue import ChangeQueue
from gateway.changing.services import Changing
from store.changes.lists import ContentHead, Wanted
from store.changes.types import ChangeHead, ChangeState, EditKind
from store.people import Actor, Role

_AT_ONCE = 5
"""Of each kind; where there are more, the page links to all."""
_PUBLISHED = frozenset({ChangeState.LIVE, ChangeState.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class FailingSuite:
    """A test set whose questions do not all come out as expected for people who ask today."""

    name: str
    wrong: int
    cases: int
    change: UUID
    """For which the gate asked it last: there the run is told case by case."""
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Needed:
    """What needs somebody, the first few of each kind."""

    decisions: tuple[ChangeHead, ...]
    """Changes to approve or publish."""
    returned: tuple[ChangeHead, ...]
    """Own changes that were sent back."""
    due: tuple[ContentHead, ...]
    """Prompts whose time for review is over."""
    failing: tuple[FailingSuite, ...]
    has_more: bool

    @property
    def is_nothing(self) -> bool:
        """Whether nothing waits."""
        return not (self.decisions or self.returned or self.due or self.failing)


class Attention:
    """Finds what needs somebody. Blocks: use a thread."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing

    def of(self, actor: Actor, now: dt.datetime) -> Needed | None:
        """Returns what needs the actor; None for whoever has no part in changes."""
        is_editor = actor.may(Role.EDITOR) or actor.may(Role.ADMIN)
        if not (is_editor or actor.may(Role.APPROVER)):
            return None
        waiting = ChangeQueue(self._changing).waiting_for(actor, limit=2 * _AT_ONCE + 1)
        returned = [one for one in waiting.changes if one.state is ChangeState.CHANGES_REQUESTED]
        decisions = [one for one in waiting.changes if one.state is not ChangeState.CHANGES_REQUESTED]
        due: tuple[ContentHead, ...] = ()
        if is_editor:
            wanted = Wanted(review_before=now.date())
            page = self._changing.contents.page
            due = page(actor, EditKind.PROMPT, wanted, limit=_AT_ONCE + 1, after=None)
        return Needed(
            tuple(decisions[:_AT_ONCE]),
            tuple(returned[:_AT_ONCE]),
            due[:_AT_ONCE],
            tuple(self._failing(actor))[:_AT_ONCE],
            has_more=max(len(decisions), len(returned), len(due)) > _AT_ONCE,
        )

    def _failing(self, actor: Actor) -> Iterator[FailingSuite]:
        """Gives test sets by what the gate last found of live: of a change that was published, what it brought."""
        for name, result in sorted(self._changing.results.last(actor).items()):
            found, run = result.evidence, result.run
            state = self._changing.drafts.get(actor, run.change_id).change.state
            right = found.right if state in _PUBLISHED else found.right_before
            if right is not None and right < found.cases:
                at = run.finished_at or run.started_at
                yield FailingSuite(name, found.cases - right, found.cases, run.change_id, at)
