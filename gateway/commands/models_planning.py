"""`canongate models plan`: what a model file would take of this machine, or of another."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gateway.commands.options import config_option, json_option, settings_from
from gateway.model_settings import MOST_PARALLEL
from gateway.settings import worker_environment
from models.device import Gpu, Machine, this_machine
from models.files.gguf import GgufHeader, read_header
from models.planning import GIB, MIB, Memory, ModelPlan, Wish, plan_model

MOST_GPU_GIB = 10_000


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--context", type=click.IntRange(min=1), help="Most tokens of one request.  [default: model.context_tokens]"
)
@click.option("--parallel", type=click.IntRange(1, MOST_PARALLEL), help="Requests at once.  [default: planned]")
@click.option("--gpu-free", type=click.FloatRange(min=0), metavar="GIB", help="Plan for one GPU with that much free.")
@click.option("--gpu-layers", type=click.IntRange(min=-1), help="Layers on the GPU, -1 for all.  [default: planned]")
@config_option
@json_option
def plan(
    file: Path,
    *,
    context: int | None,
    parallel: int | None,
    gpu_free: float | None,
    gpu_layers: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Plan layers, context, batch and threads for a GGUF file; exit status 1, saying what to change, if it cannot fit.

    \b
    Example:
      canongate models plan ./stablevicuna-13b.q4_k_m.gguf --context 2048 --parallel 8 --gpu-free 22
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    machine = this_machine(worker_environment(settings))
    if gpu_free is not None:
        if not gpu_free <= MOST_GPU_GIB:  # also what is no number
            raise click.BadParameter(f"give a number of GiB from 0 to {MOST_GPU_GIB}", param_hint="--gpu-free")
        cards = (Gpu("planned", int(gpu_free * GIB), int(gpu_free * GIB)),) if gpu_free else ()
        machine = Machine(machine.cores, machine.free_bytes, cards, "--gpu-free is 0")
    header = read_header(file)
    wish = Wish(context or settings.model.context_tokens, parallel, gpu_layers, may_unpack=settings.model.unpack)
    made = plan_model(header, machine, wish)
    if as_json:
        about = {"file": header.file, "architecture": header.architecture, "type": header.file_type}
        more = {"layers": header.layers, "needs_gpu_build": made.gpu is not None}
        click.echo(json.dumps(about | more | asdict(made), indent=2))
        return
    _show(Console(highlight=False), header, machine, made)


def _show(console: Console, header: GgufHeader, machine: Machine, made: ModelPlan) -> None:
    size = f"{header.parameters / 1e6:.0f} million parameters, {header.file_type}"
    console.print(f"{header.architecture}, {size}, {header.layers} layers, trained for {header.context_tokens} tokens")
    cards = ", ".join(f"{card.name} ({card.free_bytes / GIB:.1f} GiB free)" for card in machine.gpus)
    gpus = cards or f"none ({machine.no_gpu})"
    console.print(f"{machine.cores} cores, {machine.free_bytes / GIB:.1f} GiB free, GPU: {gpus}", markup=False)
    table = Table("", "weights", "context", "computing", "reserve", "needed", "free")
    _add(table, "main memory", made.main)
    if made.gpu is not None:
        _add(table, "GPU memory", made.gpu)
    console.print(table)
    console.print(f"gpu_layers     {made.device.gpu_layers} ({made.layers_on_gpu} of {header.layers} layers)")
    console.print(f"context_tokens {made.context_tokens} for one request, {made.sequences} requests at once")
    console.print(f"cells          {made.cells} tokens of context, shared")
    console.print(f"batch          {made.batch_tokens} tokens")
    console.print(f"threads        {made.device.threads}")
    if made.is_unpacked:
        console.print("unpacked       weights are rewritten once with 8 bits each, which are computed faster")
    if made.gpu is not None:
        console.print("Layers go to the GPU only with a llama-cpp-python that was built for it.")


def _add(table: Table, name: str, memory: Memory) -> None:
    parts = (memory.weights, memory.kv, memory.compute, memory.reserve, memory.needed, memory.free)
    table.add_row(name, *(f"{part / MIB:.0f} MiB" for part in parts))
