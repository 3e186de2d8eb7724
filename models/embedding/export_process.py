"""An export in a process of its own: it needs torch, whose memory a process that serves would never get back."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from models.child import PACKAGE_ROOT, Parent
from models.embedding.export import Form, export_onnx
from models.errors import ModelError, ModelRefused, ModelUnavailable


class ExportJob(msgspec.Struct, frozen=True):
    """What is exported, and where it is kept."""

    source: str
    """Folder of the sentence-transformers model."""
    target: str
    """Folder of the exported embedders."""
    sha256: str
    """Hash of its weights."""
    form: Form


class Said(msgspec.Struct, frozen=True, tag="said"):
    """How far the export is."""

    line: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is none."""

    reason: str
    is_refused: bool
    """Whether the model is at fault, so that trying again is in vain."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Where it lies."""

    folder: str


def export_aside(
    source: Path, target: Path, expected_sha256: str, progress: Callable[[str], None], *, form: Form
) -> Path:
    """Does what `export_onnx` does, and raises what it raises; the process ends with this one."""
    job = ExportJob(str(source.absolute()), str(target.absolute()), expected_sha256, form)
    environment = {"PYTHONPATH": str(PACKAGE_ROOT), "LANG": "C.UTF-8", "HF_HUB_OFFLINE": "1"}
    try:
        with subprocess.Popen(
            (sys.executable, "-P", "-m", "models.embedding.export_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise ModelUnavailable("the export's process has no pipes. This is a bug.")
            try:
                process.stdin.write(msgspec.json.encode(job) + b"\n")
                process.stdin.flush()
                for line in process.stdout:
                    match msgspec.json.decode(line, type=Said | Failed | Done):
                        case Said(line=said):
                            progress(said)
                        case Failed(reason=reason, is_refused=is_refused):
                            raise ModelRefused(reason) if is_refused else ModelUnavailable(reason)
                        case Done(folder=folder):
                            return Path(folder)
                process.wait()
            finally:
                process.kill()
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelUnavailable(f"the embedder could not be exported: {error}") from error
    raise ModelUnavailable(f"the embedder could not be exported: its process ended early ({process.returncode})")


def main() -> None:
    """Reads a job from standard input, exports, and says on standard output how far it is."""
    parent = Parent()
    job = parent.job(ExportJob)
    try:
        folder = export_onnx(
            Path(job.source), Path(job.target), job.sha256, lambda line: parent.say(Said(line)), form=job.form
        )
    except ModelError as error:
        parent.say(Failed(str(error), isinstance(error, ModelRefused)))
    except OSError as error:  # a folder that cannot be written, a full disk
        parent.say(Failed(f"{error.filename or job.target}: {error.strerror}", is_refused=False))
    else:
        parent.say(Done(str(folder)))


if __name__ == "__main__":
    main()
