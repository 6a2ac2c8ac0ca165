"""What moves on a person's terminal. In a pipe, and where a daemon runs the pipeline, nothing does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

TERMINAL = Console(stderr=True)
"""One console for all of it: two would draw over each other."""


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar that is gone when the block ends, and the function that moves it: how many are done, of how many. None
    where nobody watches."""
    if not TERMINAL.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=TERMINAL, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
