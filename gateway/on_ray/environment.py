"""What Ray reads from the environment while it is imported; it has no other switches. Imports nothing of it."""

import os
import secrets

from gateway.ray_settings import RaySettings


def prepare(settings: RaySettings) -> None:
    """Sets the variables, for this process and those that Ray starts from it."""
    # It would tell its makers over the network how it is used.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # noqa: TID251 - as the module says
    if settings.address:
        return
    # Whoever reaches a Ray may run code in it: our own one takes a token that is new each time.
    os.environ["RAY_AUTH_MODE"] = "token"  # noqa: TID251 - as the module says
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # noqa: TID251 - as the module says
    # It would listen on every interface: it counts 127.0.0.1 as its address only where no others can join.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # noqa: TID251 - as the module says
    # Its HTTP server would believe X-Forwarded-For of whoever is on this machine.
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # noqa: TID251 - as the module says
