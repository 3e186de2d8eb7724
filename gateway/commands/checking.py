"""`canongate check`: everything that a start would verify, without serving."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from gateway.bootstrap import fit_settings, open_embedder
from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.rail_means import command_services
from gateway.credentials import load_secret
from gateway.errors import GatewayError, SettingsInvalid
from gateway.fitting.matchers import FittedMatchers
from gateway.key_files import KEY_FILES, find_keys
from gateway.model_making import make_model
from gateway.publisher import compile_policies, rail_runner
from gateway.rate_making import look_at_rate_store
from gateway.settings import Settings
from gateway.start_checks import canary_gap, cautions, require_form_assistant, require_startable
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
from store.database import open_database, schema_gap
from store.dumps import schema_of
from store.errors import StoreError, StoreUnavailable

UPSTREAM_S = 5.0
"""More than the upstream's own limit for a look at its health."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    part: str
    is_ok: bool
    detail: str
    is_doubtful: bool = False
    """Whether it is served with, and is likely a mistake."""


class Doubt(str):
    """What a look says that found nothing wrong, and something likely to be a mistake."""

    __slots__ = ()


@click.command()
@config_option
@json_option
def check(*, config: Path | None, as_json: bool) -> None:
    """Check everything that a start would verify, without serving; exit status 1 when something is wrong.

    Nothing in the data folder or the database is made or changed.

    \b
    Example:
      canongate check --config canongate.toml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with TemporaryDirectory(prefix="canongate-check-") as folder:
        findings = Checks(settings, Path(folder)).run()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "FAIL" if not finding.is_ok else "warn" if finding.is_doubtful else "ok  "
            click.echo(f"{mark}  {finding.part:<10} {finding.detail}")
    sys.exit(0 if all(finding.is_ok for finding in findings) else 1)


class Checks:
    """Looks at one part after the other; what a broken part keeps from being looked at is a finding too.

    What can be made again is looked at in a copy in the `scratch` folder, and made there when it is missing.
    """

    def __init__(self, settings: Settings, scratch: Path) -> None:
        self._settings = settings
        self._copy = _moved(settings, scratch)
        self._embedder: Embedder | None = None
        self._catalog: Catalog | None = None
        self._begins = False
        """Whether nothing is there yet: a start makes it, and waits for content."""

    def run(self) -> list[Finding]:
        """Returns one finding for each part."""
        looks = {
            "settings": self._data,
            "database": self._database,
            "keys": self._keys,
            "rates": lambda: f"counted {look_at_rate_store(self._settings)}",
            "model": self._model,
            "embedder": self._embedding,
            "content": self._content,
            "policies": self._policies,
            "matcher": self._matcher,
            "page": self._page,
            "canary": self._canary,
        }
        return [_found(part, look) for part, look in looks.items()]

    def _data(self) -> str:
        require_startable(self._settings)
        folder = self._settings.data_directory
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise SettingsInvalid(f"data.directory: cannot make {folder} or write in it, because of {there}")
        said = f"data in {folder}" + ("" if there == folder else ", which a start makes")
        doubts = [*cautions(self._settings)]
        return Doubt("; ".join((said, *doubts))) if doubts else said

    def _database(self) -> str:
        url = self._settings.database_url
        if schema_of(url) is None:
            self._catalog, self._begins = Catalog(0, {}, {}, {}), True
            return Doubt("nothing is there yet; a start makes it. A gateway that was started has other settings")
        with closing(open_database(url)) as database:
            gap = schema_gap(database)
            if gap.is_newer and not gap.is_near:
                raise StoreUnavailable(gap.told)
            if not gap.is_newer and gap.told:
                return f"schema {gap.found}: a start migrates it to {gap.ours}; check its content after that"
            self._catalog = load_catalog(database)
            return f"{gap.told or 'schema current'}, revision {self._catalog.revision}"

    def _keys(self) -> str:
        folder = self._settings.data_directory
        for name in KEY_FILES:
            if (folder / name).exists():
                load_secret(folder / name)
        if self._begins:
            return "a start makes those that are not there"
        self._known()  # raises where the schema is too old to be asked for keys
        with closing(open_database(self._settings.database_url)) as database:
            found = find_keys(folder, database)
        found.require()
        return f"a start notes {', '.join(found.new)}" if found.new else "those of the database"

    def _model(self) -> str:
        model = self._settings.model
        if model.name == ABSENT and not self._settings.upstream.url:
            return "none: approved fallbacks are given"
        self._take(REGISTRY)
        with closing(make_model(self._copy)) as made:
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
        self._take("embedder")
        self._embedder = open_embedder(self._copy, lambda _: None)
        return f"{self._embedder.dimension} dimensions"

    def _content(self) -> str:
        if not self._known().prompts and self._begins:
            return "nothing is there yet; a start waits for it"
        if not self._known().prompts:
            raise SettingsInvalid("nothing is published; run: canongate import FOLDER")
        unknown = {one.assistant for one in self._settings.model.adapters} - self._known().assistants.keys()
        if unknown:
            raise SettingsInvalid(
                f"model.adapters: no assistant {', '.join(sorted(unknown))} is live; correct the name"
            )
        return f"{len(self._known().prompts)} prompts are live"

    def _policies(self) -> str:
        with closing(rail_runner(self._settings)) as runner:
            policies = compile_policies(self._known(), runner, command_services(self._copy, lambda: self._loaded))
        if not policies and self._begins:
            return "nothing is there yet; they come with the content"
        if not policies:
            raise SettingsInvalid("no policy is live; run: canongate import FOLDER")
        return "probes passed: " + ", ".join(f"{name} (revision {one.revision})" for name, one in policies.items())

    @property
    def _loaded(self) -> Embedder:
        if self._embedder is None:
            raise SettingsInvalid("not looked at: there is no embedder")
        return self._embedder

    def _matcher(self) -> str:
        embedder = self._loaded
        self._take("matcher", "index")
        with closing(FittedMatchers(fit_settings(self._copy), embedder, lambda *_: None)) as matchers:
            matcher = matchers.make(self._known())
        limits = (f"{name} answers {scope.limits.answers_from}" for name, scope in matcher.scopes.items())
        return f"current at revision {self._known().revision}: " + ", ".join(limits)

    def _page(self) -> str:
        if not self._settings.page.try_it:
            return "without a form"
        require_form_assistant(self._settings, self._known())
        return f"its form speaks to {self._settings.page.try_it}"

    def _canary(self) -> str:
        if not self._settings.startup.canary:
            return "no question at the start"
        if gap := canary_gap(self._settings, self._known()):
            if self._begins:
                return "is asked once there is content"
            raise SettingsInvalid(gap)
        return f"{self._settings.startup.canary_prompt} is live"

    def _known(self) -> Catalog:
        if self._catalog is None:
            raise SettingsInvalid("not looked at: the database cannot be read")
        return self._catalog

    def _take(self, *names: str) -> None:
        """Copies what a start would use, and might make or clear up, as far as it is there."""
        for name in names:
            _copy_part(self._settings.data_directory / name, self._copy.data_directory / name)


def _copy_part(source: Path, target: Path) -> None:
    """Copies a file, or a folder that a gateway may write in: without its scratch, and without what goes meanwhile."""
    try:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*", "*.tmp"))
        elif source.is_file():
            shutil.copy2(source, target)
    except shutil.Error as error:
        for name, _, why in error.args[0]:
            if Path(name).exists():
                raise SettingsInvalid(f"{source} cannot be copied to {target.parent}: {why}") from error


def _moved(settings: Settings, folder: Path) -> Settings:
    """Returns the settings with another data folder, in which nothing large is made."""
    replace = msgspec.structs.replace
    data, model = replace(settings.data, directory=str(folder)), replace(settings.model, unpack=False)
    return replace(settings, data=data, model=model)


def _found(part: str, look: Callable[[], str]) -> Finding:
    try:
        said = look()
        return Finding(part, is_ok=True, detail=str(said), is_doubtful=isinstance(said, Doubt))
    except (GatewayError, StoreError, RailsError, ModelError, OSError) as error:
        return Finding(part, is_ok=False, detail=str(error))
