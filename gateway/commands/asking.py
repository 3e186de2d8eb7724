"""`canongate ask`: one message, the whole way, in the terminal."""

import sys
from pathlib import Path

import anyio
import click
import msgspec
from rich.console import Console

from gateway.bootstrap import open_components
from gateway.commands.options import assistant_option, config_option, json_option, settings_from
from gateway.commands.trace import describe, show_reply, show_trace
from gateway.components import Components
from gateway.credentials import Principal
from gateway.limits import Deadline
from gateway.turn import Question, Reply
from store.types import KeyScope

OPERATOR = Principal(
    id="operator",
    name="command line",
    scopes=frozenset(KeyScope),
    assistants=frozenset(),
    requests_per_minute=1_000_000,
)
"""Whoever can run the command can read the database anyway."""


@click.command()
@click.argument("text")
@click.option("--trace", is_flag=True, help="Show candidates, rails, what the model got and what it said.")
@click.option("--slot", "slots", multiple=True, metavar="NAME=VALUE", help="Give a slot value; repeatable.")
@assistant_option
@config_option
@json_option
def ask(text: str, *, trace: bool, slots: tuple[str, ...], assistant: str, config: Path | None, as_json: bool) -> None:
    """Take one message the whole way and show the reply.

    \b
    Examples:
      canongate ask "When does the Leeds office open?"
      canongate ask "How do I reset my password?" --trace
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    given = dict(_pair(slot) for slot in slots)
    with open_components(settings_from(config), progress=_progress) as components:
        reply = anyio.run(_answer, components, text, assistant, given)
    console = Console(highlight=False)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(describe(reply, with_trace=trace))).decode())
        return
    show_reply(console, reply)
    if trace:
        show_trace(console, reply)


async def _answer(components: Components, text: str, assistant: str, slots: dict[str, str]) -> Reply:
    question = Question(
        text=text,
        assistant=assistant,
        principal=OPERATOR,
        deadline=Deadline.after(components.settings.limits.deadline_s),
        slots=slots,
    )
    async with components.on_this_loop():
        return await components.pipeline.answer(question)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise click.BadParameter(f"{text!r}: write NAME=VALUE, such as site=Leeds", param_hint="--slot")
    return name, value


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"… {line}", err=True)
