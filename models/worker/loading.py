"""Which file a worker loads: the one that its job names, or the registered one that it was made from."""

import sys
from pathlib import Path

import msgspec

from models.errors import ModelRefused
from models.verified import require_sha256
from models.worker.messages import Load


def loadable(load: Load) -> Load:
    """Returns the job with the file that has its hash; raises `ModelRefused` when neither has."""
    try:
        require_sha256(Path(load.path), load.sha256)
    except ModelRefused:
        if not load.source_path:
            raise
        sys.stderr.write("the rewritten weights are gone or damaged: the registered file is loaded\n")
        require_sha256(Path(load.source_path), load.source_sha256)
        return msgspec.structs.replace(load, path=load.source_path, sha256=load.source_sha256)
    return load
