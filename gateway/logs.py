"""Where log lines go, and how they look: one canonical line a decision, never the text of a message.

An exception is told by its class and its places; so is one that nobody caught.
"""

import logging
import re
import sys
import threading
from types import TracebackType

import structlog

from gateway.failures import told
from gateway.server_lines import ServerLines
from gateway.settings import LogSettings
from gateway.trace_context import CURRENT

_FIELDS = (
    *("rail", "nemo_logger", "nemo_line", "abandoned", "error", "status", "changed", "needs_restart", "dropped"),
    *("revision", "again_s", "phase", "address"),
)
"""Fields of our own lines on the standard library's loggers; those of other libraries may quote a text."""

_LEVELS = {"exception": "error", "warn": "warning", "fatal": "critical"}
"""Methods of loggers that are not named as their level."""

_OURS = frozenset({"gateway", "models", "rails", "store"})
_NAMED = re.compile(r"([a-z0-9]+(?:_[a-z0-9]+)+)(?:: |, )(.+)", re.DOTALL)

_LOG = logging.getLogger(__name__)


def set_up_logging(settings: LogSettings) -> None:
    """Sends our own log lines and the libraries' warnings to standard error."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_request,
        _tell_exception,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[_drop_lower, *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    given: list[structlog.typing.Processor] = [structlog.stdlib.ExtraAdder(allow=_FIELDS)]
    if as_json:
        given.append(_name_event)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=[*shared, *given]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    set_level(settings)
    logging.getLogger("asyncio").addFilter(_shorten)
    logging.getLogger("uvicorn.error").addFilter(ServerLines())
    sys.excepthook = _crashed
    sys.unraisablehook = lambda broken: _crashed(broken.exc_type, broken.exc_value, broken.exc_traceback)
    threading.excepthook = lambda broken: _crashed(broken.exc_type, broken.exc_value, broken.exc_traceback)


def set_level(settings: LogSettings) -> None:
    """Writes from now on what has this level or a higher one."""
    for package in ("gateway", "models"):
        logging.getLogger(package).setLevel(settings.level.upper())


def add_request(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds the request that the line is written for, where there is one."""
    if trace := CURRENT.get():
        event.setdefault("request_id", trace.request_id)
        event.setdefault("trace_id", trace.trace_id)
    return event


def _tell_exception(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("stack_info", None)  # the stack of whoever writes the line says nothing of what broke
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = told(error)
    return event


def _name_event(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Parts one of our own lines of the form `event: words`, so that the event is the same each time."""
    if event["_record"].name.partition(".")[0] in _OURS and (parts := _NAMED.fullmatch(event["event"])):
        event["event"], event["detail"] = parts.groups()
    return event


def _shorten(record: logging.LogRecord) -> bool:
    """Leaves of asyncio's own lines what happened: they go on with what tasks, callbacks and errors look like."""
    record.msg, record.args = record.getMessage().partition("\n")[0].partition("(")[0], ()
    return True


def _crashed(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):
        return  # of a thread; no error
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, KeyboardInterrupt(), None)
        return
    _LOG.critical("crashed", exc_info=(kind, error or kind(), trace))


def _drop_lower(_: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Loggers keep what they were made with, so the level is asked for at each line."""
    if not logging.getLogger("gateway").isEnabledFor(
        logging.getLevelNamesMapping()[_LEVELS.get(method, method).upper()]
    ):
        raise structlog.DropEvent
    return event
