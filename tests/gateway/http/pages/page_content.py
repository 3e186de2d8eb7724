"""Content and people for tests of pages about prompts and changes."""

from collections.abc import Mapping
from typing import Any

from store.catalog import load_catalog, publish_bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.admin.change_steps import publish_first
from tests.plain_browser import PlainBrowser
from tests.store.store_content import bundle, prompt

PROMPT = "/admin/prompts/it.vpn"


def fill(admin: AdminWorld) -> None:
    """Makes two prompts live, and people who edit, approve and look."""
    publish_first(admin)
    admin.user("ada", Role.EDITOR)
    admin.user("edda", Role.EDITOR)
    admin.user("bob", Role.APPROVER)
    admin.user("root", Role.ADMIN)
    admin.user("vic", Role.VIEWER)


def publish(admin: AdminWorld, key: str = "it.vpn", **changes: Any) -> None:
    """Publishes a prompt past all changes, as an operator does."""
    publish_bundle(admin.database, bundle(prompt(key, **changes)), author="tests")


def live(admin: AdminWorld, key: str = "it.vpn"):
    """Gives what is live of a prompt."""
    return load_catalog(admin.database).prompts[key].content


def hidden(browser: PlainBrowser, action: str) -> dict[str, str]:
    """Gives the fields of a form as they stand."""
    return dict(browser.page.form(action)["fields"])


async def draft(browser: PlainBrowser, path: str = PROMPT, **typed: Any) -> str:
    """Saves a draft of a prompt; gives the address of its change."""
    await browser.open(f"{path}/edit")
    await browser.send(f"{path}/edit", **typed)
    assert browser.status == 200, browser.text
    return f"/admin/changes/{browser.path.partition('change=')[2]}"


async def step(browser: PlainBrowser, change: str, name: str, **typed: Any) -> PlainBrowser:
    """Takes a step on its page."""
    await browser.open(f"{change}/steps/{name}")
    return await browser.send(f"{change}/steps/{name}", **typed)


async def run_gate(browser: PlainBrowser, change: str) -> PlainBrowser:
    """Runs the gate from its page."""
    await browser.open(f"{change}/gate")
    return await browser.send(f"{change}/gate")


async def reviewed(author: PlainBrowser, change: str) -> None:
    """Submits a change and runs the gate."""
    await step(author, change, "submit", note="Nobody understood it.")
    assert "Submitted." in author.text, author.text
    await run_gate(author, change)


def words_of(form: Mapping[str, str]) -> dict[str, str]:
    """Gives what a person typed in a form, without what the page put there."""
    return {name: value for name, value in form.items() if name not in ("csrf", "read", "change")}
