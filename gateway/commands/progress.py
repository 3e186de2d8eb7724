"""Shows how far long work is."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar

from gateway.fitting.process import Progress


@contextmanager
def shown_progress(console: Console) -> Iterator[Progress]:
    """Shows a bar for the phase that runs; where nobody watches, a line for each."""
    if not console.is_terminal:
        seen: set[str] = set()

        def say(phase: str, _done: int, _total: int) -> None:
            if phase not in seen:
                seen.add(phase)
                console.print(escape(phase), highlight=False)

        yield say
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(phase: str, done: int, total: int) -> None:
            bar.update(task, description=escape(phase), completed=done, total=total)

        yield show
