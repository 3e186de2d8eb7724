"""Every operation behaves as `/openapi.json` says, whatever is sent to it: generated requests against real routes."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from gateway.http.described import Described
from gateway.http.openapi import OPERATIONS
from gateway.limit_settings import LimitSettings
from rails.engine import RailsPolicy
from store.database import open_database
from store.people import Role
from store.types import KeyScope
from tests.administration import AdminWorld, person
from tests.migrated import migrate_new
from tests.widget_world import INTRANET, make_site
from tests.world import World


def no_server_error(ctx, response, case) -> bool | None:
    """As schemathesis has it; but who sends a deadline of a few milliseconds is told with a 504 that it is over."""
    too_late = response.status_code == 504 and "x-canongate-timeout-ms" in (case.headers or {})
    return None if too_late else not_a_server_error(ctx, response, case)


CHECKS = (
    no_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
)
ANY_TEXT_FITS = {"/docs/guides/{name}", "/static/{name}", "/embed/{version}/{name}"}
"""They take nothing but parts of their address, which can be anything."""


def refused(ctx, response, case) -> bool | None:
    """As schemathesis has it; but an older state and too large a body are refused before the body is looked at."""
    return None if response.status_code in (412, 413) else negative_data_rejection(ctx, response, case)


BY_MODE = {GenerationMode.POSITIVE: (), GenerationMode.NEGATIVE: (refused,)}
"""What is sent fits the description, or breaks it in one place and must be refused."""
ADMIN = "/v1/admin/"


@pytest.fixture(scope="module")
def admin(policy: RailsPolicy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminWorld]:
    folder = tmp_path_factory.mktemp("described")
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    limits = LimitSettings(requests_per_minute=10**9)
    yield AdminWorld(World(policy, limits=limits), database, folder)
    database.close()


@pytest.fixture(scope="module")
def described(admin: AdminWorld):
    return schemathesis.openapi.from_asgi("/openapi.json", admin.app)


@pytest.fixture(scope="module")
def key(admin: AdminWorld) -> str:
    return admin.world.key(KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS)


@pytest.fixture(scope="module")
def session(admin: AdminWorld) -> str:
    """A visitor's, of a site with pages at one origin."""
    rates = {"session": 10**6, "address": 10**6, "origin": 10**6}
    make_site(admin, "client", sign_in="optional", rates=rates)
    return admin.widget.visits.begin(admin.widget.book.page().clients["client"], INTRANET, None).token


@pytest.fixture
def headers(one: Described, admin: AdminWorld, key: str, session: str) -> dict[str, str]:
    """What opens the operation."""
    if one.path.startswith("/widget/"):
        return {"origin": INTRANET, "authorization": f"Bearer {session}"}
    everybody = admin.authenticator.add(person("ada", *Role))
    return {"authorization": f"Bearer {everybody.id if one.path.startswith(ADMIN) else key}"}


@pytest.mark.parametrize("mode", BY_MODE, ids=lambda mode: mode.value)
@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_an_operation_does_what_is_described(
    one: Described, mode: GenerationMode, described, headers: dict[str, str], pytestconfig: pytest.Config
) -> None:
    operation = described[one.path][one.method]
    takes = operation.definition.raw.keys() & {"parameters", "requestBody"}
    if mode is GenerationMode.NEGATIVE and (not takes or one.path in ANY_TEXT_FITS):
        pytest.skip("it takes nothing that could be wrong")
    examples, start = pytestconfig.getoption("examples"), pytestconfig.getoption("start")

    @seed(start)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def behaves(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=(*CHECKS, *BY_MODE[mode]))

    behaves()
