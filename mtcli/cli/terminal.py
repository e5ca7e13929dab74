"""How `mtcli translate` tells of its job: sentences on stderr, and a bar where that is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mtcli.cli.streams import say
from mtcli.files import STDIN
from mtcli.jobs.run import Files
from mtcli.jobs.tally import Tally


class Terminal:
    """Tell on stderr how a job goes (`mtcli.jobs.run.Reporter`)."""

    def __init__(self, quiet: bool) -> None:
        """With `quiet`, tell nothing but what must not go unread."""
        self._quiet = quiet

    def say(self, sentence: str) -> None:
        say(sentence, self._quiet)

    def warn(self, sentence: str) -> None:
        say(sentence)

    @contextmanager
    def progress(self, job: Files, tally: Tally) -> Iterator[None]:
        """Show a bar while the block runs, where it disturbs nobody."""
        if self._quiet or not sys.stderr.isatty() or _is_conversation(job):
            yield
            return
        from mtcli.cli.progress import progress_bar, size_of_inputs

        if tally.total_bytes is None:
            tally.total_bytes = size_of_inputs(job.inputs)
        with progress_bar(tally):
            yield


def _is_conversation(job: Files) -> bool:
    """Whether lines are typed or translations shown on the terminal: a bar would run through them."""
    typed = STDIN in job.inputs and sys.stdin is not None and sys.stdin.isatty()
    return typed or (sys.stdout.isatty() and any(output in (None, STDIN) for output in job.outputs))
