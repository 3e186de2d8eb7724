"""`canongate decisions` and `canongate purge`: what was decided, and what there is of a person."""

import datetime as dt
import json
from pathlib import Path

import click
import msgspec

from gateway.admin_services import auditing_of, privacy_of, purging_of
from gateway.commands.options import config_option, json_option, settings_from
from gateway.decision_archive import DecisionArchive
from gateway.http.admin.decisions import decision_reply
from gateway.opening import open_store
from store.people import OPERATOR
from store.repositories.decision_filters import DecisionFilter


@click.group()
def decisions() -> None:
    """Export and expire decisions.

    \b
    Example:
      canongate decisions export --assistant helpdesk > decisions.jsonl
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@decisions.command()
@click.option("--assistant", help="Only this assistant's.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on (UTC).")
@config_option
def export(*, assistant: str | None, since: object, config: Path | None) -> None:
    """Write decisions as JSON lines, newest first; hidden text stays hidden.

    \b
    Example:
      canongate decisions export --since 2026-11-01
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    moment = since.replace(tzinfo=dt.UTC) if isinstance(since, dt.datetime) else None
    with open_store(settings) as store:
        archive = DecisionArchive(store.database, auditing_of(settings, store.database).trail)
        for page in archive.export(OPERATOR, DecisionFilter(assistant=assistant, since=moment)):
            for one in page:
                click.echo(msgspec.json.encode(decision_reply(one)).decode())


@decisions.command()
@config_option
def expire(*, config: Path | None) -> None:
    """Delete decisions that are older than their assistants keep them; a running gateway does it every hour.

    \b
    Example:
      canongate decisions expire
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    total = 0
    with open_store(settings) as store:
        archive = DecisionArchive(store.database, auditing_of(settings, store.database).trail)
        while count := archive.expire():
            total += count
    click.echo(f"Deleted {total} decisions.")


@click.command()
@click.argument("user")
@config_option
@json_option
def purge(user: str, *, config: Path | None, as_json: bool) -> None:
    """Delete what there is of a person, by the user id that was sent with their messages.

    \b
    Example:
      canongate purge jo.miller
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        trail = auditing_of(settings, store.database).trail
        report = purging_of(store.database, trail, privacy_of(settings)).purge(OPERATOR, user)
    if as_json:
        click.echo(json.dumps({"person": report.person, "counts": dict(report.counts)}))
        return
    for what, count in report.counts.items():
        click.echo(f"{count:>8}  {what}")
    click.echo("Backups that were made before still have it: delete them, or purge again after a restore.")
