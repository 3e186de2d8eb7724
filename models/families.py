"""The model families this gateway knows: what they are, what they may be used for, what they need and how they run."""

from enum import StrEnum
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from models.errors import ModelRefused
from models.formats import TEMPLATES, PromptFormat, prompt_format

FAMILIES = TEMPLATES / "families"


class CommercialUse(StrEnum):
    """What a family's licence says about use by a business."""

    YES = "yes"
    NO = "no"
    WITH_TERMS = "with terms"
    """Allowed under conditions that somebody has to read: registration, a limit of users, forbidden uses."""


class Runtime(StrEnum):
    """Where a family's models run."""

    LLAMA_CPP = "llama.cpp"
    UPSTREAM = "upstream"
    """llama.cpp has no graph for them; an OpenAI-compatible server runs them (`models/upstream/model.py`)."""


class Quantisation(StrEnum):
    """How the weights of a GGUF are stored."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q6_K = "q6_k"
    Q5_K_M = "q5_k_m"
    Q4_K_M = "q4_k_m"
    Q4_0 = "q4_0"


BITS_PER_WEIGHT = {
    Quantisation.F16: 16.0005,
    Quantisation.Q8_0: 8.5008,
    Quantisation.Q6_K: 6.5633,
    Quantisation.Q5_K_M: 5.7036,
    Quantisation.Q4_K_M: 4.8944,
    Quantisation.Q4_0: 4.64,
}
"""Of Llama-3.1-8B, from ggml-org/llama.cpp tools/quantize/README.md. That table has no Q4_0: its blocks of 32 weights
take 18 bytes (4.5 bits), and the output tensor, which stays Q6_K, brings the same model to 4.64. Other models differ by
a few per cent, small ones with a large vocabulary by more."""


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One size of a family."""

    name: Annotated[str, Meta(min_length=1)]
    billions: Annotated[float, Meta(gt=0)]
    """Parameters in thousand millions, embeddings and all, rounded to three digits."""
    context_tokens: Annotated[int, Meta(gt=0)] | None = None
    """Where it differs from the family's."""

    @property
    def parameters(self) -> int:
        """The number of parameters, as exact as `billions`."""
        return round(self.billions * 1e9)

    def weights_bytes(self, quantisation: Quantisation) -> int:
        """Returns the memory of the weights alone, without the KV cache and the compute buffers."""
        return round(self.parameters * BITS_PER_WEIGHT[quantisation] / 8)


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Models that share an architecture, a vocabulary, a prompt format and a licence."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9.-]*\Z")]
    title: Annotated[str, Meta(min_length=1)]
    architecture: Annotated[str, Meta(min_length=1)]
    runtime: Runtime
    context_tokens: Annotated[int, Meta(gt=0)]
    is_context_verified: bool
    """Whether the number was read in the makers' own documents."""
    licence: Annotated[str, Meta(min_length=1)]
    is_licence_verified: bool
    commercial_use: CommercialUse
    format_name: str
    sizes: Annotated[tuple[Size, ...], Meta(min_length=1)]
    gguf_architecture: str | None = None
    """`general.architecture` of its GGUF files; None where there are none."""
    is_chat_tuned: bool = True
    """Whether it knows turns; a base model only continues text."""
    note: str = ""

    def __post_init__(self) -> None:
        if (self.runtime is Runtime.LLAMA_CPP) != (self.gguf_architecture is not None):
            raise ValueError(f"family {self.name}: llama.cpp runs it if and only if it has a GGUF architecture")
        names = [size.name for size in self.sizes]
        if len(set(names)) != len(names):
            raise ValueError(f"family {self.name}: two sizes have the same name")

    @property
    def prompt_format(self) -> PromptFormat:
        """How its turns are marked."""
        return prompt_format(self.format_name)

    @property
    def runs_in_llama_cpp(self) -> bool:
        """Whether the gateway's own worker can run it."""
        return self.runtime is Runtime.LLAMA_CPP

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether an assistant must say that its use is not commercial."""
        return self.commercial_use is CommercialUse.NO


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    families: tuple[Family, ...]


@cache
def families() -> tuple[Family, ...]:
    """Returns every family, by name; raises `ModelRefused` for a file that is not right."""
    found: dict[str, Family] = {}
    for path in sorted(FAMILIES.glob("*.toml")):
        try:
            read = msgspec.toml.decode(path.read_bytes(), type=_File)
        except msgspec.MsgspecError as error:
            raise ModelRefused(f"templates/families/{path.name} is not a list of families: {error}") from error
        for one in read.families:
            if one.name in found:
                raise ModelRefused(f"templates/families/{path.name}: there is a family {one.name} already")
            found[one.name] = one
    return tuple(found[name] for name in sorted(found))


def family(name: str) -> Family:
    """Returns a family by name; raises `ModelRefused` for an unknown one."""
    for one in families():
        if one.name == name:
            return one
    raise ModelRefused(f"model family {name!r} is not known; known are: {', '.join(one.name for one in families())}")
