"""`canongate check`: everything that a start would verify, without serving."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from gateway.bootstrap import fit_settings, open_embedder, require_form_assistant
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.rail_means import command_services
from gateway.credentials import load_pepper
from gateway.errors import GatewayError, SettingsInvalid
from gateway.fitting.matchers import FittedMatchers
from gateway.model_making import make_model
from gateway.opening import make_data_directory, open_store
from gateway.publisher import compile_policies, rail_runner
from gateway.settings import Settings
from models.absent import ABSENT
from models.catalog import verified_path
from models.errors import ModelError, ModelUnavailable
from models.files.gguf import read_adapter_header
from models.files.registry import REGISTRY, Registry, find_model
from models.ports import Embedder
from models.upstream.model import UpstreamModel
from models.verified import require_sha256
from models.worker.limits import ModelState
from rails.errors import RailsError
from store.catalog import Catalog, load_catalog
from store.database import schema_gap
from store.errors import StoreError

UPSTREAM_S = 5.0
"""More than the upstream's own limit for a look at its health."""


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
    """Check everything that a start would verify, without serving; exit status 1 when something is wrong.

    \b
    Example:
      canongate check --config canongate.toml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    checks = Checks(settings_from(config))
    findings = checks.run()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.part:<10} {finding.detail}")
    sys.exit(0 if all(finding.is_ok for finding in findings) else 1)


class Checks:
    """Looks at one part after the other; what a broken part keeps from being looked at is a finding too."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedder: Embedder | None = None
        self._catalog: Catalog | None = None

    def run(self) -> list[Finding]:
        """Returns one finding for each part."""
        looks = {
            "settings": self._data,
            "pepper": self._pepper,
            "model": self._model,
            "embedder": self._embedding,
            "database": self._database,
            "content": self._content,
            "policies": self._policies,
            "matcher": self._matcher,
            "page": self._page,
        }
        return [_found(part, look) for part, look in looks.items()]

    def _data(self) -> str:
        make_data_directory(self._settings)
        return f"data in {self._settings.data_directory}"

    def _pepper(self) -> str:
        load_pepper(self._settings.data_directory / "pepper")
        return "whole, and readable by its owner alone"

    def _model(self) -> str:
        model = self._settings.model
        if model.name == ABSENT and not self._settings.upstream.url:
            return "none: approved fallbacks are given"
        with closing(make_model(self._settings)) as made:
            if isinstance(made, UpstreamModel):
                made.start(UPSTREAM_S)
                if made.fault is not None or made.state is not ModelState.READY:
                    raise ModelUnavailable(made.fault or "the upstream did not answer in time")
                return f"{made.name} on {self._settings.upstream.url}, which is ready"
        for adapter in model.adapters:
            path = Path(adapter.path).expanduser()
            require_sha256(path, adapter.sha256)
            read_adapter_header(path)
        registry = Registry(self._settings.data_directory / REGISTRY)
        file = verified_path(*find_model(model.name, registry)).name
        return f"{model.name}: {file} has the registered hash, context {model.context_tokens} tokens"

    def _embedding(self) -> str:
        self._embedder = open_embedder(self._settings, lambda _: None)
        return f"{self._embedder.dimension} dimensions"

    def _database(self) -> str:
        with open_store(self._settings) as store:
            self._catalog = load_catalog(store.database)
            schema = schema_gap(store.database).told or "schema current"
        return f"{schema}, revision {self._catalog.revision}"

    def _content(self) -> str:
        if not self._known.prompts:
            raise SettingsInvalid("nothing is published; run: canongate import FOLDER")
        unknown = {one.assistant for one in self._settings.model.adapters} - self._known.assistants.keys()
        if unknown:
            raise SettingsInvalid(
                f"model.adapters: no assistant {', '.join(sorted(unknown))} is live; correct the name"
            )
        return f"{len(self._known.prompts)} prompts are live"

    def _policies(self) -> str:
        with closing(rail_runner(self._settings)) as runner:
            policies = compile_policies(self._known, runner, command_services(self._settings, lambda: self._loaded))
        if not policies:
            raise SettingsInvalid("no policy is live; run: canongate import FOLDER")
        return "probes passed: " + ", ".join(f"{name} (revision {one.revision})" for name, one in policies.items())

    @property
    def _loaded(self) -> Embedder:
        if self._embedder is None:
            raise SettingsInvalid("not looked at: there is no embedder")
        return self._embedder

    def _matcher(self) -> str:
        with closing(FittedMatchers(fit_settings(self._settings), self._loaded, lambda *_: None)) as matchers:
            matcher = matchers.make(self._known)
        limits = (f"{name} answers {scope.limits.answers_from}" for name, scope in matcher.scopes.items())
        return f"current at revision {self._known.revision}: " + ", ".join(limits)

    def _page(self) -> str:
        if not self._settings.page.try_it:
            return "without a form"
        require_form_assistant(self._settings, self._known)
        return f"its form speaks to {self._settings.page.try_it}"

    @property
    def _known(self) -> Catalog:
        if self._catalog is None:
            raise SettingsInvalid("not looked at: the database cannot be read")
        return self._catalog


def _found(part: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, is_ok=True, detail=look())
    except (GatewayError, StoreError, RailsError, ModelError) as error:
        return Finding(part, is_ok=False, detail=str(error))
