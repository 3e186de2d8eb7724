"""Compiled policies: runs the rails of one stage inside an envelope that never fails open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rails.definition import NO_SERVICES, OnFail, Probe, Probes, RailDefinition, RailServices, rail_name
from rails.dialog import DialogLane, compile_dialog
from rails.errors import PolicyInvalid, ProbeFailed
from rails.nemo import CompiledCheck, compile_stage
from rails.policy import DEFAULT_REFUSAL, PolicyDocument, Streaming
from rails.refusals import refusal_language
from rails.registry import SHIPPED_RAILS
from rails.runner import SHARED_RUNNER, RailRunner
from rails.types import RailContext, RailRecord, RailsReport, RailStatus, Stage
from rails.watching import run_stage, run_stage_blocking


@dataclass(frozen=True, slots=True)
class RailsPolicy:
    """A compiled policy: immutable, shared by all requests, swapped as a whole.

    `compile_policy` is the way to one.
    """

    name: str
    revision: int
    """The published state that this policy belongs to; recorded with every decision."""
    _checks: Mapping[Stage, tuple[CompiledCheck, ...]]
    _refusals: Mapping[str, Mapping[str, str]]
    _runner: RailRunner
    _streaming: Streaming = Streaming.WHOLE_ANSWER
    dialog: DialogLane | None = None
    """Replies to greetings and the like, where the policy has them."""

    def __post_init__(self) -> None:
        if any(not self._checks.get(stage) for stage in Stage):
            raise ValueError("a policy without a rail at each stage would let everything pass. This is a bug.")

    def rails(self, stage: Stage) -> tuple[str, ...]:
        """Returns the names of the rails of `stage`, in the order in which they run."""
        return tuple(compiled.name for compiled in self._checks[stage])

    @property
    def streaming(self) -> Streaming:
        """How an answer may reach a person who waits for it."""
        return self._streaming

    def asks_again(self, stage: Stage, rail: str) -> bool:
        """Whether a person whose text `rail` stopped is asked for other words instead of refused."""
        return any(check.name == rail and check.on_fail is OnFail.CLARIFY for check in self._checks[stage])

    async def check(self, stage: Stage, text: str, context: RailContext) -> RailsReport:
        """Returns the verdict of `stage` on `text`; never raises for what a rail does.

        The first rail that blocks or fails stops the stage, and the rest are `not_run`; those that only watch run
        behind the others, beside their thread. Cancelling the caller stops the work.
        """
        return await run_stage(self._runner, self._checks[stage], text, context)

    def check_blocking(self, stage: Stage, text: str, context: RailContext) -> RailsReport:
        """Returns the same verdict, holding the calling thread: for work outside an event loop."""
        return run_stage_blocking(self._runner, self._checks[stage], text, context)

    def not_run(self, stage: Stage) -> tuple[RailRecord, ...]:
        """Returns what is recorded of the rails of `stage` when something before them stopped the text."""
        return tuple(
            RailRecord(check.name, stage, RailStatus.NOT_RUN, None, 0.0, check.is_monitored)
            for check in self._checks[stage]
        )

    def refusal(self, language: str, rail: str, *, default: str) -> str:
        """Returns what a person of `language` reads when `rail` stopped the text.

        Falls back to `default`, the assistant's first language, then to the policy's first language (which nothing
        that was activated comes to); and from the rail's own text to the default one.
        """
        tag = refusal_language(language, default, self._refusals)
        texts = self._refusals[tag if tag is not None else next(iter(self._refusals))]
        return texts.get(rail, texts[DEFAULT_REFUSAL])

    def refusals(self) -> Iterator[tuple[str, str, str]]:
        """Gives every text of a refusal after its language and its rail, or `default`."""
        yield from ((tag, rail, text) for tag, texts in self._refusals.items() for rail, text in texts.items())


def compile_policy(
    document: PolicyDocument,
    revision: int,
    *,
    definitions: Mapping[str, RailDefinition] = SHIPPED_RAILS,
    runner: RailRunner = SHARED_RUNNER,
    services: RailServices = NO_SERVICES,
    tries: RailRunner | None = None,
) -> RailsPolicy:
    """Returns `document`, ready to run, after every rail has blocked and passed its own probes.

    The runner carries the deadlines; `services` is what rails may call of other rooms. `tries` runs the probes in its
    place, with more time: nobody waits for them, and a busy machine is no fault of a policy. Blocks its thread for
    some milliseconds, longer with an index to make: call it in a worker thread when an event loop is running. Raises
    `PolicyInvalid` or `ProbeFailed`.
    """
    checks: dict[Stage, tuple[CompiledCheck, ...]] = {}
    for stage, entries in ((Stage.INPUT, document.input), (Stage.OUTPUT, document.output)):
        if not entries:
            raise PolicyInvalid(f"{stage.value}: a policy needs at least one rail here.")
        rails = [(_definition(rail_name(params), stage, definitions), params) for params in entries]
        checks[stage] = compile_stage(rails, stage, services)
        for compiled, (definition, params) in zip(checks[stage], rails, strict=True):
            try_probes(compiled, definition.probes(params), tries or runner)
    if not document.refusals or any(DEFAULT_REFUSAL not in texts for texts in document.refusals.values()):
        raise PolicyInvalid(f"refusals: every language needs a `{DEFAULT_REFUSAL}` text, and one language is needed.")
    refusals = MappingProxyType({tag: MappingProxyType(dict(texts)) for tag, texts in document.refusals.items()})
    dialog = compile_dialog(document.dialog, runner, services, tries) if document.dialog else None
    return RailsPolicy(document.name, revision, MappingProxyType(checks), refusals, runner, document.streaming, dialog)


def _definition(name: str, stage: Stage, definitions: Mapping[str, RailDefinition]) -> RailDefinition:
    definition = definitions.get(name)
    if definition is None:
        raise PolicyInvalid(f"{stage.value}: there is no rail {name!r}. Remove it, or install what brings it.")
    if stage not in definition.stages:
        raise PolicyInvalid(f"{stage.value}: the rail {name!r} cannot run here.")
    return definition


_DID = MappingProxyType(
    {
        RailStatus.BLOCKED: "stopped an example that it must let pass",
        RailStatus.MODIFIED: "changed an example that it must let pass",
        RailStatus.NOT_RUN: "did not run",
    }
)


def try_probes(compiled: CompiledCheck, probes: Probes, runner: RailRunner) -> None:
    """Raises `ProbeFailed` unless the rail stops every text that it must stop, and lets the others pass."""
    for probe in probes.must_block:
        _try(compiled, probe, RailStatus.BLOCKED, runner)
    for probe in probes.must_pass:
        _try(compiled, probe, RailStatus.PASSED, runner)


def _try(compiled: CompiledCheck, probe: Probe, wanted: RailStatus, runner: RailRunner) -> None:
    (record,) = runner.run_blocking((compiled,), probe.text, probe.context).records
    stopped = (RailStatus.BLOCKED, RailStatus.MODIFIED) if compiled.may_rewrite else (RailStatus.BLOCKED,)
    if record.status not in (stopped if wanted is RailStatus.BLOCKED else (RailStatus.PASSED,)):
        why = f" ({record.reason})" if record.reason else ""
        if record.status is RailStatus.ERROR:
            raise ProbeFailed(
                f"{compiled.stage.value}: the rail {compiled.name!r} could not finish a probe of its own{why}: it "
                f"broke, or took longer than it may. If it asks a model, that one is away, or too slow on this machine."
            )
        did = "let pass an example that it must stop" if wanted is RailStatus.BLOCKED else _DID[record.status]
        raise ProbeFailed(
            f"{compiled.stage.value}: the rail {compiled.name!r}, with the parameters that it has here, {did}{why}. "
            "Correct its parameters; with none set, this is a bug."
        )
