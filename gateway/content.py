"""Publishing from and exporting to folders: content is checked by every room that will use it before it is live."""

from pathlib import Path

from rails.engine import compile_policy
from rails.policy import load_policy
from store.catalog import PublishReport, load_catalog, publish_bundle
from store.database import Database
from store.formats.bundle import Bundle, read_bundle, write_bundle


def import_folder(
    database: Database, folder: Path, *, note: str = "", remove_missing: bool = False, dry_run: bool = False
) -> PublishReport:
    """Publishes a bundle folder; its policies are compiled first, so that one which fails its probes changes nothing.

    Raises `InvalidContent` with every mistake of every file, `PolicyInvalid` or `ProbeFailed`.
    """
    bundle = read_bundle(folder)
    for document in bundle.policies.values():
        compile_policy(load_policy(document), revision=0)
    return publish_bundle(database, bundle, author="import", note=note, remove_missing=remove_missing, dry_run=dry_run)


def export_live(database: Database, folder: Path) -> int:
    """Writes what is live to a folder and returns the number of prompts."""
    catalog = load_catalog(database)
    bundle = Bundle(
        prompts=tuple(version.content for version in catalog.prompts.values()),
        assistants=tuple(catalog.assistants.values()),
        policies={name: policy.document for name, policy in catalog.policies.items()},
    )
    write_bundle(bundle, folder)
    return len(bundle.prompts)
