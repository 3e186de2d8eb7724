"""The one way of a policy to people: checked text, built in a sandbox, tried, compared, then published as a revision.

Lint -> build in a process with limits -> each rail's own examples with the real services -> the policy's test set ->
the approved texts that its output rails must let through -> what changes against the live policy -> publish. Whoever
follows the database (`gateway/publisher.py`) builds the whole new state beside the old one and swaps one reference.
A roll back is an activation of an older document.
"""

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from gateway.approved_texts import withheld_texts
from gateway.quoted_texts import unguarded_quotes
from gateway.spoken_languages import language_problems
from rails.case_runs import CaseRun, run_cases
from rails.changes import Change, changes_between
from rails.definition import RailServices
from rails.engine import RailsPolicy, compile_policy
from rails.errors import RailsError
from rails.findings import Finding, has_errors
from rails.lint import lint_policy
from rails.lint_words import near
from rails.policy import PolicyDocument, load_policy
from rails.runner import RailLimits, RailRunner
from rails.sandbox import PolicySandbox
from rails.sandbox_reports import SandboxReport
from store.catalog import Catalog, live_revision, load_catalog, publish_bundle
from store.database import Database
from store.errors import InvalidContent, NotFound
from store.formats.bundle import Bundle
from store.formats.documents import parse_yaml, write_yaml
from store.publish_plan import PublishReport
from store.repositories.policies import Policies

PATIENCE = RailLimits(rail_s=5.0, stage_s=20.0)
"""Nobody waits for an activation, and a machine that is busy for a moment must not refuse a good policy."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What somebody says that they mean, which is a mistake more often than not."""

    without_live_tests: bool = False
    """To go live although a test of the live policy, which the new one no longer has, now fares otherwise."""
    unused: bool = False
    """To go live although no assistant uses a policy of this name."""


NOTHING_MEANT = Meant()


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known about the text of a policy; a stage that was not reached has found nothing yet."""

    name: str
    """Empty when the text does not say."""
    findings: tuple[Finding, ...]
    sandbox: SandboxReport | None = None
    failure: str = ""
    """Why it cannot be built with the real services; empty when it can."""
    cases: tuple[CaseRun, ...] = ()
    lost: tuple[CaseRun, ...] = ()
    """Tests of the live policy that the new one no longer has."""
    users: tuple[str, ...] | None = None
    """Policies that assistants use; None when that was not looked at."""
    withheld: tuple[str, ...] = ()
    """A line for each approved text that the policy would keep from people."""
    changes: tuple[Change, ...] = ()
    document: Mapping[str, Any] | None = None
    """What would be published; None when the text cannot be read."""
    policy: RailsPolicy | None = None
    """Built with the real services; None when that was not reached."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that keeps the policy from being activated, in words."""
        wrong = (
            f"tests, number {run.number}: {run.case.text[:60]!r} on {run.case.stage.value} should be {run.wanted}, and "
            f"is {run.got}. Correct the policy, or the test."
            for run in self.cases
            if not run.is_right
        )
        return (
            *(str(finding) for finding in self.findings if finding.is_error),
            *(self.sandbox.problems if self.sandbox is not None else ()),
            *((self.failure,) if self.failure else ()),
            *wrong,
            *self.withheld,
        )

    def questions(self, meant: Meant = NOTHING_MEANT) -> tuple[str, ...]:
        """Returns what keeps the policy from being activated until somebody says that it is meant."""
        asked = []
        if not meant.without_live_tests:
            asked += [
                f"a test of the live policy that was taken out now fares otherwise: {run.case.text[:60]!r} on "
                f"{run.case.stage.value} should be {run.wanted}, and is {run.got}. Put the test back and correct the "
                "policy, or say that it is meant (`--without-live-tests`)."
                for run in self.lost
                if not run.is_right
            ]
        if not meant.unused and self.users is not None and self.name not in self.users:
            asked.append(
                f"no assistant uses a policy {self.name!r}, so nothing would change for anybody. "
                f"{near(self.name, self.users)} Correct the name, or say that it is meant (`--unused`)."
            )
        return tuple(asked)

    @property
    def is_clean(self) -> bool:
        """Whether every stage was reached and found nothing against the policy."""
        return self.policy is not None and not self.problems


@dataclass(frozen=True, slots=True)
class ActivationReport:
    """What an activation found and did."""

    examination: Examination
    published: PublishReport | None
    """None when the policy was refused."""
    questions: tuple[str, ...] = ()
    """What was not said to be meant."""


