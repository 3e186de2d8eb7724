"""Steps of a change as people take them on its pages, and a change that went that way by the services."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from store.changes.evidence import RunState
from store.changes.types import Change, ChangeState, EditKind, Item
from store.people import Role
from tests.journeys.town import Somebody, Town, until

CHANGES = "/admin/changes"


def change_in(somebody: Somebody) -> str:
    """Gives the id of the change that the address of the page names."""
    return somebody.page.url.partition("change=")[2].partition("&")[0].partition("#")[0]


def edit(somebody: Somebody, key: str, change: str = "", **fields: str) -> str:
    """Edits a prompt on its page; gives the id of the change that it went into."""
    somebody.go(f"/admin/prompts/{key}/edit" + (f"?change={change}" if change else ""))
    somebody.fill(**fields)
    somebody.send("Save draft")
    somebody.page.wait_for_url("**change=*")
    return change_in(somebody)


def submit(somebody: Somebody, change: str, note: str = "People did not understand it.") -> None:
    """Submits a change and has the gate run until it has passed."""
    somebody.go(f"{CHANGES}/{change}")
    somebody.follow("Submit for review")
    somebody.fill(note=note)
    somebody.press("Submit for review")
    somebody.see("Somebody who did not edit it has to approve it.")
    somebody.press("Run the gate")
    somebody.page.wait_for_url(f"**/{change}/gate")
    somebody.see("Passed")


def approve(somebody: Somebody, change: str) -> None:
    take(somebody, change, "Approve", "Approved. It is not live yet.")


def publish(somebody: Somebody, change: str) -> None:
    take(somebody, change, "Publish", "What is published is live within a moment.")


def take(somebody: Somebody, change: str, step: str, told: str) -> None:
    """Takes a step on its page, and sees that it was taken."""
    somebody.go(f"{CHANGES}/{change}")
    somebody.follow(step)
    somebody.press(step)
    somebody.see(told)


def state_of(town: Town, change: str) -> ChangeState:
    """Gives the state that the store has of a change."""
    root = town.user("Root Okafor", Role.ADMIN).actor
    return town.administration.changing.drafts.get(root, UUID(change)).change.state


def published(town: Town, key: str, changes: Mapping[str, Any]) -> Change:
    """Takes a change of a prompt the whole way by the services that the pages call: an edit, the gate, two people."""
    changing = town.administration.changing
    author = town.user(f"Writer of revision {town.catalog.revision}", Role.EDITOR).actor
    other = town.user("Services Reader", Role.APPROVER).actor

    def go() -> Change:
        shown = changing.contents.get(author, Item(EditKind.PROMPT, key))
        document = {**shown.document, **changes}
        made = changing.contents.replace(author, shown.item, document, read=shown.digest, change_id=None)
        made = changing.drafts.describe(author, made.id, rev=made.rev, title=f"Words of {key}", note="Because.")
        made = changing.review.submit(author, made.id, rev=made.rev)
        run = changing.gate.start(author, made.id, rev=made.rev)
        until(lambda: changing.runs.get(run.id).state is not RunState.RUNNING)
        approved = changing.review.approve(other, made.id, rev=made.rev)
        return changing.publishing.publish(other, approved.id, rev=approved.rev)

    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(go).result()
    town.until_live()
    return made
