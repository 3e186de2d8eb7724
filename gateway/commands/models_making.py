"""`canongate models quantize` and `merge-delta`: model files made from other model files."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from gateway.commands.options import json_option
from gateway.commands.progress import shown_progress
from models.device import usable_cores
from models.files.merging import merge_delta
from models.files.quantizing import OFFERED, quantize_file

GIB = 2**30


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--type", "file_type", type=click.Choice(OFFERED), required=True, help="Form of the weights.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads.  [default: all cores but one]")
@click.option("--allow-requantize", is_flag=True, help="Also from a file that is quantised already; loses more.")
@json_option
def quantize(
    source: Path, target: Path, *, file_type: str, threads: int | None, allow_requantize: bool, as_json: bool
) -> None:
    """Write a GGUF file in a smaller form; nothing is written over, and nothing is registered.

    \b
    Example:
      canongate models quantize model.f16.gguf model.q4_k_m.gguf --type q4_k_m
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with shown_progress(Console(stderr=True)) as progress:
        made = quantize_file(
            source,
            target,
            file_type,
            lambda done, total: progress(f"quantising {source.name}", done, total),
            threads=threads or max(1, usable_cores() - 1),
            allow_requantize=allow_requantize,
        )
    if as_json:
        said = {
            "file": str(target),
            "type": made.after.file_type,
            "bytes": made.after.file_bytes,
            "from": {"type": made.before.file_type, "bytes": made.before.file_bytes},
        }
        click.echo(json.dumps(said, indent=2))
        return
    before, after = made.before.file_bytes / GIB, made.after.file_bytes / GIB
    click.echo(f"Wrote {target}: {after:.2f} GiB, from {before:.2f} GiB ({made.before.file_type}).")
    click.echo(f"Register it with: canongate models add {target}")


@click.command("merge-delta")
@click.argument("base", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("delta", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--allow-added-tokens", is_flag=True, help="The delta may have more word pieces; the base counts as 0.")
@json_option
def merge_delta_command(base: Path, delta: Path, target: Path, *, allow_added_tokens: bool, as_json: bool) -> None:
    """Add a published weight delta to its base model: folders of safetensors files, merged file by file.

    A merge that was broken off goes on where it was when it is run again. Convert the result to GGUF with llama.cpp's
    own converter, then register it with `canongate models add`.

    \b
    Example:
      canongate models merge-delta ./llama-13b ./stable-vicuna-13b-delta ./stable-vicuna-13b --allow-added-tokens
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with shown_progress(Console(stderr=True)) as progress:
        done = merge_delta(
            base,
            delta,
            target,
            lambda file, at, total: progress(f"merging {file}", at, total),
            allow_added_tokens=allow_added_tokens,
        )
    if as_json:
        click.echo(json.dumps({**asdict(done), "folder": str(done.folder)}, indent=2))
        return
    added = f", {done.added_tokens} word pieces added by the delta" if done.added_tokens else ""
    resumed = f" ({done.resumed_files} files were finished before)" if done.resumed_files else ""
    click.echo(f"Wrote {done.folder}: {done.weights} weights, {done.size_bytes / GIB:.2f} GiB{added}{resumed}.")