class Activation:
    """Examines and activates policies of one database. Blocks its thread for seconds; not for an event loop's."""

    def __init__(self, database: Database, services: RailServices, sandbox: PolicySandbox) -> None:
        self._database = database
        self._services = services
        self._sandbox = sandbox

    def examine(self, text: str) -> Examination:
        """Returns all that can be known before the policy is live; publishes nothing."""
        return self._examine(text, load_catalog(self._database))

    def activate(self, text: str, *, author: str, note: str = "", meant: Meant = NOTHING_MEANT) -> ActivationReport:
        """Publishes the policy when nothing speaks against it; one that says what is live already makes no revision.

        Raises `Conflict` when somebody else published meanwhile.
        """
        catalog = load_catalog(self._database)
        found = self._examine(text, catalog)
        if not found.is_clean or found.document is None:
            return ActivationReport(found, None)
        if questions := found.questions(meant):
            return ActivationReport(found, None, questions)
        bundle = Bundle(policies={found.name: found.document})
        published = publish_bundle(self._database, bundle, author=author, note=note, based_on=catalog.revision)
        return ActivationReport(found, published)

    def roll_back(
        self, name: str, revision: int, *, author: str, note: str = "", meant: Meant = NOTHING_MEANT
    ) -> ActivationReport:
        """Activates the policy as it was when `revision` was live, by the same path.

        Raises `NotFound`, which names the revisions that changed it.
        """
        policies = Policies(self._database)
        changed = policies.revisions(name)
        newest = max((one for one in changed if one <= revision), default=None)
        if newest is None or revision > live_revision(self._database):
            known = ", ".join(map(str, changed)) or "none"
            raise NotFound(f"there is no policy {name} at revision {revision}. Revisions of {name}: {known}.")
        stored = policies.at_revision(name, newest)
        text = write_yaml(dict(stored.document))
        said = note or f"roll back of {name} to revision {newest}"
        return self.activate(text, author=author, note=said, meant=meant)

    def _examine(self, text: str, catalog: Catalog) -> Examination:
        live = catalog.to_bundle()
        with closing(RailRunner(PATIENCE)) as runner:
            found = examine_policy(text, live.policies, self._services, self._sandbox, runner)
            if found.policy is None or found.problems:
                return found
            users = tuple(one for one in live.assistants if one.policy == found.name)
            ahead = replace(live, assistants=users, policies={found.name: parse_yaml(text.encode())})
            if unfit := sorted((*language_problems(users, ahead.policies), *unguarded_quotes(ahead))):
                return replace(found, failure="\n".join(unfit))
            withheld = withheld_texts(ahead, {found.name: found.policy})
            used = tuple(sorted({one.policy for one in live.assistants}))
            return replace(found, users=used, withheld=tuple(sorted(withheld)))


def examine_policy(
    text: str,
    live: Mapping[str, Mapping[str, Any]],
    services: RailServices,
    sandbox: PolicySandbox,
    runner: RailRunner,
) -> Examination:
    """Takes the text of a policy through lint, sandbox, examples and test set, and stops where something is found.

    `live` are the live policies by name; the one of its name is what it is compared with.
    """
    findings = lint_policy(text)
    if has_errors(findings):
        return Examination("", findings)
    try:
        written = parse_yaml(text.encode())
    except InvalidContent as error:
        return Examination("", (Finding(1, 1, "policy.invalid", str(error), "Correct it."),))
    document = load_policy(written)
    before = live.get(document.name)
    changes = changes_between(_loaded(before), document)
    tried = sandbox.try_document(written)
    found = Examination(document.name, findings, changes=changes, document=written, sandbox=tried)
    if found.problems:
        return found
    try:
        policy = compile_policy(document, 0, runner=runner, services=services)
    except RailsError as error:
        return replace(found, failure=str(error))
    live_policy, loaded = _compiled(before, services, runner), _loaded(before)
    taken_out = () if loaded is None else tuple(case for case in loaded.tests if case not in document.tests)
    return replace(
        found,
        policy=policy,
        cases=run_cases(document.tests, policy, live_policy),
        lost=run_cases(taken_out, policy, live_policy),
    )


def _loaded(document: Mapping[str, Any] | None) -> PolicyDocument | None:
    """Returns the live policy; None when there is none that this version still reads."""
    with suppress(RailsError):
        return None if document is None else load_policy(document)
    return None


def _compiled(document: Mapping[str, Any] | None, services: RailServices, runner: RailRunner) -> RailsPolicy | None:
    with suppress(RailsError):
        loaded = _loaded(document)
        return None if loaded is None else compile_policy(loaded, 0, runner=runner, services=services)
    return None
