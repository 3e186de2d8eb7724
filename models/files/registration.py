"""Makes a registered model of a file: reads its header, settles its family, hashes it."""

import re
from dataclasses import dataclass
from pathlib import Path

from models.catalog import known_model, verified_path
from models.errors import ModelRefused
from models.families import CommercialUse, Family, families, family
from models.files.gguf import GgufHeader, read_header
from models.files.registry import HashProgress, RegisteredModel, Registry, hashed

MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Application:
    """What an operator says of a file."""

    file: Path
    name: str | None = None
    """None takes the file's name."""
    family_name: str | None = None
    """None takes the only family of the file's architecture, if it is the only one."""
    is_licence_acknowledged: bool = False


def register(application: Application, registry: Registry, progress: HashProgress) -> RegisteredModel:
    """Registers a file and returns what was registered; raises `ModelRefused`, saying what to do, when it cannot be.

    The hash comes last: nobody waits minutes for it to hear that the name is taken.
    """
    path = application.file.expanduser().absolute()
    header = read_header(path)
    chosen = _family(header, application)
    if chosen.needs_acknowledgement and not application.is_licence_acknowledged:
        raise ModelRefused(
            f"the licence of {chosen.title} forbids commercial use ({chosen.licence}). Read it, and say with "
            "--licence-acknowledged that your use is allowed."
        )
    name = application.name or _name_of(path)
    registry.require_free(name)
    digest, seen = hashed(path, progress)
    model = RegisteredModel(
        name=name,
        path=str(path),
        sha256=digest,
        size_bytes=seen.size,
        family=chosen.name,
        architecture=header.architecture,
        format_name=chosen.format_name,
        licence=chosen.licence,
        is_commercial_use_allowed=chosen.commercial_use is not CommercialUse.NO,
        is_licence_acknowledged=application.is_licence_acknowledged,
        context_tokens=header.context_tokens,
        seen=seen,
    )
    registry.add(model)
    return model


def checked(name: str, registry: Registry, progress: HashProgress) -> GgufHeader:
    """Reads the whole file of a model; raises `ModelRefused` unless header and hash are as registered.

    About 1 s for 1 GB that is in memory. What the file looks like is remembered, for `looks_unchanged`.
    """
    model = registry.find(name)
    if model is None:
        return read_header(verified_path(known_model(name)))
    path = Path(model.path)
    header = read_header(path)
    digest, seen = hashed(path, progress)
    if digest != model.sha256:
        raise ModelRefused(
            f"{path} has SHA-256 {digest}, but {model.sha256} is registered for {name}. Restore the file, or register "
            "what you have after checking where it came from: canongate models remove, then add."
        )
    if seen != model.seen:
        registry.note(name, seen)
    return header


def _family(header: GgufHeader, application: Application) -> Family:
    fitting = [one for one in families() if one.gguf_architecture == header.architecture]
    if application.family_name is not None:
        chosen = family(application.family_name)
        if not chosen.runs_in_llama_cpp:
            raise ModelRefused(
                f"llama.cpp cannot run models of the family {chosen.name}; serve them with an OpenAI-compatible server"
            )
        if chosen not in fitting:
            raise ModelRefused(
                f"{header.file} is a {header.architecture} model, but models of the family {chosen.name} are "
                f"{chosen.gguf_architecture}. {_choices(header, fitting)}"
            )
        return chosen
    if len(fitting) == 1:
        return fitting[0]
    raise ModelRefused(f"{header.file} is a {header.architecture} model. {_choices(header, fitting)}")


def _choices(header: GgufHeader, fitting: list[Family]) -> str:
    """Says which families there are; the one that the file's name speaks of comes with a hint, and is never taken."""
    if not fitting:
        return "No family of that architecture is known here, so nobody knows how its turns are marked."
    said = re.sub(r"[^a-z0-9]", "", header.file.lower())
    alike = [one.name for one in fitting if re.sub(r"[^a-z0-9]", "", one.name) in said]
    hint = f" Its name suggests {alike[-1]}." if alike else ""
    return f"Name its family with --family: {', '.join(one.name for one in fitting)}.{hint}"


def _name_of(path: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("._-")[:MAX_NAME]
    if not name:
        raise ModelRefused(f"{path.name} makes no name for a model; give one with --name")
    return name
