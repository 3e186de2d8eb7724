"""What each part says of itself when somebody asks whether requests should be sent here."""

import logging

from gateway.live import Live
from gateway.publisher import DATABASE_FAILED, Publisher
from gateway.readiness import PartReport, PartState
from gateway.repeated_log import RepeatedLog
from models.ports import LanguageModel
from models.remote.model import RemoteModel
from models.upstream.model import UpstreamModel
from models.worker.engine import LlamaModel
from models.worker.limits import ModelState
from store.catalog import live_revision
from store.database import Database, schema_gap
from store.errors import StoreError

_DATABASE = RepeatedLog(logging.getLogger(__name__), "database_failed", "database_answers_again")


def database_report(database: Database) -> PartReport:
    """Tells whether the database answers, and has a schema that this version may serve from.

    Another version may have changed that since the start: a step newer is what an upgrade of several gateways looks
    like from one that is not upgraded yet.
    """
    try:
        live_revision(database)
        gap = schema_gap(database)
    except StoreError as error:
        _DATABASE.failed(str(error))
        return PartReport(PartState.NOT_READY, DATABASE_FAILED)
    _DATABASE.went()
    if not gap.is_near:
        return PartReport(PartState.NOT_READY, gap.told)
    return PartReport(PartState.DEGRADED if gap.is_newer else PartState.READY, gap.told)


def content_report(live: Live, database: Database, publisher: Publisher) -> PartReport:
    """Tells which revision serves. One behind what is published goes on serving, or all replicas would leave at once.

    A replica that cannot tell what is published, or whose database went back, is not ready.
    """
    catalog = live.current.catalog
    try:
        published = live_revision(database)
    except StoreError:
        return PartReport(PartState.NOT_READY, "cannot tell which revision is published")
    newer = publisher.progress_of(published) if published > catalog.revision else ""
    if live.confirmation is not None and live.confirmation.doubt:
        return PartReport(PartState.NOT_READY, "; ".join(filter(None, (live.confirmation.doubt, newer))))
    if not catalog.prompts:
        return PartReport(
            PartState.NOT_READY, newer or "nothing is published; begin at /admin, or: canongate import FOLDER"
        )
    serving = f"revision {catalog.revision}, {len(catalog.prompts)} prompts"
    if published < catalog.revision:
        return PartReport(PartState.NOT_READY, f"{serving}; the database has only revision {published}: restart")
    if newer:
        return PartReport(PartState.READY, f"{serving}; {newer}")
    return PartReport(PartState.READY, serving)


def model_report(model: LanguageModel) -> PartReport:
    """Tells how the language model is; without it approved fallbacks are given.

    Only its first start keeps requests away: a question that ends the worker of one replica after the other would else
    take all of them out of service.
    """
    if not isinstance(model, LlamaModel | UpstreamModel | RemoteModel):
        return PartReport(PartState.DEGRADED, "no language model is configured: approved fallbacks are given")
    match model.state:
        case ModelState.READY:
            return PartReport(PartState.READY, model.name)
        case ModelState.STARTING if isinstance(model, LlamaModel) and model.was_ready:
            return PartReport(PartState.DEGRADED, "the worker starts again: approved fallbacks are given")
        case ModelState.STARTING:
            return PartReport(PartState.NOT_READY, "loading the weights")
        case ModelState.DOWN | ModelState.OPEN:
            what = "the worker is down" if isinstance(model, LlamaModel) else (model.fault or "the upstream failed")
            return PartReport(PartState.DEGRADED, f"{what}: approved fallbacks are given")
