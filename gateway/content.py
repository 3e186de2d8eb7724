"""Publishing from and exporting to folders: content is checked by every room that will use it before it is live."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rails.engine import RailsPolicy, compile_policy
from rails.errors import PolicyInvalid, ProbeFailed
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner
from rails.types import RailContext, RailRecord, Stage
from store.catalog import PublishReport, load_catalog, publish_bundle
from store.content import SLOT_MARK, AnySlot, Assistant, CanonicalPrompt, DateSlot, EnumSlot, Generate, IntegerSlot
from store.database import Database
from store.errors import InvalidContent
from store.formats.bundle import Bundle, prompt_path, read_bundle, write_bundle

_PATIENCE = RailLimits(rail_s=5.0, stage_s=20.0)
"""Nobody waits for an import, and a machine that is busy for a moment must not refuse good content."""


@dataclass(frozen=True, slots=True)
class _ApprovedText:
    """A text that people may be shown as it stands, and where it is written."""

    file: str
    field: str
    text: str
    slots: Mapping[str, str]
    """A value for each blank."""
    above: str = ""
    """What the assistant sometimes says before it, in the same reply."""

    def shown(self) -> Iterator[str]:
        """Gives every form in which people see it."""
        filled = SLOT_MARK.sub(lambda mark: self.slots[mark[1]], self.text.strip())
        yield filled
        if self.above:
            yield f"{self.above}\n\n{filled}"


def import_folder(
    database: Database, folder: Path, *, note: str = "", remove_missing: bool = False, dry_run: bool = False
) -> PublishReport:
    """Publishes a bundle folder, all of it or nothing.

    Its policies are compiled first, and every approved text that would be live must pass the output rails of each
    assistant that may show it: otherwise the text would be withheld from everybody, and nobody would know before.
    Raises `InvalidContent` with every mistake of every file; `PolicyInvalid` or `ProbeFailed`, which name the file.
    """
    bundle = read_bundle(folder)
    afterwards = bundle if remove_missing else _together(load_catalog(database).to_bundle(), bundle)
    with closing(RailRunner(_PATIENCE)) as runner:
        policies = {name: _compiled(name, document, runner) for name, document in afterwards.policies.items()}
        if problems := sorted(_withheld(afterwards, policies)):
            raise InvalidContent("\n".join(problems))
    return publish_bundle(database, bundle, author="import", note=note, remove_missing=remove_missing, dry_run=dry_run)


def export_live(database: Database, folder: Path) -> int:
    """Writes what is live to a folder and returns the number of prompts."""
    bundle = load_catalog(database).to_bundle()
    write_bundle(bundle, folder)
    return len(bundle.prompts)


def _together(live: Bundle, new: Bundle) -> Bundle:
    """Returns what is live once the new content replaces its namesakes."""
    prompts = {prompt.key: prompt for prompt in (*live.prompts, *new.prompts)}
    assistants = {assistant.name: assistant for assistant in (*live.assistants, *new.assistants)}
    return Bundle(tuple(prompts.values()), tuple(assistants.values()), {**live.policies, **new.policies})


def _compiled(name: str, document: Mapping[str, Any], runner: RailRunner) -> RailsPolicy:
    try:
        return compile_policy(load_policy(document), revision=0, runner=runner)
    except PolicyInvalid as error:
        raise PolicyInvalid(f"policies/{name}.yaml: {error}") from error
    except ProbeFailed as error:
        raise ProbeFailed(f"policies/{name}.yaml: {error}") from error


def _withheld(bundle: Bundle, policies: Mapping[str, RailsPolicy]) -> Iterator[str]:
    """Gives a line for each approved text that an assistant's output rails would keep from people."""
    for assistant in bundle.assistants:
        policy = policies.get(assistant.policy)
        if policy is None:
            continue  # publishing refuses an assistant without a policy, and says so
        for approved in _texts_of(assistant, bundle.prompts):
            if stopped := _stopped(approved, assistant, policy):
                yield (
                    f"{approved.file}: {approved.field}: the rail {stopped.name} of policy {policy.name} stops it "
                    f"({stopped.reason}), so {assistant.name} could not show it. Change the text or the policy."
                )


def _stopped(approved: _ApprovedText, assistant: Assistant, policy: RailsPolicy) -> RailRecord | None:
    for shown in approved.shown():
        context = RailContext(assistant.languages[0], assistant.languages, facts=shown, slots=approved.slots)
        if stopped := policy.check_blocking(Stage.OUTPUT, shown, context).stopped_by:
            return stopped
    return None


def _texts_of(assistant: Assistant, prompts: tuple[CanonicalPrompt, ...]) -> Iterator[_ApprovedText]:
    file = f"assistants/{assistant.name}.yaml"
    for field in ("no_match", "clarify", "withheld", "language"):
        # Shown as they are written: what looks like a blank stays.
        text: str = getattr(assistant.texts, field)
        if not text:
            continue  # `language` may be left out
        yield _ApprovedText(file, f"texts.{field}", text, {name: f"{{{name}}}" for name in SLOT_MARK.findall(text)})
    for prompt in prompts:
        if prompt.area not in assistant.areas:
            continue
        path, values = prompt_path(prompt.key), {slot.name: _sample(slot) for slot in prompt.slots}
        if not isinstance(prompt.reply, Generate):
            yield _ApprovedText(path, "reply.answer", prompt.reply.answer, values)
        else:
            yield _ApprovedText(path, "reply.fallback", prompt.reply.fallback, values, above=assistant.texts.withheld)


def _sample(slot: AnySlot) -> str:
    """Returns a value to read a text with; only its being there matters."""
    match slot:
        case EnumSlot(values=values):
            return values[0].value
        case IntegerSlot(minimum=minimum):
            return str(minimum)
        case DateSlot():
            return "2027-06-30"
        case _:
            return "sample"
