"""The frozen settings tree, read once from TOML and environment; nothing else reads the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, inspect

from gateway.access_settings import LOOPBACK, AccessSettings, OidcSettings
from gateway.errors import SettingsInvalid
from gateway.faults import FaultSettings
from gateway.limit_settings import LimitSettings
from gateway.model_settings import AnswerSettings, ModelSettings, UpstreamSettings
from gateway.ray_settings import RaySettings
from gateway.replica_settings import ReplicaSettings
from gateway.sections import PREFIX, Section
from gateway.server_settings import ServerSettings, StartupSettings
from gateway.telemetry_settings import TelemetrySettings
from gateway.webhook_settings import WebhookSettings

SECTION_MARK = "__"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the settings file where a command is given none."""
DIRECTORY_VARIABLE = f"{PREFIX}DATA{SECTION_MARK}DIRECTORY"
_PATTERN = re.compile(r"^Expected `str` matching regex .* - at `\$\.(?P<place>[^`]*)`$")


class DataSettings(Section, frozen=True):
    """Where the gateway keeps what it must not lose, and what it can rebuild."""

    directory: Annotated[str, Meta(pattern=r"^[^\x00]+\Z", description="a path")] = "var"
    """Folder for the database, the index, the exported embedder and the pepper. Keep it out of any package."""

    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data folder. For several gateways use `postgresql+psycopg://...`."""


class EmbedderSettings(Section, frozen=True):
    """Which sentence-transformers model turns messages into vectors."""

    path: str = ""
    """Folder of the model; empty means the packaged all-MiniLM-L6-v2."""

    sha256: str = ""
    """Hash of the model's `model.safetensors`; needed with `path`, so that a swapped file is noticed."""

    languages: Annotated[
        str, Meta(pattern=r"^([a-z]{2,3}(, *[a-z]{2,3})*)?\Z", description="codes with commas between, such as en, ar")
    ] = ""
    """Languages that the model in `path` reads, such as `en, ar`; messages in others are refused. Empty: not known."""

    def __post_init__(self) -> None:
        if self.sha256 and not self.path:
            raise ValueError("embedder.sha256 is the hash of the model in embedder.path, which is not set")


class MatchingSettings(Section, frozen=True):
    """How the matcher is fitted to the store's phrasings. How sure it must be is the assistants' to say."""

    tune: bool = True
    """Whether the embedder itself is tuned, in the background, after each publish: one to some minutes on two cores."""

    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    """Threads of the background fitting. One leaves the rest of the machine to the messages."""


class ReviewSettings(Section, frozen=True):
    """The review queue: messages without a good answer, kept for editors with personal data and secrets masked."""

    keep: bool = True
    """Whether such messages are kept at all. What cannot be masked for sure is counted and not kept."""

    days: Annotated[int, Meta(ge=1, le=3650)] = 90
    """Days after which a question that nobody asked again is removed; it goes sooner with its last decision."""

    new_per_day: Annotated[int, Meta(ge=1, le=100000)] = 500
    """Different questions that one assistant may add in a day; more are counted and not kept."""

    questions: Annotated[int, Meta(ge=1, le=1000000)] = 20000
    """Different questions kept for one assistant; when they are reached, known ones still count up."""


class RailSettings(Section, frozen=True):
    """How long the checks may take. A late check blocks."""

    rail_s: Annotated[float, Meta(gt=0, le=60)] = 0.5
    """Seconds for one rail."""

    stage_s: Annotated[float, Meta(gt=0, le=60)] = 2.0
    """Seconds for all rails of one stage; at least `rail_s`."""

    def __post_init__(self) -> None:
        if self.rail_s > self.stage_s:
            raise ValueError(f"rails.rail_s ({self.rail_s:g}) must not be above rails.stage_s ({self.stage_s:g})")


class PageSettings(Section, frozen=True):
    """The landing page."""

    try_it: str = ""
    """Assistant behind the landing page's try-it form; empty means no form. Anyone who reaches the page can use it."""


class AuditSettings(Section, frozen=True):
    """What proves the audit trail outside the database."""

    checkpoints: Annotated[str, Meta(pattern=r"^[^\x00]*\Z", description="a path")] = ""
    """File that signed checkpoints are added to; empty means `checkpoints` in the data folder. A file on another
    machine's disk, or a copy there, proves the trail also against whoever owns this one."""


class LogSettings(Section, frozen=True):
    """What is written to standard error. Never the text of a message."""

    level: Annotated[
        str, Meta(pattern=r"^(debug|info|warning|error)\Z", description="debug, info, warning or error")
    ] = "info"
    """Lowest level that is written."""

    format: Annotated[str, Meta(pattern=r"^(auto|json|console)\Z", description="auto, json or console")] = "auto"
    """`json` for machines, `console` for people, `auto` decides by whether standard error is a terminal."""


