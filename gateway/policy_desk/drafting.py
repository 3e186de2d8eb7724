"""Drafts of policies: linted, compared with what is live, and put into a change; nothing here goes live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.policy_desk.reading import Difference, differences, weakenings
from rails.findings import Finding, has_errors
from rails.lint import lint_policy
from rails.yaml_text import read_yaml_text
from store.changes.contents import ContentService
from store.changes.types import Change, Item
from store.errors import InvalidContent, NotFound
from store.formats.documents import parse_yaml
from store.people import Actor


class PolicyRefused(InvalidContent):
    """The text is no policy that could ever go live."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class WeakeningUnconfirmed(InvalidContent):
    """Less would be stopped than the live policy stops, and nobody said that this is meant."""

    def __init__(self, found: tuple[Difference, ...]) -> None:
        super().__init__("the draft stops less than what is live. Say that it is meant, or correct it.")
        self.found = found


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to save."""

    text: str
    """YAML."""
    read: str
    """Hash of the document that it was written over."""
    change: UUID | None = None
    is_meant: bool = False
    """That less is stopped than before."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a text would come to, before anybody saves it."""

    findings: tuple[Finding, ...]
    """Warnings too."""
    found: tuple[Difference, ...] | None
    """What differs from what is live; None where that cannot be said."""


class PolicyDesk:
    """Takes drafts. All methods block."""

    def __init__(self, contents: ContentService) -> None:
        self._contents = contents

    def save(self, actor: Actor, item: Item, draft: Draft) -> Change:
        """Puts the draft into the change, or into the actor's open one.

        Raises `PolicyRefused`, `WeakeningUnconfirmed`, and what `ContentService.replace` raises.
        """
        document = _named(draft.text, item)
        found = weakenings(differences(self.live(actor, item), document))
        if found and not draft.is_meant:
            raise WeakeningUnconfirmed(found)
        return self._contents.replace(actor, item, document, read=draft.read, change_id=draft.change)

    def look(self, actor: Actor, item: Item, text: str) -> Looked:
        """Returns what is wrong with a text and what it changes; nothing is saved."""
        try:
            document = _named(text, item)
        except PolicyRefused as error:
            return Looked(error.findings, None)
        return Looked(lint_policy(text), differences(self.live(actor, item), document))

    def live(self, actor: Actor, item: Item) -> Mapping[str, Any] | None:
        """Returns what is live, None when nothing is."""
        try:
            shown = self._contents.get(actor, item)
        except NotFound:
            return None
        return shown.document


def _named(text: str, item: Item) -> dict[str, Any]:
    """Returns the policy of a text, which must have that name. Raises `PolicyRefused`."""
    document = parsed(text)
    if document.get("name") != item.name:
        place = read_yaml_text(text).at("name")
        message = f"The name of this policy is `{item.name}`."
        raise PolicyRefused((place.finding("policy.other_name", message, "Write that name: assistants use it."),))
    return document


def parsed(text: str) -> dict[str, Any]:
    """Returns the policy that a text holds. Raises `PolicyRefused`."""
    findings = lint_policy(text)
    if has_errors(findings):
        raise PolicyRefused(tuple(one for one in findings if one.is_error))
    try:
        return parse_yaml(text.encode())
    except InvalidContent as error:
        raise PolicyRefused((Finding(1, 1, "policy.invalid", f"{error}", "Correct it."),)) from error
