"""`canongate check`: everything that a start would verify, without serving."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from gateway.bootstrap import Store, open_embedder, open_store
from gateway.commands.options import config_option, json_option, settings_from
from gateway.errors import GatewayError
from gateway.live import LiveState
from gateway.publisher import Publisher
from gateway.settings import Settings
from models.absent import ABSENT
from models.catalog import known_model, verified_path
from models.errors import ModelError
from rails.errors import RailsError
from store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    part: str
    is_ok: bool
    detail: str


@click.command()
@config_option
@json_option
def check(*, config: Path | None, as_json: bool) -> None:
    """Check settings, database, content, policies and models without serving; exit status 1 when something is wrong.

    \b
    Example:
      canongate check --config canongate.toml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    findings = [Finding("settings", is_ok=True, detail=f"data in {settings.data_directory}")]
    findings.append(_found("model", lambda: _model(settings)))
    findings.extend(_content(settings))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.part:<10} {finding.detail}")
    sys.exit(0 if all(finding.is_ok for finding in findings) else 1)


def _content(settings: Settings) -> list[Finding]:
    states: list[LiveState] = []

    def load() -> str:
        with open_store(settings) as store:
            states.append(_load(settings, store))
        return f"schema current, revision {states[0].catalog.revision}"

    findings = [_found("database", load)]
    for state in states:
        prompts = len(state.catalog.prompts)
        policies = ", ".join(f"{name} (revision {policy.revision})" for name, policy in state.policies.items())
        findings.append(Finding("content", is_ok=prompts > 0, detail=f"{prompts} prompts are live"))
        findings.append(Finding("policies", is_ok=bool(policies), detail=f"probes passed: {policies or 'no policy'}"))
    return findings


def _load(settings: Settings, store: Store) -> LiveState:
    return Publisher(settings, store.database, open_embedder(settings, lambda _: None)).load()


def _model(settings: Settings) -> str:
    if settings.model.name == ABSENT:
        return "none: approved fallbacks are given"
    return f"{settings.model.name}: {verified_path(known_model(settings.model.name)).name} has the registered hash"


def _found(part: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, is_ok=True, detail=look())
    except (GatewayError, StoreError, RailsError, ModelError) as error:
        return Finding(part, is_ok=False, detail=str(error))
