"""Changes taken step by step over REST, as tests need them."""

from collections.abc import Mapping
from typing import Any

from store.catalog import publish_bundle
from store.people import Actor, Role
from tests.administration import AdminWorld, person
from tests.store.store_content import assistant, bundle, prompt

CHANGES = "/v1/admin/changes"
ADA = person("ada", Role.EDITOR)
EDDA = person("edda", Role.EDITOR)
BOB = person("bob", Role.APPROVER)
CORA = person("cora", Role.APPROVER, Role.EDITOR)
ROOT = person("root", Role.ADMIN)
VIC = person("vic", Role.VIEWER)
SUITE = {
    "name": "small",
    "title": "Small",
    "cases": [{"id": "a", "kind": "honest", "message": "x", "expect": "refuse"}],
}


def publish_first(admin: AdminWorld, *prompts: Any, **parts: Any) -> None:
    """Makes something live, as an operator does: an assistant for IT and one for HR."""
    parts = {"assistants": (assistant(), assistant("people", areas=("hr",), policy="strict"))} | parts
    policies = {name: {"name": name, "input": []} for name in ("plain", "strict")}
    made = bundle(*(prompts or (prompt(), prompt("hr.leave"))), policies=policies, suites={"small": SUITE}, **parts)
    publish_bundle(admin.database, made, author="tests")


class Editing:
    """One person at work with the admin surface."""

    def __init__(self, admin: AdminWorld, actor: Actor) -> None:
        self.admin = admin
        self.actor = actor

    async def send(self, method: str, path: str, sent: Any = None, *, tag: str | None = None, **query: Any):
        headers = {} if tag is None else {"if-match": tag}
        async with self.admin.client(self.actor) as client:
            return await client.request(method, path, json=sent, headers=headers, params=query)

    async def read(self, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
        told = await self.send("GET", path, **query)
        assert told.status_code == status, told.text
        return told.json()

    async def create(self, title: str = "A change", note: str = "because") -> str:
        told = await self.send("POST", CHANGES, {"title": title, "note": note})
        assert told.status_code == 201, told.text
        return told.json()["change"]["id"]

    async def tag(self, change: str) -> str:
        return (await self.send("GET", f"{CHANGES}/{change}")).headers["etag"]

    async def put(self, change: str, kind: str, name: str, document: Mapping[str, Any] | None, base: str = ""):
        path = f"{CHANGES}/{change}/edits/{kind}/{name}"
        return await self.send("PUT", path, {"document": document, "base": base}, tag=await self.tag(change))

    async def step(self, change: str, verb: str, sent: Any = None):
        """Takes a step over the state that the change has."""
        return await self.send("POST", f"{CHANGES}/{change}/{verb}", sent, tag=await self.tag(change))

    async def took(self, change: str, verb: str, sent: Any = None) -> dict[str, Any]:
        told = await self.step(change, verb, sent)
        assert told.status_code in (200, 202), told.text
        return told.json()

    async def titled(self, title: str, key: str = "it.vpn") -> str:
        """Drafts another title of a prompt in a new change, which gives its id."""
        live = await self.read(f"/v1/admin/prompts/{key}")
        change = await self.create()
        told = await self.put(change, "prompt", key, live["document"] | {"title": title}, live["hash"])
        assert told.status_code == 200, told.text
        return change

    async def submitted(self, title: str = "New title", key: str = "it.vpn") -> str:
        change = await self.titled(title, key)
        await self.took(change, "submit")
        await self.took(change, "gate-runs")
        return change


async def published(admin: AdminWorld, title: str = "New title", key: str = "it.vpn") -> str:
    """Takes a change of Ada's all the way, with Bob."""
    change = await Editing(admin, ADA).submitted(title, key)
    bob = Editing(admin, BOB)
    await bob.took(change, "approve", {})
    await bob.took(change, "publish")
    return change
