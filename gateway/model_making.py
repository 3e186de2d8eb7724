"""Makes the language model from settings: the worker, a server elsewhere, or none."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gateway.settings import Settings, worker_environment
from models.absent import ABSENT, AbsentModel
from models.catalog import located
from models.device import NO_GPU_BUILD, this_machine
from models.files.gguf import read_header
from models.files.registry import REGISTRY, Registry, find_model
from models.files.unpacking import Weights, unpacked
from models.planning import Wish, plan_model
from models.ports import LanguageModel
from models.remote.model import RemoteModel, RemoteWeights
from models.upstream.model import UpstreamLimits, UpstreamModel
from models.upstream.target import PromptStyle, UpstreamTarget
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.messages import Adapter
from models.worker.process import WorkerProgram

_LOG = logging.getLogger(__name__)

Progress = Callable[[str], None]
"""Is told in one line what is being done."""


def open_model(
    settings: Settings,
    stack: ExitStack,
    *,
    without_model: bool,
    progress: Progress,
    elsewhere: RemoteModel | None = None,
) -> LanguageModel:
    """Starts the worker, or to watch what answers elsewhere, without waiting; or gives the model that never answers."""
    if elsewhere is not None:
        stack.callback(elsewhere.close)
        elsewhere.start()
        return elsewhere
    if without_model or not (settings.upstream.url or has_own_model(settings)):
        return AbsentModel()
    progress(f"calling {settings.upstream.url}" if settings.upstream.url else "starting the model's worker")
    model = make_model(settings, progress)
    stack.callback(model.close)
    model.start()
    return model


def make_model(settings: Settings, progress: Progress = lambda _: None) -> LlamaModel | UpstreamModel:
    """Makes the model without starting it; its weights may be rewritten, the first time.

    Raises `ModelRefused` for settings that it cannot have.
    """
    if settings.upstream.url:
        return _make_upstream(settings)
    known, path = find_model(settings.model.name, Registry(settings.data_directory / REGISTRY))
    chosen = settings.model
    wish = Wish(
        context_tokens=chosen.context_tokens,
        sequences=chosen.parallel or None,
        gpu_layers=None if chosen.gpu_layers == -1 else chosen.gpu_layers,
        threads=chosen.threads or None,
        may_unpack=chosen.unpack,
    )
    header = read_header(located(known, path))
    environment = worker_environment(settings)
    machine = this_machine(environment)
    if chosen.gpu_layers and not machine.gpus and machine.no_gpu != NO_GPU_BUILD:
        _LOG.warning("planned_without_gpu: %s", machine.no_gpu)
    plan = plan_model(header, machine, wish)
    source = Weights(located(known, path), known.sha256)
    folder = settings.data_directory / "unpacked"
    return LlamaModel(
        known,
        plan.device,
        EngineLimits(
            context_tokens=plan.context_tokens,
            parallel=plan.sequences,
            cells=plan.cells,
            prefix_cells=plan.prefix_cells,
            max_waiting=chosen.queue,
        ),
        WorkerProgram(environment=environment, log=settings.data_directory / "worker.log"),
        path=path,
        unpacked=unpacked(source, folder, progress) if plan.is_unpacked else None,
        adapters=_adapters(settings),
        prefix_folder=settings.data_directory / "prefixes",
    )


def parallel_of(model: LanguageModel, settings: Settings) -> int:
    """How many answers the model words at once."""
    return model.parallel if isinstance(model, LlamaModel | RemoteModel) else settings.upstream.requests


def places_of(model: LanguageModel, settings: Settings) -> int:
    """How many callers may wait for the model; some more than it takes, so that it is the model that says no."""
    return (model.places if isinstance(model, LlamaModel | RemoteModel) else settings.upstream.requests) + 2


def has_own_model(settings: Settings) -> bool:
    """Whether a worker of ours words answers, here or elsewhere."""
    return settings.model.name != ABSENT and not settings.upstream.url


def remote_weights(settings: Settings) -> RemoteWeights:
    """Returns what replicas with these settings answer with. Raises `ModelRefused` for a model that is not known."""
    known, _ = find_model(settings.model.name, Registry(settings.data_directory / REGISTRY))
    return RemoteWeights(known.name, known.sha256, {one.assistant: one.name for one in _adapters(settings)})


def _adapters(settings: Settings) -> tuple[Adapter, ...]:
    return tuple(
        Adapter(one.assistant, str(Path(one.path).expanduser().resolve()), one.sha256, one.scale)
        for one in settings.model.adapters
    )


def _make_upstream(settings: Settings) -> UpstreamModel:
    chosen = settings.upstream
    target = UpstreamTarget(
        url=chosen.url,
        model=chosen.model,
        revision=chosen.revision,
        style=PromptStyle(chosen.prompts),
        format_name=chosen.format,
        key=chosen.key,
        ca_file=Path(chosen.ca_file).expanduser() if chosen.ca_file else None,
        allow_plain_http=chosen.allow_plain_http,
    )
    limits = UpstreamLimits(requests=chosen.requests, context_tokens=settings.model.context_tokens)
    return UpstreamModel(target, limits)
