"""The models that an operator registered: their files by SHA-256, kept in the data folder beside the built-in ones."""

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from models.catalog import KNOWN_MODELS, KnownModel, known_model
from models.errors import ModelRefused, ModelUnavailable

REGISTRY = "models.json"
"""Its name in the data folder."""
FORMAT = 1
CHUNK_BYTES = 8 * 2**20

HashProgress = Callable[[int, int], None]
"""Is told how many bytes are done, and of how many."""

NAME = r"^[a-z0-9][a-z0-9._-]{0,63}\Z"
"""A name is a setting and appears in records."""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the file looked when it was last hashed: enough to report about it, never to load it unread."""

    size: int
    mtime_ns: int
    inode: int


class RegisteredModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One registered file."""

    name: Annotated[str, Meta(pattern=NAME)]
    path: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    size_bytes: Annotated[int, Meta(ge=1)]
    family: str
    architecture: str
    format_name: str
    licence: str
    is_commercial_use_allowed: bool
    is_licence_acknowledged: bool
    """Whether who registered it said that the licence allows what they do with it."""
    context_tokens: Annotated[int, Meta(ge=1)]
    seen: Seen

    @property
    def known(self) -> KnownModel:
        """The model as the worker takes it; its file is named apart."""
        return KnownModel(
            name=self.name,
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            licence=self.licence,
            is_commercial_use_allowed=self.is_commercial_use_allowed,
            context_tokens=self.context_tokens,
            format_name=self.format_name,
            package=None,
            file=Path(self.path).name,
            family=self.family,
        )


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    models: tuple[RegisteredModel, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """The file of registered models. Every change replaces it whole, one change at a time across processes."""

    file: Path

    def all(self) -> tuple[RegisteredModel, ...]:
        """Returns the models by name. Raises `ModelRefused` for a file that was damaged; nothing is guessed from it."""
        try:
            content = msgspec.json.decode(self.file.read_bytes(), type=_Content)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ModelRefused(f"{self.file} cannot be read: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise ModelRefused(f"{self.file} is damaged: {error}. Remove it and register the models again.") from error
        names = [model.name for model in content.models]
        if content.format != FORMAT or len(set(names)) != len(names):
            raise ModelRefused(f"{self.file} is of another version or names a model twice; register the models again")
        return content.models

    def find(self, name: str) -> RegisteredModel | None:
        """Returns a model by name."""
        return next((model for model in self.all() if model.name == name), None)

    def require_free(self, name: str) -> None:
        """Raises `ModelRefused` for a name that is none, or that another model has."""
        _require_free(name, {model.name for model in self.all()})

    def add(self, model: RegisteredModel) -> None:
        """Registers a model. Raises `ModelRefused` for a name that is taken, `ModelUnavailable` for a full disk."""
        model.known.prompt_format  # noqa: B018 - raises for a format that does not exist
        with self._changed() as models:
            _require_free(model.name, models)
            models[model.name] = model

    def note(self, name: str, seen: Seen) -> None:
        """Remembers how the file of a registered model looked when its hash was found right."""
        with self._changed() as models:
            if name in models:
                models[name] = msgspec.structs.replace(models[name], seen=seen)

    def remove(self, name: str) -> None:
        """Takes a model off the list; its file stays. Raises `ModelRefused` for a name that is not on it."""
        with self._changed() as models:
            if name not in models:
                raise ModelRefused(f"no model {name!r} was registered here; see canongate models list")
            del models[name]

    @contextlib.contextmanager
    def _changed(self) -> Iterator[dict[str, RegisteredModel]]:
        try:
            with self.file.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                models = {model.name: model for model in self.all()}
                yield models
                _write_durably(self.file, _Content(FORMAT, tuple(models[name] for name in sorted(models))))
        except OSError as error:
            raise ModelUnavailable(f"{self.file} cannot be written: {error.strerror}") from error


def find_model(name: str, registry: Registry) -> tuple[KnownModel, Path | None]:
    """Returns a built-in or registered model, with the path of a registered one's file, which was not looked at.

    Raises `ModelRefused` for a name that is neither.
    """
    if any(model.name == name for model in KNOWN_MODELS):
        return known_model(name), None
    models = {model.name: model for model in registry.all()}
    if name in models:
        return models[name].known, Path(models[name].path)
    names = ", ".join([*(model.name for model in KNOWN_MODELS), *sorted(models)])
    raise ModelRefused(
        f"model {name!r} is not registered; registered are: {names}. Register a file: canongate models add FILE"
    )


def hashed(path: Path, progress: HashProgress) -> tuple[str, Seen]:
    """Returns a file's SHA-256 and how it looked; raises `ModelRefused` when it cannot be read or changes meanwhile."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            before = _seen(os.fstat(file.fileno()))
            done = 0
            while done <= before.size and (chunk := file.read(CHUNK_BYTES)):  # a file may grow for ever
                digest.update(chunk)
                done += len(chunk)
                progress(done, before.size)
            after = _seen(os.fstat(file.fileno()))
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}") from error
    if before != after or done != before.size:
        raise ModelRefused(f"{path.name} changed while it was read; wait until it is complete")
    return digest.hexdigest(), before


def looks_unchanged(model: RegisteredModel) -> bool:
    """Whether the file is as large and as old as when it was last hashed; for reports, never before loading."""
    try:
        return _seen(Path(model.path).stat()) == model.seen
    except OSError:
        return False


def _seen(about: os.stat_result) -> Seen:
    return Seen(about.st_size, about.st_mtime_ns, about.st_ino)


def _require_free(name: str, taken: Collection[str]) -> None:
    if not re.match(NAME, name):
        raise ModelRefused(f"{name!r} is no name for a model: lower case letters, digits, dots and dashes, at most 64")
    if name in taken or any(model.name == name for model in KNOWN_MODELS):
        raise ModelRefused(f"the name {name} is taken; choose another one with --name, or remove it first")


def _write_durably(path: Path, content: _Content) -> None:
    """Replaces the file; a crash leaves the old one or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
