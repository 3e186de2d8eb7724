"""Publishing from and exporting to folders: content is checked by every room that will use it before it is live."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.activation import NOTHING_MEANT, PATIENCE, Examination, Meant, examine_policy
from gateway.approved_texts import withheld_texts
from gateway.prompt_sampling import unusable_sampling
from gateway.quoted_texts import unguarded_quotes
from gateway.spoken_languages import language_problems
from rails.definition import NO_SERVICES, RailServices
from rails.engine import RailsPolicy, compile_policy
from rails.errors import PolicyInvalid, ProbeFailed
from rails.policy import load_policy
from rails.runner import RailRunner
from rails.sandbox import SANDBOX, PolicySandbox
from store.catalog import Joined, load_catalog, publish_bundle
from store.database import Database
from store.errors import InvalidContent
from store.formats.bundle import Bundle, read_bundle, write_bundle
from store.formats.difference import Difference, differences
from store.formats.documents import write_yaml
from store.publish_plan import PublishReport


def import_folder(
    database: Database,
    folder: Path,
    *,
    note: str = "",
    remove_missing: bool = False,
    dry_run: bool = False,
    services: RailServices = NO_SERVICES,
    sandbox: PolicySandbox = SANDBOX,
    meant: Meant = NOTHING_MEANT,
) -> PublishReport:
    """Publishes a bundle folder, as `import_bundle` does; mistakes are told by the names of its files."""
    bundle, written = read_folder(folder)
    return import_bundle(
        database,
        bundle,
        written=written,
        note=note,
        remove_missing=remove_missing,
        dry_run=dry_run,
        services=services,
        sandbox=sandbox,
        meant=meant,
    )


def read_folder(folder: Path) -> tuple[Bundle, dict[str, str]]:
    """Reads a bundle folder, with the texts of its policies by their names. Raises `InvalidContent`."""
    bundle = read_bundle(folder)
    written = {name: (folder / "policies" / f"{name}.yaml").read_text(encoding="utf-8") for name in bundle.policies}
    return bundle, written


def import_bundle(
    database: Database,
    bundle: Bundle,
    *,
    written: Mapping[str, str] | None = None,
    note: str = "",
    remove_missing: bool = False,
    dry_run: bool = False,
    services: RailServices = NO_SERVICES,
    sandbox: PolicySandbox = SANDBOX,
    meant: Meant = NOTHING_MEANT,
    author: str = "import",
    based_on: int | None = None,
    joined: Joined | None = None,
) -> PublishReport:
    """Publishes a bundle, all of it or nothing. `written` are the texts of its policies, where they were files.

    `based_on` and `joined` are as those of `publish_bundle`.

    Each policy that differs from the live one goes the way of an activation first, with the same questions, and every
    approved text that would be live must pass the output rails of each assistant that may show it: otherwise the text
    would be withheld from everybody, and nobody would know before. Whoever quotes people's own texts needs the rails
    for it. Raises `InvalidContent` with every mistake of every file; `PolicyInvalid` or `ProbeFailed`, which name
    the file.
    """
    live = load_catalog(database).to_bundle()
    if problems := sorted(unusable_sampling(bundle.prompts)):
        raise InvalidContent("\n".join(problems))
    afterwards = bundle if remove_missing else _together(live, bundle)
    if problems := sorted(language_problems(afterwards.assistants, afterwards.policies)):
        raise InvalidContent("\n".join(problems))
    users = tuple(sorted({one.policy for one in afterwards.assistants}))
    with closing(RailRunner(PATIENCE)) as runner:
        for name, document in bundle.policies.items():
            if live.policies.get(name) != document:
                text = (written or {}).get(name) or write_yaml(dict(document))
                found = examine_policy(text, live.policies, services, sandbox, runner)
                _require_clean(name, replace(found, users=users), meant)
        policies = {name: _compiled(name, document, runner, services) for name, document in afterwards.policies.items()}
        if problems := sorted((*withheld_texts(afterwards, policies), *unguarded_quotes(afterwards))):
            raise InvalidContent("\n".join(problems))
    return publish_bundle(
        database,
        bundle,
        author=author,
        note=note,
        remove_missing=remove_missing,
        dry_run=dry_run,
        based_on=based_on,
        joined=joined,
    )


def content_differences(database: Database, bundle: Bundle, *, remove_missing: bool = False) -> tuple[Difference, ...]:
    """Returns what the bundle would change of what is live, for people to read."""
    live = load_catalog(database).to_bundle()
    afterwards = bundle if remove_missing else _together(live, bundle)
    return tuple(differences(live, afterwards))


def export_live(database: Database, folder: Path) -> int:
    """Writes what is live to a folder and returns the number of prompts."""
    bundle = load_catalog(database).to_bundle()
    write_bundle(bundle, folder)
    return len(bundle.prompts)


def _together(live: Bundle, new: Bundle) -> Bundle:
    """Returns what is live once the new content replaces its namesakes."""
    prompts = {prompt.key: prompt for prompt in (*live.prompts, *new.prompts)}
    assistants = {assistant.name: assistant for assistant in (*live.assistants, *new.assistants)}
    policies, suites = {**live.policies, **new.policies}, {**live.suites, **new.suites}
    return Bundle(tuple(prompts.values()), tuple(assistants.values()), policies, suites)


def _require_clean(name: str, found: Examination, meant: Meant) -> None:
    if wrong := found.problems or found.questions(meant):
        raise PolicyInvalid("\n".join(f"policies/{name}.yaml: {one}" for one in wrong))


def _compiled(name: str, document: Mapping[str, Any], runner: RailRunner, services: RailServices) -> RailsPolicy:
    try:
        return compile_policy(load_policy(document), revision=0, runner=runner, services=services)
    except PolicyInvalid as error:
        raise PolicyInvalid(f"policies/{name}.yaml: {error}") from error
    except ProbeFailed as error:
        raise ProbeFailed(f"policies/{name}.yaml: {error}") from error
