"""The composition root: makes the real components from settings, and closes them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gateway.components import Components
from gateway.credentials import KeyRing, NewKey, Principal, load_pepper, new_key
from gateway.decisions import DecisionLog
from gateway.errors import SettingsInvalid
from gateway.fitting.corpora import load_source, source_of
from gateway.fitting.matchers import FitSettings, FittedMatchers
from gateway.fitting.process import Progress as FitProgress
from gateway.limits import Admission
from gateway.live import Live
from gateway.pipeline import ChatPipeline
from gateway.publisher import Publisher
from gateway.readiness import PartReport, PartState, Readiness
from gateway.settings import Settings
from models.absent import ABSENT, AbsentModel
from models.catalog import known_model
from models.device import DevicePlan, plan_device
from models.engine import LlamaModel
from models.ports import Embedder, LanguageModel
from models.process import WorkerProgram
from models.supervisor import EngineLimits, ModelState
from store.catalog import Catalog, live_revision
from store.database import Database, migrate, open_database
from store.errors import StoreError
from store.repositories.decisions import Decisions
from store.repositories.keys import Keys
from store.types import KeyScope

Progress = Callable[[str], None]
"""Is told in one line what is being done."""


@dataclass(frozen=True, slots=True)
class Store:
    """The open database and the repositories that commands need."""

    database: Database
    keys: Keys

    @property
    def is_published(self) -> bool:
        """Whether anything was ever published."""
        return live_revision(self.database) > 0


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Opens the database, with its schema brought up to date. Raises `StoreUnavailable`."""
    make_data_directory(settings)
    migrate(settings.database_url)
    database = open_database(settings.database_url)
    try:
        yield Store(database, Keys(database))
    finally:
        database.close()


def make_data_directory(settings: Settings) -> None:
    """Makes the data folder, for its owner alone."""
    try:
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"data.directory: cannot make {settings.data_directory}: {error.strerror}") from error


def first_key(settings: Settings, store: Store) -> NewKey | None:
    """Makes the first API key when there is none at all; its token is shown once by the caller."""
    if store.keys.all():
        return None
    pepper = load_pepper(settings.data_directory / "pepper")
    made = new_key("first key", pepper, scopes=(KeyScope.CHAT, KeyScope.DEBUG))
    store.keys.add(made.record)
    return made


@contextmanager
def open_components(
    settings: Settings, *, without_model: bool = False, progress: Progress = lambda _: None
) -> Iterator[Components]:
    """Makes everything that answers questions; on leaving, ends the worker and closes the database.

    The worker starts first and loads its weights while this process loads the rest.
    """
    with ExitStack() as stack:
        make_data_directory(settings)
        model = open_model(settings, stack, without_model=without_model, progress=progress)
        embedding = stack.enter_context(ThreadPoolExecutor(1)).submit(open_embedder, settings, progress)
        store = stack.enter_context(open_store(settings))
        embedder = embedding.result()
        matchers = FittedMatchers(fit_settings(settings), embedder, _fit_progress(progress))
        stack.callback(matchers.close)
        publisher = Publisher(settings, store.database, matchers)
        live = Live(publisher.load())
        require_form_assistant(settings, live.current.catalog)
        pipeline = ChatPipeline(
            live=live,
            model=model,
            decisions=DecisionLog(Decisions(store.database)),
            admission=Admission(concurrent=settings.limits.concurrent),
            match_s=settings.limits.match_s,
            output_rails_s=settings.rails.stage_s,
            model_places=settings.model.queue + 2,
        )
        yield Components(
            settings=settings,
            live=live,
            pipeline=pipeline,
            keys=KeyRing(
                store.keys,
                load_pepper(settings.data_directory / "pepper"),
                requests_per_minute=settings.limits.requests_per_minute,
            ),
            readiness=Readiness(
                {
                    "database": lambda: _database_report(store.database),
                    "content": lambda: _content_report(live, store.database),
                    "matcher": lambda: PartReport(PartState.READY, matchers.status),
                    "model": lambda: _model_report(model),
                }
            ),
            publisher=publisher,
            visitor=visitor_of(settings),
        )


