"""A first publish while the database stands still: an error in its time, nothing half done; later it can be made."""

import time

import pytest

from gateway.beginning import BEGUN, Beginning
from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder
from rails.fakes import InProcessSandbox
from store import engines as module
from store.audit import AuditFilter, AuditTrail
from store.catalog import live_revision
from store.database import Database, open_database
from store.errors import Conflict, StoreUnavailable
from store.formats.bundle_file import Writing
from store.people import Role
from tests.administration import AUDIT_KEY, person
from tests.faults.ways import way_to
from tests.gateway.test_beginning import OWN, bundled
from tests.migrated import migrate_new
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
ADMIN = person("ada", Role.ADMIN)


class SilentSandbox(InProcessSandbox):
    """Tries a policy, and then the database stands still."""

    def __init__(self, proxy) -> None:
        super().__init__()
        self._proxy = proxy

    def try_document(self, document):
        report = super().try_document(document)
        self._proxy.is_silent = True
        return report


def begun(database: Database, sandbox) -> Beginning:
    trail = AuditTrail(database, AUDIT_KEY)
    return Beginning(database, trail, rail_services(FakeEmbedder), example=None, sandbox=sandbox)


@pytest.mark.parametrize("is_late", [False, True], ids=["from the beginning", "in the middle"])
def test_it_ends_in_an_error_and_nothing_is_lost(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, *, is_late: bool
) -> None:
    monkeypatch.setattr(module, "STATEMENT_S", 1)
    monkeypatch.setattr(module, "WAIT_S", 1)
    monkeypatch.setattr(module, "_BEYOND_S", 0.5)
    monkeypatch.setitem(module._CONNECTING, "connect_timeout", 2)
    url = postgres_server()
    migrate_new(url)
    with way_to(url) as (proxy, way):
        database = open_database(way)
        beginning = begun(database, SilentSandbox(proxy) if is_late else InProcessSandbox())
        proxy.is_silent = not is_late
        began_s = time.monotonic()
        with pytest.raises(StoreUnavailable):
            beginning.with_bundle(ADMIN, bundled(OWN), Writing.JSON)
        assert proxy.is_silent
        assert time.monotonic() - began_s < 30
        direct = open_database(url)
        assert live_revision(direct) == 0
        assert AuditTrail(direct, AUDIT_KEY).page(AuditFilter(action=BEGUN), limit=2) == ()
        proxy.is_silent = False
        proxy.cut()
        again = begun(database, InProcessSandbox())
        assert again.with_bundle(ADMIN, bundled(OWN), Writing.JSON).revision == 1
        assert len(AuditTrail(direct, AUDIT_KEY).page(AuditFilter(action=BEGUN), limit=2)) == 1
        with pytest.raises(Conflict):
            beginning.with_bundle(ADMIN, bundled(OWN), Writing.JSON)
        direct.close()
        database.close()
