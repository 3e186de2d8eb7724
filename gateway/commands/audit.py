"""`canongate audit`: show, export and verify the audit trail, and sign checkpoints of it."""

import json
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.admin_services import auditing_of
from gateway.commands.options import config_option, json_option, settings_from
from gateway.opening import open_store
from store.audit import AuditEntry, AuditFilter
from store.people import SYSTEM
from store.proof.checkpoints import CheckpointFile
from store.proof.verification import Verification


@click.group()
def audit() -> None:
    """Show, export and verify the audit trail.

    \b
    Example:
      canongate audit verify --checkpoint /mnt/elsewhere/checkpoints
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@audit.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of checkpoints to compare with; by default the gateway's own. A copy elsewhere proves more.",
)
@config_option
@json_option
def verify(*, checkpoint: Path | None, config: Path | None, as_json: bool) -> None:
    """Verify every row and every checkpoint; exit status 1 at the first row that is not what was written.

    \b
    Example:
      canongate audit verify --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        auditing = auditing_of(settings, store.database)
        proofs = CheckpointFile(checkpoint).read() if checkpoint else None
        found = auditing.checkpointing.verify(proofs)
    if as_json:
        click.echo(json.dumps(_as_json(found, str(auditing.checkpointing.verifier))))
    else:
        click.echo(_as_words(found))
    sys.exit(0 if found.fault is None else 1)


@audit.command()
@config_option
@json_option
def checkpoint(*, config: Path | None, as_json: bool) -> None:
    """Sign the trail as it is, if it is whole, and add that to the file of checkpoints.

    \b
    Example:
      canongate audit checkpoint
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        checkpointing = auditing_of(settings, store.database).checkpointing
        made = checkpointing.write()
    if as_json:
        note = made.note if made else None
        told = {"checkpoint": note, "file": str(checkpointing.file.path), "key": str(checkpointing.verifier)}
        click.echo(json.dumps(told))
        return
    click.echo(made.note if made else "The last checkpoint says the same; none was added.\n", nl=False)
    click.echo(f"File: {checkpointing.file.path}. Public key: {checkpointing.verifier}", err=True)


@audit.command()
@click.option("--after", type=click.IntRange(0), default=0, help="Only rows with higher numbers.")
@config_option
def export(*, after: int, config: Path | None) -> None:
    """Write all rows as JSON lines, oldest first.

    \b
    Example:
      canongate audit export --after 5000 > audit.jsonl
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings) as store:
        for entry in auditing_of(settings, store.database).entries(after=after):
            click.echo(msgspec.json.encode(entry_fields(entry)).decode())


@audit.command()
@click.option("--actor", help="Whoever did it, or answers for it: user:7.")
@click.option("--action", help="change.approved, or change. for all of that thing.")
@click.option("--target", help="What it was done to.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@config_option
@json_option
def show(
    *, actor: str | None, action: str | None, target: str | None, limit: int, config: Path | None, as_json: bool
) -> None:
    """Show the newest rows.

    \b
    Example:
      canongate audit show --action key. --limit 50
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    wanted = AuditFilter(actor=actor, action=action, target=target)
    with open_store(settings) as store:
        entries = auditing_of(settings, store.database).page(SYSTEM, wanted, limit=limit)
    if as_json:
        click.echo(msgspec.json.encode([entry_fields(entry) for entry in entries]).decode())
        return
    table = Table(box=None)
    for title in ("number", "at", "actor", "action", "target", "details"):
        table.add_column(title, no_wrap=title in ("number", "at"), overflow="fold")
    for entry in entries:
        details = ", ".join(f"{name}={value}" for name, value in entry.details.items())
        table.add_row(
            str(entry.number),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            escape(entry.actor),
            escape(entry.action),
            escape(entry.target),
            escape(details),
        )
    Console().print(table)


def entry_fields(entry: AuditEntry) -> dict[str, object]:
    """Returns a row as it is exported."""
    fields = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    return fields | {"details": dict(entry.details), "seal": entry.seal.hex()}


def _as_json(found: Verification, key: str) -> dict[str, object]:
    fault = found.fault
    return {
        "is_whole": fault is None,
        "rows": found.rows,
        "fault": {"kind": fault.kind.value, "row": fault.row, "until": fault.until} if fault else None,
        "root": found.root.hex(),
        "proved_by": found.proved_by,
        "key": key,
    }


def _as_words(found: Verification) -> str:
    if found.fault is not None:
        return f"DAMAGED  {found.fault}. The {found.rows} rows before it are whole."
    if found.proved_by is None:
        return f"Whole: {found.rows} rows. Without a checkpoint, rows missing at the end cannot be seen."
    return f"Whole: {found.rows} rows, the first {found.proved_by} proved by a checkpoint."
