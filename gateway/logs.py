"""Where log lines go, and how they look: one canonical line a decision, never the text of a message."""

import logging
import sys

import structlog

from gateway.settings import LogSettings

_FIELDS = ("rail", "nemo_logger", "nemo_line", "abandoned", "error", "status", "changed", "needs_restart")
"""Fields of our own lines on the standard library's loggers; those of other libraries may quote a text."""

_LEVELS = {"exception": "error", "warn": "warning", "fatal": "critical"}
"""Methods of loggers that are not named as their level."""


def set_up_logging(settings: LogSettings) -> None:
    """Sends our own log lines and the libraries' warnings to standard error."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Its own way of telling an exception shows local variables, which may hold what a person typed.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if as_json else console
    structlog.configure(
        processors=[_drop_lower, *shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    told = structlog.stdlib.ExtraAdder(allow=_FIELDS)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=[*shared, told]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    set_level(settings)


def set_level(settings: LogSettings) -> None:
    """Writes from now on what has this level or a higher one."""
    for package in ("gateway", "models"):
        logging.getLogger(package).setLevel(settings.level.upper())


def _drop_lower(_: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Loggers keep what they were made with, so the level is asked for at each line."""
    if not logging.getLogger("gateway").isEnabledFor(
        logging.getLevelNamesMapping()[_LEVELS.get(method, method).upper()]
    ):
        raise structlog.DropEvent
    return event