def open_model(settings: Settings, stack: ExitStack, *, without_model: bool, progress: Progress) -> LanguageModel:
    """Starts the worker without waiting for it; or gives the model that never answers."""
    if without_model or settings.model.name == ABSENT:
        return AbsentModel()
    progress("starting the model's worker")
    model = make_model(settings)
    stack.callback(model.close)
    model.start()
    return model


def make_model(settings: Settings) -> LlamaModel:
    """Makes the model without starting its worker. Raises `ModelRefused` for settings that it cannot have."""
    planned = plan_device(gpu_layers=settings.model.gpu_layers)
    return LlamaModel(
        known_model(settings.model.name),
        DevicePlan(settings.model.threads or planned.threads, planned.gpu_layers),
        EngineLimits(context_tokens=settings.model.context_tokens, max_waiting=settings.model.queue),
        WorkerProgram(log=settings.data_directory / "worker.log"),
    )


def open_embedder(settings: Settings, progress: Progress) -> Embedder:
    """Loads the embedder, exporting it first where needed, and warms it with one text."""
    embedder = load_source(source_of(settings), lambda line, _done, _total: progress(line))
    embedder.embed(["warm"])
    return embedder


def fit_settings(settings: Settings) -> FitSettings:
    """Returns how and where matchers are fitted."""
    data = settings.data_directory
    return FitSettings(
        source=source_of(settings),
        folder=data / "matcher",
        index=data / "index",
        log=data / "fitting.log",
        is_tuned=settings.matching.tune,
        threads=settings.matching.threads,
    )


def _fit_progress(progress: Progress) -> FitProgress:
    """Returns a reporter that says each phase of a fit when it begins."""
    last = ""

    def say(phase: str, _done: int, _total: int) -> None:
        nonlocal last
        if phase != last:
            last = phase
            progress(f"fitting the matcher: {phase}")

    return say


def require_form_assistant(settings: Settings, catalog: Catalog) -> None:
    """Raises `SettingsInvalid` when the landing page's form would speak to an assistant that is not live."""
    name = settings.page.try_it
    if name and name not in catalog.assistants:
        live = ", ".join(sorted(catalog.assistants)) or "none, nothing is published"
        raise SettingsInvalid(f"page.try_it: the assistant {name!r} is not live. Live: {live}.")


def visitor_of(settings: Settings) -> Principal | None:
    """Returns who the landing page's form speaks for."""
    if not settings.page.try_it:
        return None
    return Principal(
        id="visitor",
        name="landing page",
        scopes=frozenset({KeyScope.CHAT, KeyScope.DEBUG}),
        assistants=frozenset({settings.page.try_it}),
        requests_per_minute=settings.limits.visitor_requests_per_minute,
    )


def _database_report(database: Database) -> PartReport:
    try:
        live_revision(database)
    except StoreError as error:
        return PartReport(PartState.NOT_READY, str(error))
    return PartReport(PartState.READY)


def _content_report(live: Live, database: Database) -> PartReport:
    """A replica that serves an older revision than the published one, or cannot tell, is not ready."""
    state = live.current
    if not state.catalog.prompts:
        return PartReport(PartState.NOT_READY, "nothing is published; run: canongate import FOLDER")
    try:
        published = live_revision(database)
    except StoreError:
        return PartReport(PartState.NOT_READY, "cannot tell which revision is published")
    if published != state.catalog.revision:
        return PartReport(PartState.NOT_READY, f"loading revision {published}")
    return PartReport(PartState.READY, f"revision {published}, {len(state.catalog.prompts)} prompts")


def _model_report(model: LanguageModel) -> PartReport:
    if not isinstance(model, LlamaModel):
        return PartReport(PartState.DEGRADED, "no language model is configured: approved fallbacks are given")
    match model.state:
        case ModelState.READY:
            return PartReport(PartState.READY, model.name)
        case ModelState.STARTING:
            return PartReport(PartState.NOT_READY, "loading the weights")
        case ModelState.DOWN | ModelState.OPEN:
            return PartReport(PartState.DEGRADED, "the worker is down: approved fallbacks are given")
