"""The description of the API tells what there is, no more and no less."""

import json
import shutil
import subprocess

import jsonschema
import pytest

from gateway.http.access import PUBLIC_ROUTES
from gateway.http.admin.route_table import OPEN_ROUTES
from gateway.http.openapi import OPERATIONS, describe
from gateway.http.pages.guard import is_page
from store.types import KeyScope

pytestmark = pytest.mark.anyio
NODE = shutil.which("node")


def template(path: str) -> str:
    return path.replace(":str}", "}")


async def test_every_route_is_described_and_nothing_else(world):
    there = {
        (template(route.path), method.lower(), handler.operation_id)
        for route in world.app.routes
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS" and not is_page(handler)
    }
    assert there == {(one.path, one.method, one.id) for one in OPERATIONS}


async def test_an_idempotency_key_is_described_where_it_has_an_effect(world):
    handlers = {handler for route in world.app.routes for handler in route.route_handlers}
    without = {handler.operation_id for handler in handlers if not handler.opt.get("is_kept", True)}
    described = {told["operationId"]: told for path in describe()["paths"].values() for told in path.values()}
    assert without == {"reveal_decision"}
    assert "idempotency" not in str(described["reveal_decision"])


def test_wherever_a_key_may_be_looked_up_too_many_requests_are_described():
    told = {one.id for one in OPERATIONS if one.needs_key}
    described = {one["operationId"]: one for path in describe()["paths"].values() for one in path.values()}
    assert not [name for name in told if "429" not in described[name]["responses"]]


def test_only_public_routes_are_described_as_open():
    is_open = {f"{one.method.upper()} {one.path}" for one in OPERATIONS if not one.needs_key}
    admin = {name for name in is_open if "/v1/admin/" in name}
    assert admin == OPEN_ROUTES
    widget = {"GET /widget/v1/clients/{client}", "POST /widget/v1/sessions"}
    assert is_open > widget, "an origin in a list opens them"
    assert {name.split()[1] for name in is_open - admin - widget} == {template(path) for path in PUBLIC_ROUTES}
    assert describe()["security"] == [{"key": []}]


async def test_the_description_is_served_and_its_references_lead_somewhere(world):
    async with world.client() as client:
        document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    names = {f"#/components/{kind}/{name}" for kind, made in document["components"].items() for name in made}

    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"] in names
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(document)


def resolved(document, schema):
    return {**schema, "components": document["components"]}


@pytest.mark.parametrize("text", ["I forgot my password", "What are the office opening hours?", "Zebras graze"])
async def test_replies_are_as_described(world, text):
    document = describe()
    calls = {
        "/v1/chat/completions": {"model": "helpdesk", "messages": [{"role": "user", "content": text}]},
        "/v1/chat": {"assistant": "helpdesk", "message": text},
    }
    async with world.client(world.key(KeyScope.CHAT, KeyScope.DEBUG)) as client:
        for path, body in calls.items():
            operation = document["paths"][path]["post"]
            wanted = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(body, resolved(document, wanted))
            reply = (await client.post(path, json=body)).json()
            told = operation["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate(reply, resolved(document, told))


@pytest.mark.parametrize(
    "body",
    [
        {"assistant": "helpdesk", "stage": "output", "text": "Open the door.", "facts": "Open the door."},
        {"model": "helpdesk", "messages": [{"role": "user", "content": "I forgot my password"}]},
        {"model": "helpdesk", "messages": [{"role": "assistant", "content": "Call 0123456789."}]},
    ],
)
async def test_checks_are_as_described(world, body):
    document = describe()
    operation = document["paths"]["/v1/checks"]["post"]
    wanted = operation["requestBody"]["content"]["application/json"]["schema"]
    told = operation["responses"]["200"]["content"]["application/json"]["schema"]
    async with world.client(world.key(KeyScope.CHECKS)) as client:
        reply = (await client.post("/v1/checks", json=body)).json()
    jsonschema.validate(body, resolved(document, wanted))
    jsonschema.validate(reply, resolved(document, told))


async def test_errors_are_as_described(world):
    document = describe()
    async with world.client() as client:
        response = await client.post("/v1/chat", json={})
    name = document["paths"]["/v1/chat"]["post"]["responses"]["401"]["$ref"].rpartition("/")[2]
    told = document["components"]["responses"][name]["content"]["application/json"]["schema"]
    jsonschema.validate(response.json(), resolved(document, told))


def test_no_field_takes_a_path_or_an_address():
    requests = [
        describe()["components"]["schemas"][name]
        for name in ("ChatCompletionRequest", "ChatRequest", "CheckRequest", "NemoCheckRequest", "GuardrailsRequest")
    ]
    for schema in requests:
        assert schema["additionalProperties"] is False
        assert not [name for name in schema["properties"] if "url" in name or "path" in name or "base" in name]


def patterns_in(value):
    if isinstance(value, dict):
        own = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
        return own + [one for child in value.values() for one in patterns_in(child)]
    return [one for child in value for one in patterns_in(child)] if isinstance(value, list) else []


@pytest.mark.skipif(NODE is None, reason="needs Node.js")
def test_every_pattern_is_one_of_javascript_as_json_schema_has_it():
    told = sorted(set(patterns_in(describe())))
    program = "for (const one of JSON.parse(process.argv[1])) console.log(new RegExp(one, 'u').test('a'.repeat(3)))"
    command = [str(NODE), "-e", program, json.dumps(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - Node.js on our words
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(told) > 5
    assert "true" in done.stdout
