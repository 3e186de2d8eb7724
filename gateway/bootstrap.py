"""The composition root: makes the real components from settings, and closes them."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial

from gateway.access.sessions import utc_now
from gateway.admin_services import (
    administration_of,
    auditing_of,
    keeps_words,
    key_ring_of,
    privacy_of,
    widget_from,
)
from gateway.answer_cache import AnswerCache
from gateway.canary import Canary
from gateway.changing.live_suites import LiveSuites
from gateway.changing.making import make_changing, make_rehearsing
from gateway.components import Components
from gateway.confirming import Confirmation
from gateway.credentials import Principal
from gateway.decisions import DecisionLog
from gateway.embeddings import Embeddings
from gateway.faults import Faults, trial_of
from gateway.faulty_parts import FaultyDecisions, FaultyEmbedder, FaultyMatchers, FaultyModel, put_in
from gateway.fitting.corpora import load_source, source_of
from gateway.fitting.matchers import FitSettings, FittedMatchers
from gateway.fitting.process import Progress as FitProgress
from gateway.leading import Leading
from gateway.limits import make_admission
from gateway.live import Live
from gateway.match_trial import MatchTrials
from gateway.matching import Matching
from gateway.metering import audit_readings, readiness_readings, readings_of
from gateway.model_making import Progress, open_model, parallel_of, places_of
from gateway.opening import make_data_directory, open_store
from gateway.pipeline import ChatPipeline
from gateway.probes import content_report, database_report, model_report
from gateway.publisher import Publisher
from gateway.rail_checks import RailChecks
from gateway.rail_services import RecentVectors, rail_services
from gateway.rate_making import open_rates
from gateway.readiness import PartReport, PartState, Readiness
from gateway.reviewing.making import make_review
from gateway.settings import Settings
from gateway.start_checks import canary_gap, require_form_assistant
from gateway.telemetry import Telemetry
from gateway.tracing_making import open_tracing
from gateway.warming import Warming
from gateway.webhooks.making import make_webhooks
from models.embedding.embedder import OnnxEmbedder
from models.ports import Embedder
from models.remote.model import RemoteModel
from models.worker.engine import LlamaModel
from store.changes.suite_runs import SuiteRuns
from store.database import schema_gap
from store.repositories.decision_writer import DecisionWriter
from store.repositories.decisions import Decisions
from store.signals import Lead
from store.types import KeyScope

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An embedder and a model that other processes have."""

    embedder: Embedder
    model: RemoteModel | None
    """None where the settings name an upstream, or no model at all."""


