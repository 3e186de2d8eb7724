"""A small bundle as a folder, and a database to publish it to: what the tests of content and commands stand on."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from store.content import Assistant, CanonicalPrompt
from store.formats.bundle import Bundle, write_bundle
from tests.building import ASSISTANT, POLICY, PROMPTS

HELPDESK = {**ASSISTANT, "name": "helpdesk", "allowed_origins": []}


def write_content(folder: Path, *documents: Mapping[str, object], policy: Mapping[str, object] = POLICY) -> Path:
    """Writes the bundle that `tests/building.py` is made of; the assistant has the command line's default name."""
    prompts = tuple(msgspec.convert(document, CanonicalPrompt) for document in documents or PROMPTS)
    write_bundle(Bundle(prompts, (msgspec.convert(HELPDESK, Assistant),), {"desk": policy}), folder)
    return folder
