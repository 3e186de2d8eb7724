"""Every route is closed but those in one table, bodies are JSON, and errors have one shape."""

import httpx
import pytest

from gateway.http.access import PUBLIC_ROUTES
from gateway.limit_settings import LimitSettings
from store.types import KeyScope

pytestmark = pytest.mark.anyio

ASKED = {"model": "helpdesk", "messages": [{"role": "user", "content": "I forgot my password"}]}
BAD_TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer cg_aaaaaaaa_" + "b" * 43,
    "Basic Y2c6Y2c=",
    "Bearer ' OR 1=1 --",
    "Bearer " + "x" * 100_000,
    "Bearer cg_aaaaaaaa_" + "é" * 43,
    "Bearer cg_\x00aaaaaaa_" + "b" * 43,
]


def routes(app):
    for route in app.routes:
        for method in sorted(route.methods):
            yield method, route.path


def concrete(path: str) -> str:
    return path.replace("{name:str}", "landing.css").replace("{model:str}", "helpdesk")


def is_closed(path: str) -> bool:
    has_own_table = path.startswith(("/v1/admin/", "/admin", "/widget/"))
    return path not in PUBLIC_ROUTES and not has_own_table


def assert_envelope(response: httpx.Response) -> dict:
    assert response.headers["x-request-id"]
    error = response.json()["error"]
    assert set(response.json()) == {"error"}
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["code"]
    return error


async def test_a_route_that_is_not_in_the_table_needs_a_key(world):
    seen = 0
    async with world.client() as client:
        for method, path in routes(world.app):
            if is_closed(path):
                seen += 1
                response = await client.request(method, concrete(path))
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"] == "Bearer"
                assert assert_envelope(response)["code"] == "invalid_api_key"
    assert seen >= 4


async def test_the_table_names_only_routes_that_exist(world):
    assert {route.path for route in world.app.routes} >= PUBLIC_ROUTES


@pytest.mark.parametrize("sent", BAD_TOKENS, ids=range(len(BAD_TOKENS)))
async def test_every_wrong_key_is_refused_in_the_same_words(world, sent):
    async with world.client() as client:
        headers = [(b"authorization", sent.encode()), (b"content-type", b"application/json")]
        response = await client.post("/v1/chat/completions", headers=headers, content=b"{}")
    assert response.status_code == 401
    assert assert_envelope(response) == {
        "message": "The API key is missing, wrong, expired or revoked.",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }


async def test_an_expired_key_and_a_key_in_another_place_are_refused(world):
    token = world.key()
    async with world.client(world.key(is_expired=True)) as client:
        assert (await client.get("/v1/models")).status_code == 401
    async with world.client() as client:
        assert (await client.get("/v1/models", headers={"x-api-key": token})).status_code == 401
        assert (await client.get("/v1/models", params={"api_key": token})).status_code == 401
        assert (await client.get("/v1/models", headers={"cookie": f"authorization=Bearer {token}"})).status_code == 401
        twice = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
        assert (await client.get("/v1/models", headers=twice)).status_code == 401


async def test_a_key_without_the_chat_scope_is_forbidden(world):
    async with world.client(world.key(KeyScope.DEBUG)) as client:
        response = await client.post("/v1/chat/completions", json=ASKED)
    assert response.status_code == 403
    assert assert_envelope(response)["code"] == "insufficient_scope"


async def test_keys_that_cannot_be_checked_open_nothing(world):
    token = world.key()
    world.keys.is_away = True
    async with world.client(token) as client:
        response = await client.post("/v1/chat/completions", json=ASKED)
    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "true"
    assert int(response.headers["retry-after"]) >= 1
    assert assert_envelope(response)["code"] == "store_unavailable"
    assert "/secret/path" not in response.text
    assert not world.model.prompts


async def test_unknown_addresses_and_methods_have_the_same_envelope_under_v1(world):
    async with world.client(world.key()) as client:
        missing = await client.get("/v1/nothing")
        wrong = await client.delete("/v1/chat/completions")
    assert (missing.status_code, assert_envelope(missing)["code"]) == (404, "not_found")
    assert (wrong.status_code, assert_envelope(wrong)["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["allow"]


async def test_elsewhere_errors_are_problem_documents(world):
    async with world.client() as client:
        response = await client.get("/nothing", headers={"x-request-id": "mine-1"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:canongate:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing at this address. /openapi.json, where pages answer, lists what there is.",
        "code": "not_found",
        "param": None,
        "request_id": "mine-1",
    }


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
async def test_a_json_route_takes_no_other_type(world, kind):
    headers = {"content-type": kind} if kind else {}
    async with world.client(world.key()) as client:
        for path in ("/v1/chat/completions", "/v1/chat"):
            response = await client.post(path, content=b'{"model": "helpdesk"}', headers=headers)
            assert response.status_code == 415
            assert assert_envelope(response)["code"] == "unsupported_media_type"


BROKEN = {
    "cut off": b'{"model": "help',
    "not UTF-8": b'{"model": "\xff\xfe"}',
    "5,000 deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "5,000 lists deep": b"[" * 5000 + b"]" * 5000,
    "40 deep": b'{"metadata":' + b'{"a":' * 40 + b"1" + b"}" * 41,
    "a list": b"[]",
    "empty": b"",
    "NaN": b'{"temperature": NaN}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat"])
async def test_a_broken_body_is_the_callers_error(world, path, body):
    async with world.client(world.key()) as client:
        response = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert assert_envelope(response)["code"] == "invalid_json"


async def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(make_world):
    world = make_world(limits=LimitSettings(body_bytes=2048))
    large = b'{"model": "' + b"x" * 4000 + b'"}'

    async def pieces():
        yield large[:1500]
        yield large[1500:]

    async with world.client(world.key()) as client:
        for content in (large, pieces()):
            headers = {"content-type": "application/json"}
            response = await client.post("/v1/chat/completions", content=content, headers=headers)
            assert response.status_code == 413
            assert assert_envelope(response)["code"] == "request_too_large"


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [("trace-1.a_B", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<script>", False), ("", False)],
)
async def test_a_request_id_is_echoed_only_if_it_is_a_plain_token(world, sent, is_kept):
    async with world.client() as client:
        response = await client.get("/livez", headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is is_kept
    assert len(response.headers["x-request-id"]) <= 64


async def test_every_response_carries_the_security_headers(world):
    async with world.client() as client:
        for path in ("/livez", "/readyz", "/openapi.json", "/nothing", "/v1/models", "/", "/static/landing.css"):
            response = await client.get(path)
            assert response.headers["x-content-type-options"] == "nosniff", path
            assert response.headers["cross-origin-resource-policy"] == "same-origin", path
            assert response.headers["content-security-policy"].startswith("default-src 'none'"), path
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"], path
            assert response.headers["x-request-id"], path


async def test_models_are_those_that_the_key_may_use(make_world):
    world = make_world(more_assistants=("internal",))
    async with world.client(world.key(assistants=("helpdesk",))) as client:
        listed = (await client.get("/v1/models")).json()
        own = await client.get("/v1/models/helpdesk")
        others = await client.get("/v1/models/internal")
        missing = await client.get("/v1/models/nowhere")
        asked = await client.post("/v1/chat/completions", json=ASKED | {"model": "internal"})
        guessed = await client.post("/v1/chat/completions", json=ASKED | {"model": "nowhere"})
    assert [one["id"] for one in listed["data"]] == ["helpdesk"]
    assert own.json()["object"] == "model"
    assert others.status_code == asked.status_code == 404
    assert others.json() == missing.json()
    assert asked.json() == guessed.json(), "the answer must not say which assistants exist"
