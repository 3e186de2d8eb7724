"""Each gateway has a data folder of its own: what it fits for itself there, another one does not share."""

import shutil

import msgspec

from gateway.credentials import load_secret
from gateway.errors import SettingsInvalid
from gateway.key_files import KEY_FILES
from gateway.settings import Settings
from models.files.registry import REGISTRY


def absolute(settings: Settings) -> Settings:
    """Processes of Ray need not have this one's working folder, and all gateways add to one file of checkpoints."""
    data = msgspec.structs.replace(settings.data, directory=str(settings.data_directory))
    audit = msgspec.structs.replace(settings.audit, checkpoints=str(settings.checkpoint_file))
    return msgspec.structs.replace(settings, data=data, audit=audit)


def make_keys(settings: Settings) -> None:
    """Makes those of the four keys that are not there, before several gateways copy them."""
    if settings.ray.most_gateways > 1:
        for name in KEY_FILES:
            load_secret(settings.data_directory / name)


def folder_of_gateway(settings: Settings, rank: int) -> Settings:
    """Returns the settings of one of several gateways: its folder is in the data folder, with the same four keys.

    The registered models are copied too. `rank` is its number among those that run, which a new one takes over from
    one that ended. A gateway that is always alone has the data folder itself. Raises `SettingsInvalid` on a machine to
    which the keys were not copied.
    """
    if settings.ray.most_gateways == 1:
        return settings
    source = settings.data_directory
    folder = source / f"gateway-{rank}"
    registered = (REGISTRY,) if (source / REGISTRY).exists() else ()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (*KEY_FILES, *registered):
            shutil.copy2(source / name, folder / name)
    except OSError as error:
        raise SettingsInvalid(
            f"{source}: {error.strerror}. Copy the four keys ({', '.join(KEY_FILES)}) there."
        ) from error
    data = msgspec.structs.replace(settings.data, directory=str(folder))
    return msgspec.structs.replace(settings, data=data)
