"""Which server is called upstream, how it is spoken to, and what stands for it in a decision."""

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from models.errors import ModelRefused
from models.formats import PromptFormat, prompt_format

KEY = re.compile(r"[\x21-\x7e]{0,4096}")


class PromptStyle(StrEnum):
    """What the server is sent, which decides who guards the line between markup and text (finding F1)."""

    CHAT = "chat"
    """Messages; the server's own template makes the prompt and reads all of it for control tokens."""
    TEXT = "text"
    """A prompt in our format, as text: the server still reads all of it for control tokens."""
    TOKENS = "tokens"
    """A prompt in our format, as tokens: slots cannot become control tokens. llama-server alone can do it."""


@dataclass(frozen=True, slots=True)
class UpstreamTarget:
    """An OpenAI-compatible server and the model on it. Raises `ModelRefused` for what cannot or must not be called."""

    url: str
    """Up to and with the version, such as `http://127.0.0.1:8080/v1`."""
    model: str
    revision: str = ""
    """Whatever names the weights that the server runs; it is part of `sha256`."""
    style: PromptStyle = PromptStyle.CHAT
    format_name: str = ""
    """Needed for `TEXT` and `TOKENS`."""
    key: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Certificates to trust in place of the usual authorities, for a server of one's own."""
    allow_plain_http: bool = False
    """Prompts, answers and key then cross the network unencrypted."""

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.scheme == "http" and not (self.allow_plain_http or _is_loopback(parts.hostname or "")):
            raise ModelRefused(
                f"upstream {self.url} would be called without encryption. Use https, or set upstream.allow_plain_http "
                "if everybody on the way may read prompts, answers and the key."
            )
        if not self.model.strip():
            raise ModelRefused("an upstream needs the name of a model on it: set upstream.model")
        if not KEY.fullmatch(self.key):
            raise ModelRefused("upstream.key holds characters that no key has, such as a space or a line end")
        if (self.style is PromptStyle.CHAT) != (not self.format_name):
            raise ModelRefused(
                "upstream.format belongs to upstream.prompts = text or tokens, and is needed there; "
                "with chat the server's own template makes the prompt"
            )
        if self.format_name:
            prompt_format(self.format_name)

    @property
    def base(self) -> str:
        """The URL without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def root(self) -> str:
        """Where the server keeps what is not OpenAI's: health, and llama-server's tokenizer."""
        return self.base.removesuffix("/v1")

    @property
    def format(self) -> PromptFormat | None:
        """The family's format; None when the server's own template is used."""
        return prompt_format(self.format_name) if self.format_name else None

    @property
    def sha256(self) -> str:
        """Hash of URL, model name, revision and how prompts are sent.

        It tells decisions of differently configured upstreams apart. It proves nothing about the weights: nobody
        outside that server can. Whoever changes the weights there changes `revision` here.
        """
        parts = ("upstream", self.base, self.model, self.revision, self.style.value, self.format_name)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _split(url: str) -> SplitResult:
    if "@" in url:  # before it is parsed: some with a password cannot be, and the error holds the URL
        raise ModelRefused("upstream.url must not hold a user or password; a key belongs in upstream.key")
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0  # reading it is what checks it
    except ValueError as error:
        raise ModelRefused(f"upstream.url {url!r} is no URL: {error}") from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and not (parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port or not is_plain:
        raise ModelRefused(f"upstream.url {url!r} is not like http://127.0.0.1:8080/v1 or https://host/v1")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
