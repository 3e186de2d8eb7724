"""What every process of ours on Ray does first. Imports little: a replica of a model is no gateway."""

import msgspec

from gateway.logs import set_up_logging
from gateway.on_ray.listening import listen_here
from gateway.settings import Settings


def begin(settings: bytes) -> Settings:
    """Returns the settings; lines of the log are written as they say from here on."""
    read = msgspec.json.decode(settings, type=Settings)
    set_up_logging(read.log)
    listen_here(read.ray)
    return read
