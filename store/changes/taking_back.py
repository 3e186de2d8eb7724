"""Taking a live change back at once: what it replaced was approved once, so nobody is asked again."""

from uuid import UUID

from store.changes.desk import Desk
from store.changes.documents import hash_of
from store.changes.publishing import PublishService
from store.changes.rebasing import RebaseService
from store.changes.reviewing import ReviewService
from store.changes.rules import Action, require
from store.changes.types import Change
from store.errors import Conflict, StoreError
from store.people import Actor

_MOST_NAMED = 10


class TakeBackService:
    """Makes the inverse of a live change and publishes it, without an approval of its own."""

    def __init__(self, desk: Desk, rebase: RebaseService, review: ReviewService, publishing: PublishService) -> None:
        self._desk = desk
        self._rebase = rebase
        self._review = review
        self._publishing = publishing

    def take_back(self, actor: Actor, change_id: UUID, *, rev: int) -> Change:
        """Puts back what a live change replaced, as a new revision, and returns the change that did it.

        It is only for what is still live as that change made it, and for people with the approver's role wherever it
        reaches; where the state before stopped less or kept more, for those who are admins as well. Raises `NotFound`,
        `Refused`, `Conflict` when something moved since, `InvalidContent` for what could not be served any more. Then
        nothing is live that was not, and the inverse is a withdrawn change.
        """
        desk = self._desk
        with desk.database.reading() as session:
            seen, _ = desk.judge(Action.TAKE_BACK, actor, change_id, rev, session)
            hashes = desk.live.hashes(seen.change.items, session)
        if moved := [str(one.item) for one in seen.change.edits if hashes[one.item] != hash_of(one.document)]:
            words = f"what is live has moved since: {', '.join(moved[:_MOST_NAMED])}. Draft what is to be there now."
            raise Conflict(words, rule="moved_since")
        made = self._rebase.revert(actor, change_id)
        opened = desk.open(actor, made.id)
        try:
            # Judged again by what comes back: it may weaken where the change itself did not.
            require(Action.TAKE_BACK, actor, seen.change, opened.touched)
            return self._publishing.publish_inverse(actor, opened, rev=made.rev)
        except StoreError:
            self._review.withdraw(actor, made.id, "It could not be published at once.", rev=made.rev)
            raise