@contextmanager
def open_components(
    settings: Settings,
    *,
    without_model: bool = False,
    is_followed: bool = False,
    progress: Progress = lambda _: None,
    faults: Faults | None = None,
    elsewhere: Elsewhere | None = None,
) -> Iterator[Components]:
    """Makes everything that answers questions; on leaving, ends the worker and closes the database.

    The worker starts first and loads its weights while this process loads the rest. Where publishes are followed,
    nothing is answered while it is not known what is published; a command answers from what it read when it began. With
    `faults` it is a trial. What is `elsewhere` is not made here.
    """
    with ExitStack() as stack:
        make_data_directory(settings)
        model = open_model(
            settings,
            stack,
            without_model=without_model,
            progress=progress,
            elsewhere=elsewhere.model if elsewhere else None,
        )
        opening = (lambda: elsewhere.embedder) if elsewhere else partial(open_embedder, settings, progress)
        embedding = stack.enter_context(ThreadPoolExecutor(1)).submit(opening)
        store = stack.enter_context(open_store(settings))
        if gap := schema_gap(store.database).told:
            _LOG.warning("schema_is_newer: %s", gap)
        loaded = embedding.result()
        embedder = RecentVectors(loaded if faults is None else FaultyEmbedder(loaded, faults))
        matchers = FittedMatchers(fit_settings(settings), embedder, _fit_progress(progress))
        stack.callback(matchers.close)
        services = rail_services(lambda: embedder, lambda: model)
        made = matchers if faults is None else FaultyMatchers(matchers, faults, fit_settings(settings).index)
        publisher = Publisher(settings, store.database, made, services, faults=faults)
        # It counts from before the reading: making a state takes seconds.
        confirmation = Confirmation(settings.replicas) if is_followed else None
        live = Live(publisher.load(), confirmation)
        require_form_assistant(settings, live.current.catalog)
        if gap := canary_gap(settings, live.current.catalog):
            _LOG.warning("canary_not_live: %s", gap)
        answers = AnswerCache(
            entries=settings.answers.kept,
            max_bytes=int(settings.answers.kept_mib * 1024 * 1024),
            clock=time.monotonic,
        )
        keys = key_ring_of(settings, store.keys)
        writer = stack.enter_context(closing(DecisionWriter(store.database)))
        privacy = privacy_of(settings)
        counting = open_rates(settings, stack)
        admission = make_admission(
            settings.limits,
            model_places=parallel_of(model, settings),
            model_waiting=settings.model.queue,
            usage=Decisions(store.database),
            rates=counting.rates,
        )
        widget = widget_from(settings, store.database, privacy)
        auditing = auditing_of(settings, store.database)
        changing = make_changing(
            settings,
            store.database,
            auditing.trail,
            live=live,
            trials=matchers,
            services=services,
            embedder=embedder,
            model=model,
        )
        stack.callback(changing.gate.close)
        rehearsing = make_rehearsing(
            settings,
            store.database,
            changing,
            live=live,
            trials=matchers,
            services=services,
            embedder=embedder,
            model=model,
            admission=admission,
        )
        stack.callback(rehearsing.close)
        suites = LiveSuites(SuiteRuns(store.database), changing.contents, live, model, clock=utc_now)
        stack.callback(suites.close)
        stack.callback(matchers.close)  # before the gate: its fit ends, and so does its run
        review = make_review(
            settings.review,
            store.database,
            auditing.trail,
            live,
            embedder,
            model,
            changing.queue,
            keeps=lambda name: keeps_words(live, name),
        )
        tracing, told = open_tracing(settings.telemetry, stack, model, privacy)
        counted = (
            *readings_of(live, admission, answers, model, lambda: decisions.waiting),
            *audit_readings(lambda: auditing.checkpointing.is_damaged),
        )
        telemetry = Telemetry((*counted, *told, *readiness_readings(lambda: readiness.last)))
        kept = writer if faults is None else FaultyDecisions(writer, faults)
        decisions = stack.enter_context(closing(DecisionLog(kept, privacy, telemetry)))
        webhooks = make_webhooks(
            settings.webhooks, review.recorder, auditing.trail, review.reviewing, settings.data_directory
        )
        pipeline = ChatPipeline(
            live=live,
            model=model if faults is None else FaultyModel(model, faults),
            decisions=decisions,
            admission=admission,
            answers=answers,
            match_s=settings.limits.match_s,
            output_rails_s=settings.rails.stage_s,
            model_places=places_of(model, settings),
            listener=webhooks.listener,
            tracing=tracing,
            faults=faults,
        )
        administration = administration_of(
            store.database,
            keys,
            privacy,
            auditing,
            review,
            admission=admission,
            changing=changing,
            rehearsing=rehearsing,
            suites=suites,
            live=live,
            widget=widget,
            services=services,
            settings=settings,
        )
        if faults is not None:
            put_in(store.database, faults)  # what is made here is there first: the trial is of serving
        canary = Canary(settings.startup, pipeline.answer, deadline_s=settings.limits.deadline_s)
        readiness = Readiness(
            {
                "database": lambda: database_report(store.database),
                "content": lambda: content_report(live, store.database, publisher),
                "matcher": lambda: PartReport(PartState.READY, publisher.matching),
                "model": lambda: model_report(model),
                "answers": lambda: PartReport(PartState.READY, str(answers.figures)),
                **counting.probes,
                **canary.probes,
                **({} if faults is None else {"faults": lambda: PartReport(PartState.READY, trial_of(faults))}),
            }
        )
        yield Components(
            settings=settings,
            live=live,
            pipeline=pipeline,
            checks=RailChecks(live, admission),
            matches=MatchTrials(live, Matching(decisions, match_s=settings.limits.match_s), admission),
            embeddings=Embeddings(embedder, admission),
            keys=keys,
            admission=admission,
            readiness=readiness,
            telemetry=telemetry,
            tracing=tracing,
            warming=Warming(model, Decisions(store.database)) if isinstance(model, LlamaModel) else None,
            publisher=publisher,
            administration=administration,
            visitor=visitor_of(settings),
            widget=widget,
            once=(*review.once, *webhooks.once, *counting.once),
            leading=Leading(Lead(store.database)),
            closing=counting.closing,
            background=(*review.background, *webhooks.background, *canary.background),
        )


def open_embedder(settings: Settings, progress: Progress) -> OnnxEmbedder:
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
