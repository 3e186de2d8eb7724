"""Documents of a tenant, and changes of them."""

from itertools import count

from store.catalog import publish_bundle
from store.changes.types import Edit, EditKind
from store.content import Assistant
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld, person
from tests.samples.registry import THEIRS, body, sample
from tests.store.store_content import assistant as some_assistant
from tests.store.store_content import prompt

_NUMBERS = count(1)
_CHANGES: dict[str, str] = {}
"""The last change that was made for a tenant: runs of the gate are its."""


def make_live(admin: AdminWorld, assistant: str) -> str:
    """Publishes one more prompt of the tenant, with everything that belongs to it; gives the prompt's key."""
    key = f"{assistant}.thing{next(_NUMBERS)}"
    suite = {
        "name": f"{assistant}-cases",
        "title": "Cases",
        "assistant": assistant,
        "cases": [{"id": "a", "kind": "honest", "message": "x", "expect": "refuse"}],
    }
    assistants: list[Assistant] = [some_assistant(assistant, areas=(assistant,), policy=f"{assistant}-rules")]
    if assistant == THEIRS:  # another name than the tenant's own, which other samples have in their ids
        assistants.append(some_assistant("their-desk", areas=(assistant,), policy=f"{assistant}-rules"))
    made = Bundle(
        (prompt(key),),
        tuple(assistants),
        {f"{assistant}-rules": {"name": f"{assistant}-rules", "input": []}},
        {suite["name"]: suite},
    )
    publish_bundle(admin.database, made, author=f"{assistant}-author", note=f"{assistant}-note")
    return key


def assistant_name(admin: AdminWorld, assistant: str) -> str:
    make_live(admin, assistant)
    return "their-desk" if assistant == THEIRS else assistant


def policy_name(admin: AdminWorld, assistant: str) -> str:
    make_live(admin, assistant)
    return f"{assistant}-rules"


def suite_name(admin: AdminWorld, assistant: str) -> str:
    make_live(admin, assistant)
    return f"{assistant}-cases"


def change(admin: AdminWorld, assistant: str) -> str:
    editor = person(f"{assistant}-editor", Role.EDITOR, assistants=(assistant,))
    make_live(admin, assistant)
    new = f"{assistant}.draft{next(_NUMBERS)}"
    made = admin.changing.drafts.add_edit(editor, None, Edit(EditKind.PROMPT, new, {"key": new}), title="A change")
    _CHANGES[assistant] = str(made.id)
    return str(made.id)


def gate_run(admin: AdminWorld, assistant: str) -> str:
    editor = person(f"{assistant}-editor", Role.EDITOR, assistants=(assistant,))
    (head, *_) = admin.changing.drafts.page(editor).changes
    assert str(head.id) == _CHANGES[assistant]
    return str(admin.changing.gate.start(editor, head.id, rev=head.rev).id)


sample("prompt_key", make_live)
sample("assistant_name", assistant_name)
sample("policy_name", policy_name)
sample("suite_name", suite_name)
sample("change_id", change)
sample("run_id", gate_run)
_ONE = "/v1/admin/changes/{change_id:str}"
body("POST /v1/admin/changes", {"title": "A change"})
body(f"PATCH {_ONE}", {"title": "Another"})
body(f"POST {_ONE}/comments", {"text": "Why?"})
for _verb in ("submit", "publish", "unschedule", "revert", "take-back", "gate-runs", "approve", "rebase", "withdraw"):
    body(f"POST {_ONE}/{_verb}", {})
for _verb in ("request-changes", "reject", "emergency-publish"):
    body(f"POST {_ONE}/{_verb}", {"reason": "It is wrong."})
body(f"POST {_ONE}/schedule", {"publish_at": "2030-01-31T08:00:00Z"})