class Settings(Section, frozen=True):
    """Everything that an operator may choose."""

    server: ServerSettings = ServerSettings()
    """Where the gateway listens."""
    startup: StartupSettings = StartupSettings()
    """The question that is asked at the start."""
    data: DataSettings = DataSettings()
    """Where the gateway keeps its data."""
    embedder: EmbedderSettings = EmbedderSettings()
    """Which model turns messages into vectors."""
    matching: MatchingSettings = MatchingSettings()
    """How the matcher is fitted."""
    model: ModelSettings = ModelSettings()
    """The language model."""
    upstream: UpstreamSettings = UpstreamSettings()
    """A server that answers in place of the worker."""
    answers: AnswerSettings = AnswerSettings()
    """Answers that are kept."""
    limits: LimitSettings = LimitSettings()
    """Limits of requests and credentials."""
    rails: RailSettings = RailSettings()
    """Deadlines of the checks."""
    access: AccessSettings = AccessSettings()
    """Signing in."""
    oidc: OidcSettings = OidcSettings()
    """Signing in at a provider."""
    review: ReviewSettings = ReviewSettings()
    """The review queue."""
    replicas: ReplicaSettings = ReplicaSettings()
    """Several gateways on one database."""
    ray: RaySettings = RaySettings()
    """Ray Serve."""
    webhooks: WebhookSettings = WebhookSettings()
    """Webhooks."""
    page: PageSettings = PageSettings()
    """The landing page."""
    audit: AuditSettings = AuditSettings()
    """The audit trail's checkpoints."""
    log: LogSettings = LogSettings()
    """The log."""
    telemetry: TelemetrySettings = TelemetrySettings()
    """Traces and metrics for a collector."""
    faults: FaultSettings = FaultSettings()
    """Faults on purpose."""

    def __post_init__(self) -> None:
        if self.access.plain_http and self.server.sign_in_host not in LOOPBACK:
            field = "server.admin_listen" if self.server.admin_listen else "server.host"
            raise ValueError(f"access.plain_http is for this machine alone: {field} must be 127.0.0.1 with it")

    @property
    def data_directory(self) -> Path:
        """The data folder as an absolute path. Raises `SettingsInvalid`."""
        try:
            return Path(self.data.directory).expanduser().resolve()
        except RuntimeError as error:  # a tilde of nobody, or links that lead in a circle
            raise SettingsInvalid(f"data.directory: cannot resolve {self.data.directory}: {error}") from error

    @property
    def checkpoint_file(self) -> Path:
        """Where the audit trail's checkpoints are kept."""
        if self.audit.checkpoints:
            return Path(self.audit.checkpoints).expanduser().absolute()
        return self.data_directory / "checkpoints"

    @property
    def database_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.data.database_url or f"sqlite:///{self.data_directory / 'canongate.db'}"


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Reads settings from a TOML file and variables such as `CANONGATE_SERVER__PORT`, which win over the file.

    Raises `SettingsInvalid` with the file or variable, the field and what it takes.
    """
    tree = _read_toml(path) if path is not None else {}
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one reader
    for name, value in sorted(variables.items()):
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE:
            _put(tree, name, value)
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"settings: {in_words(error)}. See docs/configuration.md for every field.") from error


def in_words(error: msgspec.ValidationError) -> str:
    """Returns what is wrong; a field that takes a pattern says in words what that is."""
    found = _PATTERN.search(str(error))
    if found is None:
        return str(error)
    kind: object = inspect.type_info(Settings)
    for name in re.sub(r"\[.*?\]", "", found["place"]).split("."):
        kind = _item(kind)
        fields = kind.fields if isinstance(kind, inspect.StructType) else ()
        kind = next(field.type for field in fields if field.encode_name == name)
    while not isinstance(kind, inspect.Metadata):
        kind = _item(kind)
    return f"{found['place']} takes {(kind.extra_json_schema or {})['description']}"


def _item(kind: object) -> object:
    return kind.item_type if isinstance(kind, inspect.VarTupleType) else kind


def worker_environment(settings: Settings, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the variables that are passed on to the worker; those that are not set here are not set there."""
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one reader
    return {name: variables[name] for name in settings.model.environment if name in variables}


def service_manager_environment(environment: Mapping[str, str] | None = None) -> tuple[str, float | None]:
    """Returns where systemd wants to be told how the service is, or "", and within how many seconds each time."""
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one reader
    period_us, process = variables.get("WATCHDOG_USEC", ""), variables.get("WATCHDOG_PID", "")
    is_watched = period_us.isdecimal() and int(period_us) > 0 and process in ("", str(os.getpid()))
    return variables.get("NOTIFY_SOCKET", ""), int(period_us) / 1e6 if is_watched else None


def _read_toml(path: Path) -> dict[str, dict[str, object]]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsInvalid(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is not valid TOML: {error}") from error


def _put(tree: dict[str, dict[str, object]], name: str, value: str) -> None:
    section, mark, key = name.removeprefix(PREFIX).lower().partition(SECTION_MARK)
    if not mark or not key:
        raise SettingsInvalid(f"{name}: write {PREFIX}SECTION{SECTION_MARK}FIELD, such as {PREFIX}SERVER__PORT")
    branch = tree.setdefault(section, {})
    if not isinstance(branch, dict):
        raise SettingsInvalid(f"[{section}] in the settings file must be a table")
    branch[key] = _list_or_text(value)


def _list_or_text(value: str) -> object:
    """Returns what a variable says: a list as TOML writes it, or the text as it stands."""
    if not value.startswith("["):
        return value
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:  # such as an address of IPv6
        return value
