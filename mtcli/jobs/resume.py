"""Outputs that survive any kill: the same command goes on where the last one was killed, and writes the same bytes.

Every output is written to a partial file. About once a second a thread of its own puts what is there on the
disk and then notes in the journal how far that is: the translation never waits for the disk. A run that finds
the journal of the same job cuts the partial files back to what was noted and goes on from there.
"""

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from mtcli.errors import MtcliError
from mtcli.files import STDIN, Fingerprint, Output, content_hash, file_error, is_awaited, refuse_to_overwrite
from mtcli.jobs.identity import difference
from mtcli.jobs.partial import Finishing, Partial, partial_of, remove_partials
from mtcli.jobs.state import Commit, JobState, chain_of, chained

_PERIOD = 1.0  # seconds between two commits
_Say = Callable[[str], None]


def can_resume(inputs: Sequence[Path], outputs: Sequence[Path | None]) -> bool:
    """Tell whether a job can go on after a kill: all that it reads and writes are plain files."""
    return all(_is_plain(path) and path.is_file() for path in inputs) and all(map(_is_plain, outputs))


def _is_plain(path: Path | None) -> bool:
    if path is None or path == STDIN or is_awaited(path):
        return False
    return not path.absolute().is_relative_to("/dev")  # /dev/stdin may be a file, which can be read once


@contextmanager
def resumable(
    outputs: Sequence[Path], key: Callable[[], Mapping[str, str]], *, force: bool, verify: int = 0, say: _Say
) -> Iterator["Resumable"]:
    """Lock the outputs of a job against other processes, and find what an earlier run left of them.

    Nothing of it is touched before `Resumable.committing`.

    Args:
        outputs: all of them, in the order in which they will appear; their directories exist.
        key: makes what identifies the job; called once the outputs are locked.
        force: begin anew, and overwrite what is there.
        verify: lines that are to be compared; a job done with fewer is not done.
        say: tells the user something.

    Raises:
        DataError: an output exists that is not of this job, or another process is writing them.
    """
    targets = [path.resolve() for path in outputs]
    journal = JobState(targets[0])
    if not journal.path.exists():
        _refuse_existing(outputs, force)
    with journal:
        found = _find(journal, key(), targets, force=force, verify=verify)
        _refuse_existing(outputs[found.state.place :], force or found.state.forced)
        yield Resumable(dict(zip(outputs, targets, strict=True)), journal, found, force, say)


def _refuse_existing(paths: Sequence[Path], force: bool) -> None:
    for path in paths:
        refuse_to_overwrite(path, force)


@dataclass(frozen=True)
class _Found:
    """Where a run begins.

    Attributes:
        state: an earlier run's, or a fresh one.
        reason: why an earlier run's work is of no use, where that should be said.
        fingerprints: of the partial files to go on with, by their target's index.
    """

    state: Commit
    reason: str = ""
    fingerprints: Mapping[int, Fingerprint] = field(default_factory=dict)


def _find(journal: JobState, key: Mapping[str, str], targets: list[Path], *, force: bool, verify: int) -> _Found:
    fresh = Commit(key=key, forced=force)
    if force:
        return _Found(fresh)
    try:
        state = journal.read()
    except ValueError as error:
        return _Found(fresh, f"{journal.path} is damaged ({error})")
    if state is None:
        return _Found(fresh)
    if state.key != key:
        idle = state.done or not state.lines
        return _Found(fresh, "" if idle else f"{difference(state.key, key)} changed since the earlier run")
    state = _with_appeared(state, targets)
    if chain_of(targets[: state.place]) != state.finished:
        return _Found(fresh, "" if state.done else "an output that the earlier run had finished is not there as it was")
    if state.done:
        return _Found(state if state.verified >= verify else fresh)
    fingerprints = {int(index): Fingerprint(partial_of(targets[int(index)])) for index in state.partials}
    for index, (length, digest) in state.partials.items():
        partial = partial_of(targets[int(index)])
        try:
            fits = fingerprints[int(index)].up_to(length) == digest
        except OSError as error:
            raise file_error(partial, error, "read") from error
        if not fits:
            return _Found(fresh, f"{partial} is not as the earlier run left it")
    return _Found(state, fingerprints=fingerprints)


