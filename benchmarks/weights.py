"""The weights that the product would load for a model on a CPU: rewritten once where that is faster."""

from pathlib import Path

from models.catalog import KnownModel, located
from models.files.gguf import read_header
from models.files.unpacking import Weights, gains_by_unpacking, unpacked

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench" / "unpacked"


def served(known: KnownModel) -> Weights:
    """Returns what `canongate serve` loads without a GPU."""
    source = Weights(located(known), known.sha256)
    return unpacked(source, FOLDER, lambda _: None) if gains_by_unpacking(read_header(source.path)) else source
