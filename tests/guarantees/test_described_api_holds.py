"""Every operation behaves as `/openapi.json` says, whatever is sent to it: generated requests against real routes."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.http.described import Described
from gateway.http.openapi import OPERATIONS
from gateway.settings import LimitSettings
from rails.engine import RailsPolicy
from store.database import open_database
from store.people import Role
from store.types import KeyScope
from tests.administration import AdminWorld, person
from tests.migrated import migrate_new
from tests.widget_world import INTRANET, make_site
from tests.world import World

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
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


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_an_operation_does_what_is_described(
    one: Described, described, admin: AdminWorld, key: str, session: str
) -> None:
    visitor = {"origin": INTRANET, "authorization": f"Bearer {session}"}
    everybody = admin.authenticator.add(person("ada", *Role))
    headers = {"authorization": f"Bearer {everybody.id if one.path.startswith(ADMIN) else key}"}
    headers = visitor if one.path.startswith("/widget/") else headers

    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=described[one.path][one.method].as_strategy())
    def behaves(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    behaves()
