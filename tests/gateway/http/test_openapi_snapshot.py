"""The description of the API breaks no client unseen: docs/openapi.json is what clients know."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from docs.breaking import METHODS, breaking
from gateway.http.described import JSON
from gateway.http.error_codes import ERROR_CODES
from gateway.http.openapi import OPERATIONS, describe

SNAPSHOT = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = describe()
SCHEMAS = DOCUMENT["components"]["schemas"]
FEEDBACK = "/v1/feedback"


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_nothing_that_clients_know_is_broken():
    broken = breaking(json.loads(SNAPSHOT.read_text(encoding="utf-8")), DOCUMENT)
    assert not broken, "\n".join(["this breaks clients; put it back, or make a /v2 beside /v1:", *broken])


def test_the_snapshot_is_what_is_served():
    told = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(DOCUMENT)), "docs/openapi.json is stale; run: make docs"


def changed(change):
    now = copy.deepcopy(DOCUMENT)
    change(now["paths"], now["components"]["schemas"])
    return breaking(DOCUMENT, now)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda paths, _: paths.pop(FEEDBACK), "/v1/feedback: the path is gone"),
        (lambda paths, _: paths["/v1/admin/changes"].pop("post"), "POST /v1/admin/changes: the operation is gone"),
        (
            lambda paths, _: paths[FEEDBACK]["post"].update(operationId="feedback"),
            "POST /v1/feedback: the id is feedback and was give_feedback, which clients are made from",
        ),
        (
            lambda paths, _: paths["/v1/admin/audit"]["get"].update(parameters=[]),
            "GET /v1/admin/audit: the query parameter after is gone",
        ),
        (
            lambda paths, _: paths["/v1/models"]["get"].update(
                parameters=[{"name": "page", "in": "query", "required": True, "schema": {"type": "string"}}]
            ),
            "GET /v1/models: the query parameter page is needed now",
        ),
        (lambda paths, _: paths[FEEDBACK]["post"]["responses"].pop("200"), "POST /v1/feedback: the status 200 is gone"),
        (
            lambda paths, _: paths["/v1/chat"]["post"]["responses"]["200"]["content"].pop("text/event-stream"),
            "POST /v1/chat 200: text/event-stream is gone",
        ),
        (
            lambda paths, _: paths["/v1/chat"]["post"]["responses"]["200"]["content"]["text/event-stream"].update(
                {"x-sse-events": []}
            ),
            "POST /v1/chat 200: the event done is gone",
        ),
        (lambda _, schemas: schemas["ChatReply"]["properties"].pop("text"), "ChatReply.text: the field is gone"),
        (
            lambda _, schemas: schemas["ChatReply"]["required"].remove("text"),
            "ChatReply.text: the field may be missing now",
        ),
        (
            lambda _, schemas: schemas["ChatRequest"]["required"].append("user"),
            "ChatRequest.user: the field is needed now",
        ),
        (
            lambda _, schemas: schemas["Verdict"]["enum"].remove("up"),
            "Verdict: the value 'up' is no longer taken",
        ),
        (
            lambda _, schemas: schemas["ChatReply"]["properties"].update(text={"type": "integer"}),
            "ChatReply.text: may be integer now",
        ),
        (
            lambda _, schemas: schemas["ChatRequest"]["properties"].update(message={"type": "array"}),
            "ChatRequest.message: no longer takes string",
        ),
        (
            lambda _, schemas: schemas["ChatRequest"]["properties"]["message"].update(maxLength=10),
            "ChatRequest.message: maxLength is 10 and was None",
        ),
        (
            lambda _, schemas: schemas["FeedbackRequest"]["properties"]["comment"].update(maxLength=1),
            "FeedbackRequest.comment: maxLength is 1 and was 1000",
        ),
    ],
)
def test_a_change_that_breaks_clients_is_named(change, told):
    assert told in changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda paths, _: paths.update({"/v1/new": paths[FEEDBACK]}),
        lambda _, schemas: schemas["ChatReply"]["properties"].update(more={"type": "string"}),
        lambda _, schemas: schemas["ChatRequest"]["properties"].update(more={"type": "string"}),
        lambda _, schemas: schemas["Verdict"]["enum"].append("sideways"),
        lambda _, schemas: schemas["ChatReply"].update(description="Other words."),
        lambda paths, _: paths[FEEDBACK]["post"].update(summary="Other words"),
    ],
)
def test_a_change_that_adds_breaks_nobody(change):
    assert changed(change) == []


def test_every_operation_says_what_it_does_who_may_and_what_may_go_wrong():
    for name, operation in operations():
        assert operation["summary"], name
        assert len(operation["description"].splitlines()[0]) > 10, name
        assert "Needs " in operation["description"] or "Open to anybody." in operation["description"], name
        assert operation["tags"], name
        assert "500" in operation["responses"], name
    told = [(name, one) for name, one in operations() if name.split()[1].startswith("/v1/")]
    keyed = [one for _, one in told for way in one["security"] if "key" in way]
    assert len(keyed) > 80
    assert any(way["key"] == ["checks"] for one in keyed for way in one["security"] if "key" in way)


def bodies():
    for name, operation in operations():
        if "requestBody" in operation:
            for media, content in operation["requestBody"]["content"].items():
                yield f"{name} {media}", content
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {}).items():
                yield f"{name} {status} {media}", content


def test_every_body_has_an_example_that_is_as_described():
    seen = 0
    for place, content in bodies():
        examples = list(content.get("examples", {}).values())
        values = [DOCUMENT["components"]["examples"][one["$ref"].rpartition("/")[2]]["value"] for one in examples]
        values += [content["example"]] if "example" in content else []
        assert values, f"{place} has no example"
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        for value in values:
            jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
            seen += 1
    assert seen > 150


def test_every_error_has_its_codes_with_examples_that_are_as_described():
    told = set()
    for name, response in DOCUMENT["components"]["responses"].items():
        for media, content in response["content"].items():
            if media == "text/html":
                continue
            assert content["examples"], name
            for code, example in content["examples"].items():
                jsonschema.validate(example["value"], {**content["schema"], "components": DOCUMENT["components"]})
                assert f"`{code}`" in response["description"]
                told.add(code)
    never_described = {"client_closed_request", "host_not_allowed", "method_not_allowed", "time_needed"}
    assert {one.name for one in ERROR_CODES} - never_described - told == set()


def test_rates_events_and_repeats_are_described():
    chat = DOCUMENT["paths"]["/v1/chat"]["post"]
    reply = chat["responses"]["200"]
    assert {"x-ratelimit-limit-requests", "x-canongate-outcome", "idempotency-replayed"} <= set(reply["headers"])
    events = {one["event"]: one["schema"] for one in reply["content"]["text/event-stream"]["x-sse-events"]}
    assert set(events) == {"stage", "sentence", "blocked", "done", "error"}
    for schema in events.values():
        assert schema["$ref"].rpartition("/")[2] in SCHEMAS
    late = DOCUMENT["components"]["responses"]["questions_429"]
    assert {"retry-after", "x-ratelimit-reset-requests"} <= set(late["headers"])


def test_every_described_method_is_compared():
    assert {one.method for one in OPERATIONS} <= set(METHODS)
    assert any(JSON in one.replies for one in OPERATIONS)
