"""The settings of what words an answer: the model and its worker, a server in its place, and answers that are kept."""

from typing import Annotated

from msgspec import Meta

from gateway.sections import PREFIX, Section

MOST_PARALLEL = 128
"""Answers at once; llama.cpp has 256 sequences, and kept beginnings of prompts need some of them."""


class AdapterSettings(Section, frozen=True):
    """A low-rank adapter (LoRA, as GGUF) over the model's weights, for one assistant."""

    assistant: str
    """Whose answers it words."""

    path: str
    """The adapter's file."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="64 hex digits in small letters")]
    """Its hash (`sha256sum FILE`): another file is not loaded."""

    scale: Annotated[float, Meta(gt=0, le=4)] = 1.0
    """How much of it is added."""


class ModelSettings(Section, frozen=True):
    """The language model and its worker process."""

    name: str = "smollm2-135m-instruct"
    """Name of a model in the catalogue (`canongate models list`)."""

    context_tokens: Annotated[int, Meta(ge=256, le=131072)] = 2048
    """Most tokens of one prompt and its answer; an approved prompt with facts needs a few hundred."""

    parallel: Annotated[int, Meta(ge=0, le=MOST_PARALLEL)] = 0
    """Most answers that the worker writes at once; 0 means what memory allows, at most 8 without a GPU and 32 with."""

    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Threads of the worker; 0 leaves one core for the gateway."""

    gpu_layers: Annotated[int, Meta(ge=-1, le=1000)] = -1
    """Layers to offload to a GPU; -1 means as many as fit. Needs a llama-cpp-python built for the GPU."""

    unpack: bool = True
    """Whether a file whose weights a CPU computes token by token (Q4_1, Q5_1) is rewritten once with 8 bits a weight:
    up to twice the speed for half as much memory again. The hash that is recorded stays the file's own."""

    queue: Annotated[int, Meta(ge=1, le=1000)] = 8
    """Requests that may wait for the model, for `limits.model_wait_s` at most; one more gets the approved fallback
    answer at once."""

    environment: tuple[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z", description="a variable's name, without its value")],
        ...,
    ] = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
    """Variables of the gateway's environment that the worker gets too, such as which cards to use (whole ones, numbered
    as `nvidia-smi` does, or as `GPU-...`) and where a GPU's libraries are. It gets no others, and never one of ours."""

    adapters: tuple[AdapterSettings, ...] = ()
    """Adapters, one for each assistant that has its own; write `[[model.adapters]]` for each."""

    def __post_init__(self) -> None:
        if ours := sorted(name for name in self.environment if name.upper().startswith(PREFIX)):
            raise ValueError(f"model.environment: {', '.join(ours)} may hold a secret of the gateway's; leave it out")
        names = [adapter.assistant for adapter in self.adapters]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"model.adapters: {', '.join(twice)} has several adapters; keep one")


class UpstreamSettings(Section, frozen=True):
    """An OpenAI-compatible server (llama-server, vLLM) that answers in place of the worker, when `url` is set."""

    url: str = ""
    """Such as `http://127.0.0.1:8081/v1`; empty means the worker of `[model]`. Nothing is sent anywhere else."""

    model: str = ""
    """The model's name on that server; needed with `url`."""

    revision: str = ""
    """Your name for the weights that run there. Change it when they change: kept answers and decisions go by it."""

    prompts: Annotated[str, Meta(pattern=r"^(chat|text|tokens)\Z", description="chat, text or tokens")] = "chat"
    """`chat` leaves the prompt's format to the server; `text` sends ours; `tokens` too, and a slot then cannot become
    a control token, which only a llama-server can do: choose it there."""

    format: str = ""
    """Prompt format of the model's family (a file of `models/templates/`), for `text` and `tokens`."""

    key: str = ""
    """API key of that server. Prefer the variable to the file, and keep the file from others' eyes."""

    ca_file: str = ""
    """Certificates (PEM) to trust in place of the usual authorities; for a server with a certificate of your own."""

    allow_plain_http: bool = False
    """Allows `http://` beyond this machine: whoever is on the way reads prompts, answers and the key."""

    requests: Annotated[int, Meta(ge=1, le=1000)] = 8
    """Requests that the server works on at once; `model.queue` more wait in line, and one more than these gets the
    approved fallback answer at once."""

    def __post_init__(self) -> None:
        if "@" in self.url:
            raise ValueError("upstream.url must not hold a user or password; a key belongs in upstream.key")
        if self.url and not self.model:
            raise ValueError("upstream.model is needed with upstream.url: the model's name on that server")
        if not self.url and (self.model or self.revision or self.format or self.key or self.ca_file):
            raise ValueError("upstream.url is not set, so the other fields of [upstream] would do nothing")

    def __repr__(self) -> str:
        """Leaves the key out, wherever settings are printed."""
        return f"UpstreamSettings(url={self.url!r}, model={self.model!r}, key={'***' if self.key else ''!r})"


class AnswerSettings(Section, frozen=True):
    """Answers that are kept for prompts whose `cache` says so. Each gateway process keeps its own, in memory."""

    kept: Annotated[int, Meta(ge=0, le=1000000)] = 2000
    """Answers kept at most; the least recently used give way. 0 asks the model every time."""

    kept_mib: Annotated[float, Meta(ge=0, le=65536)] = 16.0
    """Memory that they may take, in MiB. An answer takes its text and about 1 KiB."""
