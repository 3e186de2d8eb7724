"""What the server says of its start: sentences for people, or events where the log is for machines alone."""

import logging

import click

from gateway.settings import LogSettings

_LOG = logging.getLogger(__name__)


def tell(log: LogSettings, event: str, words: str, **fields: str) -> None:
    """Writes the words to standard error; with `log.format` `json` the event and its fields as a line of the log."""
    if log.format == "json":
        _LOG.info(event, extra=fields)
    else:
        click.echo(words, err=True)
