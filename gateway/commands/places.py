"""Where a command works: it refuses a place without a database of ours, unless it is one that may begin there."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from gateway.errors import SettingsInvalid
from gateway.settings import CONFIG_VARIABLE, DIRECTORY_VARIABLE, Settings
from store.dumps import schema_of
from store.engines import address_of

MAY_BEGIN: Mapping[str, str] = MappingProxyType(
    {
        "serve": "the first start makes database and keys",
        "demo": "makes a gateway to look at",
        "check": "makes nothing, and says that nothing is there",
        "import": "the first content may come before the first start; a dry run says what it would bring",
        "user create": "the first administrator may be made before the first start",
        "restore": "puts a gateway where none is",
        "eval match": "reads the files that it is given alone",
        "eval rails": "tries a policy's file, or the packaged policy where none is live, and names it",
        "rails try": "reads the file that it is given alone",
        "models prepare": "exports the embedder, which is made before the first start",
        "models list": "models are in files, not in the database",
        "models add": "models are in files, not in the database",
        "models remove": "models are in files, not in the database",
        "models verify": "models are in files, not in the database",
        "models plan": "reads the file that it is given alone",
    }
)
"""Commands that go on in an empty place, by the words behind `canongate`, each with why. Every other command that takes
settings works on what is there: in a wrong place it would do nothing and call that done."""


def require_place(settings: Settings, command: str) -> None:
    """Raises `SettingsInvalid` where the command works on what is there, and nothing is; makes nothing."""
    if command in MAY_BEGIN or schema_of(settings.database_url) is not None:
        return
    raise SettingsInvalid(
        f"no database of canongate is in {_place_of(settings)}, and `canongate {command}` works on what is there. "
        f"Name the gateway's settings with --config FILE or {CONFIG_VARIABLE}, or its data folder with "
        f"{DIRECTORY_VARIABLE}. A new gateway begins with canongate serve, import or restore."
    )


def _place_of(settings: Settings) -> str:
    if settings.data.database_url:
        return f"the database {address_of(settings.database_url)}"
    return f"the data folder {Path.cwd() / settings.data_directory}"
