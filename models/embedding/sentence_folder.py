"""Reads a sentence-transformers folder without loading it: what it is made of, and whether it can be served."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from models.errors import ModelRefused
from models.verified import require_sha256, sha256_of

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
MODULES = "modules.json"
KNOWN_MODULES = frozenset({"Transformer", "Pooling", "Dense", "Normalize"})
DECIDING_FILES = (MODULES, "config_sentence_transformers.json", "sentence_bert_config.json")

_Config = TypeVar("_Config")


class _Module(msgspec.Struct, frozen=True):
    path: str
    type: str


class _Transformer(msgspec.Struct, frozen=True):
    model_type: str
    pad_token_id: int | None = None


class _Limits(msgspec.Struct, frozen=True):
    max_seq_length: int | None = None
    do_lower_case: bool = False


class _Prompts(msgspec.Struct, frozen=True):
    default_prompt_name: str | None = None


@dataclass(frozen=True, slots=True)
class SentenceFolder:
    """A folder whose weights have the registered hash and whose modules the export knows."""

    path: Path
    transformer: Path
    others: tuple[Path, ...]
    weights_sha256: str
    pad_id: int

    @classmethod
    def verified(cls, path: Path, weights_sha256: str) -> "SentenceFolder":
        """Reads `path`. Raises `ModelRefused`, saying why, for anything that could not be served exactly as it is."""
        first, *others = _modules(path)
        transformer = path / first.path
        _require_one_weights_file(transformer)
        require_sha256(transformer / WEIGHTS, weights_sha256)
        config = _read(transformer / "config.json", _Transformer)
        if not (transformer / TOKENIZER).is_file():
            raise ModelRefused(f"{transformer} has no {TOKENIZER}; save its tokenizer in the fast form first")
        if _optional(transformer / "sentence_bert_config.json", _Limits).do_lower_case:
            raise ModelRefused(f"{path} lower-cases outside its tokenizer; only {TOKENIZER} may change a text")
        if _optional(path / "config_sentence_transformers.json", _Prompts).default_prompt_name is not None:
            raise ModelRefused(f"{path} puts a prompt before every text; an embedder here reads the text alone")
        folders = tuple(path / module.path for module in others if module.path)
        return cls(path, transformer, folders, weights_sha256, config.pad_token_id or 0)

    @property
    def tokenizer(self) -> Path:
        """The file that cuts a text into word pieces."""
        return self.transformer / TOKENIZER

    @property
    def max_tokens(self) -> int | None:
        """The limit that the folder states itself, None when it states none."""
        return _optional(self.transformer / "sentence_bert_config.json", _Limits).max_seq_length

    def fingerprint(self, form: str) -> str:
        """Returns the hash of everything here that decides a vector, and of the form in which it is computed."""
        files = [self.path / name for name in DECIDING_FILES]
        files += [self.transformer / "config.json", self.transformer / "tokenizer_config.json", self.tokenizer]
        files += [folder / name for folder in self.others for name in ("config.json", WEIGHTS)]
        parts = [form, self.weights_sha256, *(sha256_of(file) if file.is_file() else "-" for file in files)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _modules(path: Path) -> list[_Module]:
    modules = _read(path / MODULES, list[_Module])
    kinds = [module.type.rsplit(".", 1)[-1] for module in modules]
    if unknown := sorted(set(kinds) - KNOWN_MODULES):
        raise ModelRefused(f"{path} has modules that cannot be exported: {', '.join(unknown)}")
    if kinds[:2] != ["Transformer", "Pooling"] or len({"Transformer", "Pooling"} & set(kinds[2:])) > 0:
        raise ModelRefused(f"{path} is not one transformer and one pooling, but: {', '.join(kinds) or 'nothing'}")
    for module in modules:
        if Path(module.path).is_absolute() or ".." in Path(module.path).parts:
            raise ModelRefused(f"{path / MODULES} names a folder outside its own: {module.path}")
        if (path / module.path / "pytorch_model.bin").is_file() and not (path / module.path / WEIGHTS).is_file():
            raise ModelRefused(f"{path / module.path} has pytorch_model.bin, which can run code when it is read")
    return modules


def _require_one_weights_file(folder: Path) -> None:
    if (folder / f"{WEIGHTS}.index.json").is_file():
        raise ModelRefused(f"{folder} keeps its weights in several files; save it as one {WEIGHTS}")


def _read(path: Path, kind: type[_Config]) -> _Config:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelRefused(f"{path} cannot be read: {error}") from error


def _optional(path: Path, kind: type[_Config]) -> _Config:
    return _read(path, kind) if path.is_file() else kind()
