"""Whatever editors do, undo and submit in whatever order: no question is lost, and drafts say what is in force."""

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from queue_parts import NOW, VPN, Queue, editor, noted

from store.database import open_database
from store.errors import Conflict
from store.review.actions import AddPhrasing, Discard, Merge, OutOfScope, Snooze
from store.review.drafts import EditKind
from store.review.types import QuestionState, Target, Wanted
from tests.migrated import migrate_new

TEXTS = ("vpn one", "vpn two", "gym three", "gym four", "bike five", "bike six")
ADA, BOB = editor("ada"), editor("bob")


class Actions(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{Path(self.folder.name) / 'queue.db'}"
        migrate_new(url)
        self.database = open_database(url)
        self.queue = Queue(self.database)
        self.queue.take(*TEXTS)
        self.queue.clusters.place_some(NOW)
        self.sightings = dict.fromkeys(TEXTS, 1)
        self.states = dict.fromkeys(TEXTS, QuestionState.OPEN)
        self.done: list[tuple[str, str, dict[str, QuestionState]]] = []
        """Id, kind and what there was before, of what is in force."""
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    @rule(text=st.sampled_from(TEXTS))
    def asked_again(self, text: str) -> None:
        self.number += 1
        self.queue.intake.take([noted(f"again-{self.number}", text)])
        self.sightings[text] += 1

    @rule(
        texts=st.sets(st.sampled_from(TEXTS), min_size=1, max_size=3),
        action=st.sampled_from((AddPhrasing("it.vpn"), OutOfScope(), Discard(), Snooze(NOW + dt.timedelta(days=5)))),
        actor=st.sampled_from((ADA, BOB)),
    )
    def acts(self, texts: set[str], action: object, actor: object) -> None:
        targets = [self.queue.target(text) for text in sorted(texts)]
        closed = {QuestionState.DRAFTED, QuestionState.DISCARDED}
        try:
            done = self.queue.acting.act(actor, action, targets, now=NOW)
        except Conflict:
            assert any(self.states[text] in closed for text in texts)
            return
        assert not any(self.states[text] in closed for text in texts)
        self.done.append((done.id, done.kind, {text: self.states[text] for text in texts}))
        state = {Discard: QuestionState.DISCARDED, Snooze: QuestionState.SNOOZED}.get(type(action))
        self.states |= dict.fromkeys(texts, state or QuestionState.DRAFTED)

    @rule(place=st.integers(min_value=0, max_value=20))
    def undoes(self, place: int) -> None:
        if not self.done:
            return
        done = self.done[place % len(self.done)]
        later = self.done[self.done.index(done) + 1 :]
        is_covered = any(done[2].keys() & one[2].keys() for one in later)
        try:
            self.queue.acting.undo(ADA, done[0], now=NOW)
        except Conflict:
            assert is_covered
            return
        assert not is_covered
        self.done.remove(done)
        self.states |= done[2]

    @rule(first=st.sampled_from(TEXTS), second=st.sampled_from(TEXTS), is_kept=st.booleans())
    def merges_and_thinks_again(self, first: str, second: str, *, is_kept: bool) -> None:
        clusters = {one.text: one.cluster for one in self.queue.all()}
        if clusters[first] == clusters[second]:
            return
        revs = {
            text: self.queue.reading.cluster(ADA, clusters[text], Wanted(state=None), now=NOW).rev
            for text in (first, second)
        }
        into, source = (Target(clusters[text], revs[text]) for text in (first, second))
        done = self.queue.acting.act(ADA, Merge(into), [source], now=NOW)
        assert {one.cluster for one in self.queue.all()} == set(clusters.values()) - {clusters[second]}
        if not is_kept:
            self.queue.acting.undo(BOB, done.id, now=NOW)
            assert {one.text: one.cluster for one in self.queue.all()} == clusters

    @rule()
    def submits(self) -> None:
        self.queue.drafts.submitted |= self.queue.drafts.changes.keys()

    @invariant()
    def every_question_is_there_once_with_its_count_and_state(self) -> None:
        found = self.queue.all()
        assert {one.text: one.count for one in found} == self.sightings
        assert len(found) == len(TEXTS)
        assert {one.text: one.state for one in found} == self.states

    @invariant()
    def clusters_count_every_message_once(self) -> None:
        page = self.queue.reading.clusters(ADA, Wanted(state=None), least=1, now=NOW)
        assert sum(one.messages for one in page.items) == sum(self.sightings.values())
        assert sum(one.size for one in page.items) == len(TEXTS)

    @invariant()
    def drafts_hold_what_is_in_force(self) -> None:
        drafts = self.queue.drafts
        held = [
            line
            for change, edits in drafts.changes.items()
            if change not in drafts.submitted
            for (kind, _), edit in edits.items()
            for line in (
                edit.document["phrasings"]
                if kind is EditKind.PROMPT
                else [c["message"] for c in edit.document["cases"]]
            )
            if line not in VPN.phrasings
        ]
        in_force = [
            text
            for one, kind, texts in self.done
            if kind in ("add_phrasing", "out_of_scope") and self._change_of(one) not in drafts.submitted
            for text in texts
        ]
        assert sorted(held) == sorted(in_force)

    @invariant()
    def every_step_has_its_row_in_the_audit_trail(self) -> None:
        numbers = [entry.number for entry in self.queue.audit.entries()]
        assert numbers == list(range(1, len(numbers) + 1))
        undone = sum(one.undone_at is not None for one in self.queue.acting.actions(ADA, limit=200).items)
        made = len(self.queue.acting.actions(ADA, limit=200).items)
        assert len(numbers) == made + undone

    def _change_of(self, action: str) -> str | None:
        return next(one.change for one in self.queue.acting.actions(ADA, limit=200).items if one.id == action)


Actions.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestActions = Actions.TestCase
