"""The gateway as a process of its own, with a fake embedder, and a fake model that takes its time.

Run as `python -m tests.gateway.commands.fake_gateway SECONDS serve ...`: an answer takes that many seconds.
"""

import sys

from gateway import bootstrap, cli
from models.fakes import FakeEmbedder, FakeModel
from tests.building import GROUNDED, NearestMatchers


def main() -> None:
    """Runs a command of the gateway with the fakes in place."""
    delay_s = float(sys.argv.pop(1))
    bootstrap.open_embedder = lambda *_: FakeEmbedder()
    bootstrap.FittedMatchers = lambda settings, embedder, _: NearestMatchers(embedder, settings.index)
    bootstrap.open_model = lambda *_, **__: FakeModel(answer=GROUNDED, delay_s=delay_s)
    cli.main()


if __name__ == "__main__":
    main()
