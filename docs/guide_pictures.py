"""The pictures of the administrator's guide: the upper parts of pages that `docs.screenshots` took whole."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from docs.example_gateway import ROOT
from docs.pictures import write_image

FOLDER = ROOT / "docs" / "how-to" / "curate"
HEIGHT = 800
"""As high as the window in which pages are taken whole: what sticks to its edge stands in the right place."""
PICTURES = {
    "person": "people-new",
    "prompt": "prompts-prompt-key",
    "edit": "prompts-prompt-key-edit",
    "draft": "changes-change-id",
    "case": "suites-suite-name-case",
    "submit": "changes-change-id-steps-step",
    "unmatched": "unmatched",
    "group": "unmatched-clusters-cluster",
    "feedback": "feedback",
    "rails": "rails-policy-name",
    "audit": "audit",
}
"""Each with the page that it shows, in the light theme."""


def cut(whole: Path) -> Iterator[str]:
    """Writes the guide's pictures from those of whole pages; gives their paths."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PICTURES.items():
        image = Image.open(whole / f"{page}-light.png")
        path = FOLDER / f"{name}.webp"
        write_image(image.crop((0, 0, image.width, min(HEIGHT, image.height))), path)
        yield str(path.relative_to(ROOT))
