"""How a reply and its trace look in the terminal and as JSON."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.turn import Reply
from models.ports import PartKind, PromptPart

_OUTCOME_STYLE = {
    "answered": "green",
    "degraded": "yellow",
    "clarify": "cyan",
    "no_match": "cyan",
    "blocked_input": "red",
    "blocked_output": "red",
}
_PART_STYLE = {PartKind.APPROVED: "", PartKind.SLOT: "black on cyan", PartKind.QUOTED: "black on yellow"}


def describe(reply: Reply, *, with_trace: bool) -> dict[str, object]:
    """Returns the reply as plain data; with its trace where the caller may see it."""
    decision, turn = reply.decision, reply.turn
    described: dict[str, object] = {
        "id": decision.id,
        "outcome": decision.outcome.value,
        "source": decision.source,
        "text": reply.text,
        "prompt": {"id": turn.prompt.key, "version": turn.prompt.number, "title": turn.prompt.content.title}
        if turn.prompt
        else None,
        "slots": dict(decision.slots),
        "suggestions": [{"id": prompt.key, "title": prompt.content.title} for prompt in reply.choices],
        "asks_for": decision.needs_slot,
    }
    if with_trace:
        described["trace"] = {
            "message": turn.message,
            "candidates": [
                {
                    "prompt": c.prompt.key,
                    "score": round(c.score, 4),
                    "phrasing": c.phrasing,
                    "similarity": round(c.similarity, 4),
                    "counter_similarity": None if c.counter_similarity is None else round(c.counter_similarity, 4),
                }
                for c in (turn.evidence.candidates if turn.evidence else ())
            ],
            "gate": decision.gate,
            "difference": turn.evidence.difference if turn.evidence else None,
            "method": decision.method,
            "rails": list(decision.rails),
            "sent": None
            if turn.sent is None
            else {"instructions": _parts(turn.sent.instructions), "question": _parts(turn.sent.question)},
            "sent_sha256": decision.sent_sha256,
            "model_said": turn.completion.text if turn.completion else None,
            "model_error": turn.model_error,
            "cached_from": decision.cached_from,
            "model_adapter": decision.model_adapter,
            "prompt_tokens": decision.prompt_tokens,
            "completion_tokens": decision.completion_tokens,
            "timings_ms": dict(decision.timings_ms),
        }
    return described


def show_reply(console: Console, reply: Reply) -> None:
    """Prints the outcome, the text and where it comes from."""
    outcome = reply.decision.outcome.value
    console.print(Text(f"● {outcome}", style=_OUTCOME_STYLE[outcome]), Text(f"({reply.decision.source})", style="dim"))
    console.print()
    console.print(Padding(Text(reply.text), (0, 2)))
    console.print()
    if contact := reply.contact:
        details = (contact.name, contact.phone, contact.email, contact.url, contact.hours)
        console.print(Padding(Text(" · ".join(detail for detail in details if detail), style="bold"), (0, 2)))
    for number, prompt in enumerate(reply.choices, start=1):
        console.print(f"  {number}. {escape(prompt.content.title)}  [dim]{prompt.key}[/dim]")
    if based_on := reply.turn.prompt:
        named = f"Based on: {based_on.content.title} ({based_on.key}, version {based_on.number})"
        console.print(Text(named, style="dim"))


def show_trace(console: Console, reply: Reply) -> None:
    """Prints how the reply came about: rails, candidates, the model's input and words, times."""
    turn = reply.turn
    rails = Table("rail", "stage", "verdict", "reason", "ms", title="Rails", title_justify="left", box=None)
    for record in turn.records:
        verdict = f"{record.status} (only watched)" if record.is_monitored else record.status
        rails.add_row(record.name, record.stage, verdict, record.reason or "", f"{record.duration_ms:.2f}")
    console.print(rails)
    columns = ("prompt", "score", "near", "against", "phrasing")
    candidates = Table(*columns, title="Candidates", title_justify="left", box=None)
    for one in turn.evidence.candidates if turn.evidence else ():
        against = "" if one.counter_similarity is None else f"{one.counter_similarity:.3f}"
        near = f"{one.similarity:.3f}"
        candidates.add_row(one.prompt.key, f"{one.score:.3f}", near, against, escape(one.phrasing))
    console.print(candidates)
    limits = turn.state.matcher.scopes[turn.assistant.name].limits
    difference = f" ({turn.evidence.difference})" if turn.evidence and turn.evidence.difference else ""
    gate = f"gate {reply.decision.gate}{difference}; answers {limits.answers_from}, margin {limits.margin:.3g}, "
    gate += f"suggest {limits.suggest:.3g}, floor {limits.floor:.3g}"
    console.print(Text(gate, style="dim"))
    if turn.sent:
        console.print("\n[bold]Sent to the model[/bold] [dim](slot values are marked)[/dim]")
        console.print(Padding(_marked((*turn.sent.instructions, PromptPart("\n\n", PartKind.APPROVED))), (0, 2)))
        console.print(Padding(_marked(turn.sent.question), (0, 2)))
    if turn.completion:
        console.print("\n[bold]The model said[/bold]")
        console.print(Padding(Text(turn.completion.text), (0, 2)))
    if turn.kept:
        kept = f"The model said this at {turn.kept.at:%Y-%m-%d %H:%M:%S} UTC, in decision {turn.kept.decision}."
        console.print(Text(f"\n{kept}", style="dim"))
    if turn.model_error:
        console.print(f"\n[yellow]The model did not answer: {turn.model_error}[/yellow]")
    times = ", ".join(f"{name} {value:.1f}" for name, value in reply.decision.timings_ms.items())
    console.print(Text(f"\nms: {times}", style="dim"))


def _marked(parts: tuple[PromptPart, ...]) -> Text:
    return Text.assemble(*((part.text, _PART_STYLE[part.kind]) for part in parts))


def _parts(parts: tuple[PromptPart, ...]) -> list[dict[str, str]]:
    return [{"kind": part.kind.value, "text": part.text} for part in parts]
