"""Whether a gateway could serve what a change would make live, found out before it is live."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from gateway.activation import PATIENCE, Examination, examine_policy
from gateway.errors import GatewayError
from gateway.licences import require_acknowledged
from gateway.prompt_sampling import unusable_sampling
from gateway.quoted_texts import unguarded_quotes
from gateway.settings import Settings
from gateway.spoken_languages import language_problems
from models.errors import ModelError
from models.ports import Embedder
from rails.definition import RailServices
from rails.runner import RailRunner
from rails.sandbox import PolicySandbox
from store.catalog import Catalog
from store.content import PromptVersion
from store.formats.bundle import prompt_path
from store.formats.documents import write_yaml
from store.phrases import fill_sample, rows_of


@dataclass(frozen=True, slots=True)
class Servable:
    """Looks at what differs from the live catalog; what is the same serves already."""

    settings: Settings
    services: RailServices
    embedder: Embedder
    sandbox: PolicySandbox

    def problems(self, live: Catalog, ahead: Catalog) -> tuple[str, ...]:
        """Returns a line for everything that keeps the second catalog from being served. Blocks for seconds."""
        policies = (line for name, one in self.examined(live, ahead).items() for line in unbuilt(name, one))
        return (*self.beside_policies(live, ahead), *policies)

    def beside_policies(self, live: Catalog, ahead: Catalog) -> tuple[str, ...]:
        """Returns what speaks against prompts, assistants and the licence of the model."""
        return (
            *self._unlicensed(ahead),
            *_without_policy(ahead),
            *unusable_sampling(version.content for version in changed_prompts(live, ahead)),
            *language_problems(ahead.assistants.values(), {name: one.document for name, one in ahead.policies.items()}),
            *unguarded_quotes(ahead.to_bundle()),
            *self._unread(live, ahead),
        )

    def examined(self, live: Catalog, ahead: Catalog) -> Mapping[str, Examination]:
        """Returns what is known of every policy that is not the live one, by its name."""
        documents = live.to_bundle().policies
        changed = {
            name: stored.document for name, stored in ahead.policies.items() if documents.get(name) != stored.document
        }
        if not changed:
            return {}
        with closing(RailRunner(PATIENCE)) as runner:
            return {name: self._examined(name, one, documents, runner) for name, one in changed.items()}

    def _examined(
        self, name: str, document: Mapping[str, Any], live: Mapping[str, Mapping[str, Any]], runner: RailRunner
    ) -> Examination:
        found = examine_policy(write_yaml(dict(document)), live, self.services, self.sandbox, runner)
        if found.name not in ("", name):
            return Examination(name, (), failure=f"its name is {found.name!r}. Give both the same name.")
        return found

    def _unlicensed(self, ahead: Catalog) -> Iterator[str]:
        try:
            require_acknowledged(self.settings, ahead)
        except (GatewayError, ModelError) as error:
            yield str(error)

    def _unread(self, live: Catalog, ahead: Catalog) -> Iterator[str]:
        """Gives the sentences that are too long for the embedder, which would keep the index from being made."""
        for version in changed_prompts(live, ahead):
            for row in rows_of([version]):
                try:
                    pieces = self.embedder.count_tokens(fill_sample(row))
                except ModelError as error:
                    yield f"{prompt_path(version.key)}: {row.text!r} cannot be read: {error}"
                    continue
                if pieces > self.embedder.max_tokens:
                    yield (
                        f"{prompt_path(version.key)}: {row.text!r} has {pieces} word pieces, and the embedder reads at "
                        f"most {self.embedder.max_tokens}. Shorten it."
                    )


def changed_prompts(live: Catalog, ahead: Catalog) -> tuple[PromptVersion, ...]:
    """Returns the prompt versions that are not live, by key."""
    return tuple(
        version
        for key, version in sorted(ahead.prompts.items())
        if key not in live.prompts or live.prompts[key].sha256 != version.sha256
    )


def unbuilt(name: str, found: Examination) -> Iterator[str]:
    """Gives what keeps a policy from being built; its own tests, which it may fail and still be served, are not."""
    place = f"policy {name}"
    lines = [str(finding) for finding in found.findings if finding.is_error]
    if found.sandbox is not None:
        lines += found.sandbox.problems
    if found.failure:
        lines.append(found.failure)
    if not lines and found.policy is None:
        lines.append("it could not be built, and nothing says why. Do not publish it.")
    yield from (f"{place}: {line}" for line in lines)


def _without_policy(ahead: Catalog) -> Iterator[str]:
    for name, assistant in sorted(ahead.assistants.items()):
        if assistant.policy not in ahead.policies:
            yield f"assistant {name}: policy: there is no policy {assistant.policy}. Name another one, or add it."
