"""Each gateway has a data folder of its own: what it fits for itself there, another one does not share."""

import shutil
from contextlib import suppress

import msgspec

from gateway.backups.making import SECRETS
from gateway.settings import Settings


def folder_of_gateway(settings: Settings, rank: int) -> Settings:
    """Returns the settings of one of several gateways: its folder is in the data folder, with the same four keys.

    `rank` is its number among those that run, which a new one takes over from one that ended. A gateway that is always
    alone has the data folder itself.
    """
    if settings.ray.most_gateways == 1:
        return settings
    folder = settings.data_directory / f"gateway-{rank}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SECRETS:
        with suppress(FileNotFoundError):  # made by the first gateway that needs it
            shutil.copy2(settings.data_directory / name, folder / name)
    data = msgspec.structs.replace(settings.data, directory=str(folder))
    return msgspec.structs.replace(settings, data=data)
