"""The rivals' packages: one environment for each, with every version pinned, so that no two share a dependency."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements"
VENVS = ROOT / "var" / "rivals"
INSTALL_S = 1800.0
TORCH = "torch=="
"""Installed before the rest, with what that build needs: PyPI's own for Linux does not start without CUDA's libraries.

Where the index of a build for processors alone is named to pip (`PIP_EXTRA_INDEX_URL`), it takes a tenth of the room.
"""


class NotInstalled(Exception):
    """A rival's packages could not be installed; the message holds pip's own words."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One product, by the name of its folders; `package` is what it is called on PyPI."""

    name: str
    title: str
    package: str
    licence: str
    home: str
    folder: Path
    """Where its environment is."""
    requirements: Path
    """Everything that is installed there, each with its version."""

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Holds the requirements that the environment was made of."""
        return self.folder / ".ready"

    def is_ready(self) -> bool:
        """Whether the environment is that of the requirements as they stand."""
        return self.stamp.is_file() and self.stamp.read_text() in ("", self.requirements.read_text())

    def version(self) -> str:
        """Returns the pinned version of the product itself."""
        pins = dict(line.split("==", 1) for line in self.pins())
        return {name.lower().replace("_", "-"): version for name, version in pins.items()}[self.package]

    def pins(self) -> list[str]:
        """Returns the lines of the requirements that name a package."""
        lines = (line.split("#")[0].split(" ;")[0].strip() for line in self.requirements.read_text().splitlines())
        return [line for line in lines if line and not line.startswith("-")]

    def prepare(self, say: Callable[[str], None]) -> None:
        """Makes the environment unless it is ready. Raises `NotInstalled`."""
        if self.is_ready():
            return
        say(f"installing {self.title} {self.version()}")
        self._run([sys.executable, "-m", "venv", "--clear", str(self.folder)])
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if first := [line for line in self.pins() if line.startswith(TORCH)]:
            self._run([*pip, *first])
        self._run([*pip, "--no-deps", "--requirement", str(self.requirements)])
        self.stamp.write_text(self.requirements.read_text())

    def installed_bytes(self) -> int:
        """Returns what the environment takes on the disk, without the interpreter, and without pip."""
        packages = self.folder.glob("lib/python3*/site-packages")
        return sum(_bytes_below(folder) for folder in packages)

    def _run(self, command: Sequence[str]) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)  # noqa: S603 - pip and venv
        except subprocess.TimeoutExpired as error:
            raise NotInstalled(f"{self.title}: {error}") from error
        if done.returncode:
            raise NotInstalled(f"{self.title}: {done.stderr[-2000:]}")


def _bytes_below(folder: Path) -> int:
    """Returns the bytes of installed files; compiled modules are left out, as they depend on what ran already."""
    own = ("pip", "setuptools", "__pycache__")
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not {*path.relative_to(folder).parts} & {*own}
    )


def _rival(name: str, title: str, package: str, licence: str, home: str) -> Rival:
    return Rival(name, title, package, licence, home, VENVS / name, REQUIREMENTS / f"{name}.txt")


RIVALS = (
    _rival(
        "nemoguardrails",
        "NeMo Guardrails",
        "nemoguardrails",
        "Apache-2.0",
        "https://github.com/NVIDIA-NeMo/Guardrails",
    ),
    _rival("litellm", "LiteLLM proxy", "litellm", "MIT", "https://github.com/BerriAI/litellm"),
    _rival("llm-guard", "LLM Guard", "llm-guard", "MIT", "https://github.com/protectai/llm-guard"),
    _rival(
        "guardrails-ai",
        "Guardrails AI",
        "guardrails-ai",
        "Apache-2.0",
        "https://github.com/guardrails-ai/guardrails",
    ),
    _rival(
        "openai-guardrails",
        "OpenAI Guardrails",
        "openai-guardrails",
        "MIT",
        "https://github.com/openai/openai-guardrails-python",
    ),
    _rival(
        "semantic-router",
        "semantic-router",
        "semantic-router",
        "MIT",
        "https://github.com/aurelio-labs/semantic-router",
    ),
    _rival(
        "faiss",
        "FAISS and sentence-transformers",
        "sentence-transformers",
        "Apache-2.0",
        "https://github.com/huggingface/sentence-transformers",
    ),
    _rival(
        "llama-cpp-python",
        "llama_cpp.server",
        "llama-cpp-python",
        "MIT",
        "https://github.com/abetlen/llama-cpp-python",
    ),
    Rival(
        "xllamacpp",
        "llama.cpp's own server",
        "xllamacpp",
        "MIT",
        "https://github.com/xorbitsai/xllamacpp",
        ROOT / "var" / "bench" / "xllamacpp-venv",
        ROOT / "benchmarks" / "rival_server.txt",
    ),
)
"""All of them; `make rival` makes the last one's environment too, for tests."""


def named(name: str) -> Rival:
    """Returns a rival by its name. Raises `KeyError`."""
    return {one.name: one for one in RIVALS}[name]
