"""The example policy with the real embedder, as the benchmarks of rails use it."""

import sys
from functools import cache
from pathlib import Path

from gateway.rail_services import RecentVectors, rail_services
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.ports import Embedder
from rails.definition import RailServices
from rails.engine import RailsPolicy, compile_policy
from rails.policy import PolicyDocument, load_policy
from store.formats.bundle import read_bundle

ROOT = Path(__file__).parents[1]
HELPDESK = ROOT / "examples" / "helpdesk"
EXPORTS = ROOT / "var" / "embedder"


@cache
def packaged_embedder() -> Embedder:
    """Returns the packaged embedder, exported the first time."""
    return load_embedder(packaged_minilm(), EXPORTS, PACKAGED_MINILM_SHA256, lambda line: print(line, file=sys.stderr))


def packaged_services() -> RailServices:
    """Returns what rails may call, with the packaged embedder."""
    recent = RecentVectors(packaged_embedder())
    return rail_services(lambda: recent)


def example_document() -> PolicyDocument:
    """Returns the example's policy as it is written."""
    return load_policy(read_bundle(HELPDESK).policies["helpdesk"])


def example_policy() -> RailsPolicy:
    """Returns it compiled."""
    return compile_policy(example_document(), 1, services=packaged_services())
