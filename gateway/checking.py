"""Runs the rails for one message: what they say is kept with its turn; one that broke is a failure and no verdict."""

from gateway.errors import NotServing
from gateway.render import asked_of
from gateway.turn import Turn
from rails.dialog import DialogReply
from rails.types import RailContext, RailsReport, Stage


async def check_words(turn: Turn, words: list[str]) -> str | None:
    """Keeps the checked message and slot values with the turn, or returns the name of the rail that said no."""
    checked = []
    for text in words:
        report = await check(turn, Stage.INPUT, text, context_of(turn))
        if report.stopped_by:
            return report.stopped_by.name
        checked.append(report.text)
    turn.message, *values = checked
    turn.given = dict(zip(turn.question.given, values, strict=True))
    return None


async def check(turn: Turn, stage: Stage, text: str, context: RailContext) -> RailsReport:
    """Runs the rails of a stage. Raises `NotServing` when one broke."""
    report = await run_rails(turn, stage, text, context)
    take_in(turn, report)
    return report


async def run_rails(turn: Turn, stage: Stage, text: str, context: RailContext) -> RailsReport:
    """Runs the rails of a stage and keeps nothing but the time; `take_in` is to follow."""
    with turn.timed(f"{stage.value}_rails"):
        return await turn.policy.check(stage, text, context)


def take_in(turn: Turn, report: RailsReport) -> None:
    """Keeps what the rails said. Raises `NotServing` when one broke."""
    turn.records.extend(report.records)
    _require_whole(has_failed=report.has_failed)


async def converse(turn: Turn) -> DialogReply | None:
    """Returns what the policy's dialog says to a message without a match. Raises `NotServing` when it broke."""
    lane = turn.policy.dialog
    if lane is None or turn.is_unread:
        return None
    with turn.timed("dialog"):
        report = await lane.converse(turn.message, context_of(turn))
    turn.records.append(report.record)
    _require_whole(has_failed=report.has_failed)
    turn.dialog = report.reply
    return report.reply


def context_of(turn: Turn, facts: str = "", *, is_whole: bool = True, language: str | None = None) -> RailContext:
    """Returns what rails may know beside a text.

    An answer is in the language of its prompt; what has no facts is the message itself.
    """
    return RailContext(
        language=language or (turn.prompt.content.language if turn.prompt and facts else turn.language),
        languages=turn.assistant.languages,
        facts=facts,
        slots={value.slot.name: value.text for value in turn.values},
        is_whole=is_whole,
        prompt=asked_of(turn.prompt.content) if turn.prompt else facts,
    )


def _require_whole(*, has_failed: bool) -> None:
    if has_failed:
        raise NotServing("rails_unavailable", "A check could not be completed, so nothing was answered.")