def _with_appeared(state: Commit, targets: list[Path]) -> Commit:
    """The state, with the target that was about to appear if it did."""
    if not state.whole or not targets[state.place].is_file() or content_hash(targets[state.place]) != state.whole:
        return state
    return _without_first(state, state.whole)


def _without_first(state: Commit, digest: str) -> Commit:
    """The state after the first unfinished target has appeared with bytes of this hash."""
    partials = {index: partial for index, partial in state.partials.items() if index != str(state.place)}
    finished = chained(state.finished, digest)
    return replace(state, place=state.place + 1, unended=False, finished=finished, whole="", partials=partials)


class Extent(NamedTuple):
    """Say how far a run has written, at a moment at which it may end: up to the end of a line.

    Attributes:
        lines, unended, counts: as in `Commit`.
        lengths: bytes of each target being written, by its index.
    """

    lines: int
    unended: bool
    counts: Mapping[str, float]
    lengths: Mapping[int, int]


class Resumable:
    """Write the outputs of a job so that a later run can go on with them.

    Attributes:
        earlier: what earlier runs of this job have done.
    """

    def __init__(self, targets: Mapping[Path, Path], journal: JobState, found: _Found, force: bool, say: _Say) -> None:
        """Begin where `found` says; `targets` maps the outputs' names to their places."""
        self.earlier = self._state = found.state
        self._reason, self._left = found.reason, dict(found.fingerprints)
        self._places, self._index = list(targets.values()), {name: index for index, name in enumerate(targets)}
        self._names, self._journal, self._force, self._say = list(targets), journal, force, say
        lengths = {int(index): length for index, (length, _) in found.state.partials.items()}
        self._point = self._committed = Extent(found.state.lines, found.state.unended, found.state.counts, lengths)
        self._open: dict[int, Partial] = {}
        self._begun: set[int] = set()
        self._useless = False
        self._lock, self._stopped = threading.RLock(), threading.Event()
        self._error: MtcliError | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether an earlier run has done the whole job."""
        return self.earlier.done

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Commit about once a second while the block runs; when it fails, keep what the next run can go on with.

        Raises:
            DataError: the journal cannot be written.
        """
        self._begin()
        thread = threading.Thread(target=self._commit_periodically, daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            self._stop(thread)
            self._leave()
            raise
        self._stop(thread)

    def _begin(self) -> None:
        if self._reason:
            self._say(f"Starting over: {self._reason}.")
        elif self.earlier.lines:
            self._say(f"Going on after line {self.earlier.lines:,} of an earlier run.")
        if self.earlier.place:
            remove_partials(self._places[self.earlier.place - 1])  # a kill may have come just before

    def _stop(self, thread: threading.Thread) -> None:
        self._stopped.set()
        thread.join()

    @contextmanager
    def open(self, path: Path | None, finishing: Finishing | None = None) -> Iterator[Output]:
        """Open one of the outputs, to go on with it where it was left; it appears when the block ends well.

        With `finishing`, what appears is what that makes of all that was written.

        An output that has appeared already opens as well; nothing is to be written to it.

        Raises:
            DataError: the file cannot be written, or another process is writing it.
        """
        assert path is not None
        index = self._index[path]
        if index < self._state.place:
            yield Output(io.BytesIO(), str(path), awaited=False)
            return
        length = self._point.lengths.get(index, 0)
        partial = Partial(self._places[index], str(path), length, self._left.pop(index, None), finishing)
        self._open[index] = partial
        self._begun.add(index)
        try:
            yield partial
        except BaseException:
            with self._lock, suppress(MtcliError):  # another error is on its way
                partial.close()
            raise
        self._publish(index, partial)

    def is_open(self, path: Path | None) -> bool:
        """Tell whether an output is being written; one that has appeared in an earlier run is not."""
        return path is not None and self._index[path] in self._open

    def write(self, path: Path, data: bytes) -> None:
        """Write one of the outputs, the next to appear, at once.

        Raises:
            DataError: the file cannot be written.
        """
        index = self._index[path]
        self._left.pop(index, None)
        self._point = self._point._replace(lengths=_without(self._point.lengths, index))
        with self.open(path) as output:
            output.write(data)
            self.reached(self._point.lines, self._point.unended, self._point.counts)

    def reached(self, lines: int, unended: bool, counts: Mapping[str, float]) -> None:
        """Note a moment at which this run may end: `lines` lines are in the outputs, and nothing more.

        Raises:
            DataError: the journal could not be written.
        """
        if self._error is not None:
            raise self._error
        self._point = Extent(lines, unended, counts, {index: part.length for index, part in self._open.items()})

    def give_up(self) -> None:
        """Have nothing kept when the block fails: another run of the same job would fail as well."""
        self._useless = True

    def finish(self, verified: int = 0) -> None:
        """Note that the job is done, so that the same command again does nothing.

        Args:
            verified: lines that were asked to be compared.

        Raises:
            DataError: the journal cannot be written.
        """
        with self._lock:
            assert self._state.place == len(self._places), "an output has not appeared"
            self._write_journal(replace(self._state, done=True, verified=verified))
            self._committed = self._point

    def _commit_periodically(self) -> None:
        try:
            while not self._stopped.wait(_PERIOD):
                self._commit()
        except MtcliError as error:
            self._error = error  # raised again in the translating thread

    def _commit(self) -> None:
        with self._lock:
            if self._point is not self._committed:
                self._commit_point()

    def _commit_point(self, whole: str = "") -> None:
        """Put what was written up to the last point on the disk, then say so in the journal."""
        point = self._point
        partials = {str(index): (length, self._hash(index, length)) for index, length in point.lengths.items()}
        state = replace(self._state, lines=point.lines, unended=point.unended, counts=point.counts)
        self._write_journal(replace(state, partials=partials, whole=whole))
        self._committed = point

    def _hash(self, index: int, length: int) -> str:
        partial = self._open[index]
        if partial.is_open:
            partial.sync()
        digest = partial.hash_up_to(length)
        if digest is None:
            raise MtcliError(f"{partial_of(partial.target)} was changed while it was being written. Run again.")
        return digest

    def _write_journal(self, state: Commit) -> None:
        try:
            self._journal.write(state)
        except OSError as error:
            raise file_error(self._names[0], error, "write") from error
        self._state = state

    def _publish(self, index: int, partial: Partial) -> None:
        """Let a whole output appear, after the journal has told that it will."""
        with self._lock:
            if self._useless:
                partial.finish()
                partial.appear()
                del self._open[index]
                return
            if self._point.lengths.get(index, 0) != partial.length:
                partial.close()  # an error came before its last point: a later run ends it
                return
            digest = partial.finish()
            self._commit_point(whole=digest)
            partial.appear()
            del self._open[index]
            self._state = _without_first(self._state, digest)
            self._point = self._point._replace(unended=False, lengths=_without(self._point.lengths, index))

    def _leave(self) -> None:
        """Keep what a later run can go on with, or nothing if there is nothing or it would be of no use."""
        if self._useless or not (self._point.lines or self._state.place or self._state.whole):
            for index in self._begun:
                remove_partials(self._places[index])
            self._journal.remove()
            return
        with suppress(MtcliError):  # what was committed before is still there
            self._commit()
        how = "The same command without --force" if self._force else "The same command"
        self._say(f"{self._state.lines:,} lines are kept. {how} goes on after them.")


def _without(lengths: Mapping[int, int], index: int) -> dict[int, int]:
    return {other: length for other, length in lengths.items() if other != index}
