"""Writes what is live in any format, as a stream of bytes, for whoever may see it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from store.catalog import Catalog
from store.content import Assistant
from store.errors import NotFound
from store.formats.bundle_file import Writing, bundle_text
from store.formats.csv_prompts import prompts_csv, sentences_csv
from store.formats.registry import FORMATS
from store.formats.row_format import Container
from store.formats.said_rows import rows_of_prompts
from store.formats.writing import Written, encoded
from store.people import Actor


class WholeFormat(StrEnum):
    """Formats that keep prompts whole, or their sentences, beside those of rows."""

    BUNDLE_YAML = "bundle-yaml"
    BUNDLE_JSON = "bundle-json"
    CSV_PROMPTS = "csv-prompts"
    CSV_SENTENCES = "csv-sentences"


_MEDIA: Mapping[str, str] = {
    "lines": "application/jsonl",
    "list": "application/json",
    "csv": "text/csv",
    WholeFormat.BUNDLE_YAML: "application/yaml",
    WholeFormat.BUNDLE_JSON: "application/json",
    WholeFormat.CSV_PROMPTS: "text/csv",
    WholeFormat.CSV_SENTENCES: "text/csv",
}
_SUFFIX: Mapping[WholeFormat, str] = {
    WholeFormat.BUNDLE_YAML: "yaml",
    WholeFormat.BUNDLE_JSON: "json",
    WholeFormat.CSV_PROMPTS: "csv",
    WholeFormat.CSV_SENTENCES: "csv",
}
EXPORTS = (*WholeFormat, *FORMATS)
"""All names that an export takes."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is about to be written."""

    name: str
    media: str
    pieces: Iterator[bytes]
    told: Written
    """What became of the rows, once the pieces are taken."""


def export_content(
    catalog: Catalog, format_name: str, actor: Actor | None = None, *, keys: frozenset[str] | None = None
) -> Export:
    """Returns what is live, within the actor's assistants and their areas; with `keys` these prompts and nothing else.

    Raises `NotFound` for no such format.
    """
    seen = catalog if actor is None else within(catalog, actor)
    if keys is not None:
        seen = Catalog(seen.revision, {key: one for key, one in seen.prompts.items() if key in keys}, {}, {}, {})
    told = Written()
    if format_name in list(WholeFormat):
        whole = WholeFormat(format_name)
        return Export(f"canongate-{whole}.{_SUFFIX[whole]}", _MEDIA[whole], _whole(seen, whole), told)
    if format_name not in FORMATS:
        raise NotFound(f"there is no such format. Formats: {', '.join(EXPORTS)}")
    form = FORMATS[format_name]
    pieces = encoded(form, rows_of_prompts(seen.prompts.values()), told)
    return Export(f"canongate-{form.name}.{form.extension}", media_type(form.container), pieces, told)


def media_type(container: Container) -> str:
    """Returns the media type of a container."""
    return _MEDIA[container.value]


def _whole(catalog: Catalog, whole: WholeFormat) -> Iterator[bytes]:
    prompts = [catalog.prompts[key].content for key in sorted(catalog.prompts)]
    match whole:
        case WholeFormat.CSV_PROMPTS:
            yield from prompts_csv(prompts)
        case WholeFormat.CSV_SENTENCES:
            yield from sentences_csv(prompts)
        case WholeFormat.BUNDLE_YAML | WholeFormat.BUNDLE_JSON:
            writing = Writing.YAML if whole is WholeFormat.BUNDLE_YAML else Writing.JSON
            yield bundle_text(catalog.to_bundle(), writing).encode("utf-8")


def within(catalog: Catalog, actor: Actor) -> Catalog:
    """Returns what belongs to the actor's assistants: another tenant's prompts and policies are not told."""
    if not actor.assistants:
        return catalog
    assistants: Mapping[str, Assistant] = {name: one for name, one in catalog.assistants.items() if actor.may_see(name)}
    areas = {area for one in assistants.values() for area in one.areas}
    policies = {one.policy for one in assistants.values()}
    return Catalog(
        catalog.revision,
        {key: one for key, one in catalog.prompts.items() if one.content.area in areas},
        assistants,
        {name: one for name, one in catalog.policies.items() if name in policies},
        {name: one for name, one in catalog.suites.items() if one.get("assistant") in assistants},
    )
