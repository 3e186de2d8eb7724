"""Whether each assistant may use the model that is configured: a licence without commercial use is acknowledged."""

from gateway.errors import SettingsInvalid
from gateway.settings import Settings
from models.absent import ABSENT
from models.families import families
from models.files.registry import REGISTRY, Registry, find_model
from store.catalog import Catalog


def require_acknowledged(settings: Settings, catalog: Catalog) -> None:
    """Raises `SettingsInvalid` when a live assistant does not say that its use is not commercial, and must.

    Raises `ModelRefused` for a model that is not registered.
    """
    wanted = acknowledgements(settings)
    missing = [name for name, one in catalog.assistants.items() if one.model_licence_acknowledged not in wanted]
    if wanted and missing:
        assistant, family = min(missing), min(wanted)
        raise SettingsInvalid(
            f"assistants/{assistant}.yaml: the licence of the configured model ({family}) does not allow commercial "
            f"use. If the use of {assistant} is none, write model_licence_acknowledged: {family} in that file and "
            "import it; else configure another model."
        )


def acknowledgements(settings: Settings) -> frozenset[str]:
    """Returns the names of which an assistant must acknowledge one; none when the model may be used by anybody.

    Nobody knows what an upstream server runs: it counts as non-commercial when every family of its prompt format is.
    """
    if settings.upstream.url:
        served = [one for one in families() if one.format_name == settings.upstream.format]
        return frozenset(one.name for one in served if all(other.needs_acknowledgement for other in served))
    if settings.model.name == ABSENT:
        return frozenset()
    model, _ = find_model(settings.model.name, Registry(settings.data_directory / REGISTRY))
    return frozenset() if model.acknowledgement is None else frozenset({model.acknowledgement})
