"""A gateway with the example store, served on 127.0.0.1 with a real database, for programs outside this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.app import create_app
from gateway.rail_services import rail_services
from models.fakes import FakeEmbedder, prompt_text
from rails.engine import compile_policy
from rails.policy import load_policy
from store.catalog import load_catalog, publish_bundle
from store.database import open_database
from store.formats.bundle import read_bundle
from store.repositories.decision_writer import DecisionWriter
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.real_browser import served
from tests.world import World

EXAMPLE = Path(__file__).parents[3] / "examples" / "helpdesk"
_QUOTED = re.compile(r'"(.*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class ExampleGateway:
    """Where it listens, and a key for it."""

    address: str
    key: str
    admin: AdminWorld


@contextmanager
def example_gateway(folder: Path) -> Iterator[ExampleGateway]:
    """Serves the example help desk; its model says what its prompts ask it to repeat."""
    url = f"sqlite:///{folder / 'canongate.db'}"
    migrate_new(url)
    database = open_database(url)
    publish_bundle(database, read_bundle(EXAMPLE), author="operator", note="example")
    content = load_catalog(database)
    document = content.policies["helpdesk"].document
    policy = compile_policy(load_policy(document), 1, services=rail_services(FakeEmbedder))
    writer = DecisionWriter(database)
    world = World(policy, content=content, decisions=writer)
    world.model.answer = lambda prompt: _repeated(prompt_text(prompt))
    admin = AdminWorld(world, database, folder)
    app = create_app(replace(admin.components, keys=admin.ring))
    with served(app) as address:
        yield ExampleGateway(address, admin.key(KeyScope.CHAT, KeyScope.CHECKS), admin)
    writer.close()
    database.close()


def _repeated(prompt: str) -> str:
    found = _QUOTED.search(prompt)
    return found[1].strip() if found else prompt
