"""Files sent to be translated: kept in a directory of our own under names of our own, and fetched by a random id.

Nothing that a client says becomes a path. What is unfinished when the server ends is gone: its id is unknown then.
"""

import asyncio
import logging
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from mtcli.decoding.options import TranslateOptions
from mtcli.decoding.translator import Translator
from mtcli.documents.asking import Link
from mtcli.documents.segments import Keeping
from mtcli.documents.translate import DocumentOptions, ModelLines, keeping_of
from mtcli.documents.units import Protection
from mtcli.errors import MtcliError
from mtcli.files import open_locked
from mtcli.formats.documents.model import ReadOptions
from mtcli.jobs.pipeline import Translate
from mtcli.jobs.tally import Tally
from mtcli.serve.file_kinds import FILE_KINDS, FileKind, FileWork
from mtcli.serve.languages import written
from mtcli.serve.refusals import RefusalError, bad_request, draining, not_found, too_busy, too_large
from mtcli.serve.service import TranslationService
from mtcli.serve.settings import Limits
from mtcli.translation import Translation

_log = logging.getLogger(__name__)
_PREFIX = "mtcli-serve-"
_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 80
_BLOCK = 1 << 20
_MOST_KEPT = 100  # files that wait to be fetched
_WAIT = 10  # seconds that who comes with one file too many is told to stay away


@dataclass
class FileTranslation:
    """A file on its way.

    Attributes:
        id: random; whoever knows it may fetch the file.
        name: what the translation is called when it is fetched.
        state: `translating`, `done` or `failed`.
        failure: why it failed, for the client.
        until: when it is forgotten, by the monotonic clock.
    """

    id: str
    name: str
    until: float
    state: str = "translating"
    failure: RefusalError | None = None
    tally: Tally = field(default_factory=Tally)
    stopped: threading.Event = field(default_factory=threading.Event)
    task: "asyncio.Task[None] | None" = None

    @property
    def share(self) -> float:
        """How much is translated, 0 to 1."""
        return 1.0 if self.state == "done" else self.tally.share_done or 0.0


class FileTranslations:
    """The files of all clients. For one event loop."""

    def __init__(
        self,
        service: TranslationService,
        options: TranslateOptions,
        limits: Limits,
        kinds: Mapping[str, FileKind] = FILE_KINDS,
    ) -> None:
        """Translate files of these kinds; `open` before the first."""
        self._service, self._options, self._limits, self._kinds = service, options, limits, kinds
        self._known: dict[str, FileTranslation] = {}
        self._directory: Path | None = None
        self._lock: BinaryIO | None = None

    @property
    def suffixes(self) -> list[str]:
        """Of the files that can be translated."""
        return sorted(self._kinds)

    def open(self) -> None:
        """Make the directory, and remove those that killed servers left."""
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_left(left)
        self._directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = open_locked(self._directory / "lock")

    def close(self) -> None:
        """Stop all work and remove all files."""
        for one in self._known.values():
            one.stopped.set()
        if self._lock is not None:
            self._lock.close()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    async def begin(self, name: str, content: BinaryIO, source: str, target: str) -> FileTranslation:
        """Take a file and begin to translate it.

        Args:
            name: as its sender calls it.
            content: read to its end.
            source, target: languages as the client writes them; no `auto`.

        Raises:
            RefusalError: it is of no kind that is known, too large, one too many, or there is no way between the
                languages.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in self._kinds:
            raise bad_request(f"Invalid request: file format not supported; supported are {', '.join(self.suffixes)}")
        self.forget_old()
        if sum(one.state == "translating" for one in self._known.values()) >= self._limits.files:
            raise too_busy(_WAIT)
        self._service.route(source, target)
        identity = secrets.token_urlsafe(24)
        called = f"{_safe(Path(name).stem)}_{_safe(target)}{suffix}"
        one = FileTranslation(identity, called, time.monotonic() + 60 * self._limits.file_minutes)
        path = self._path(identity, f"in{suffix}")
        self._known[identity] = one
        one.task = asyncio.create_task(self._run(one, path, content, source, target, name))
        return one

    def find(self, identity: str) -> FileTranslation:
        """The file of that id.

        Raises:
            RefusalError: there is none, or none any more.
        """
        self.forget_old()
        if (one := self._known.get(identity)) is None:
            raise not_found("There is no such file: it has expired, or the server was started anew. Send it again.")
        return one

    def path_of(self, one: FileTranslation) -> Path:
        """Where the translation of a file that is done lies."""
        return self._path(one.id, f"out{Path(one.name).suffix}")

    def stop(self, one: FileTranslation) -> None:
        """Give a file up: nobody wants it any more."""
        one.stopped.set()

    def forget_old(self) -> None:
        """Remove files whose time is over, and the oldest ones where there are very many."""
        now = time.monotonic()
        over = [one for one in self._known.values() if one.until < now]
        done = [one for one in self._known.values() if one.state != "translating" and one not in over]
        for one in [*over, *done[: max(0, len(done) - _MOST_KEPT)]]:
            one.stopped.set()
            del self._known[one.id]
            self.path_of(one).unlink(missing_ok=True)

    def _path(self, identity: str, name: str) -> Path:
        assert self._directory is not None, "opened with the server"
        return self._directory / f"{identity}.{name}"

    async def _run(
        self, one: FileTranslation, path: Path, content: BinaryIO, source: str, target: str, name: str
    ) -> None:
        try:
            with self._service.admission.admit(0):
                size = await asyncio.to_thread(_save, content, path, self._limits.file_bytes)
                one.tally = Tally(total_bytes=size)
                await self._translate(one, path, source, target)
            one.state = "done"
        except RefusalError as refusal:
            one.failure = refusal
        except MtcliError as error:
            sentence = str(error).replace(str(path), name).replace(path.name, name)
            one.failure = bad_request(f"Invalid request: {sentence}")
        except Exception as error:  # noqa: BLE001 (told to whoever asks how it goes)
            _log.error("A file failed: %s", type(error).__name__)
            one.failure = RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, "A bug in mtcli: see its log.")
        finally:
            if one.state == "translating":
                one.state, one.failure = "failed", one.failure or draining()
            path.unlink(missing_ok=True)

    async def _translate(self, one: FileTranslation, path: Path, source: str, target: str) -> None:
        route = self._service.route(source, target)
        out = self.path_of(one)
        if route is None:
            await asyncio.to_thread(shutil.copyfile, path, out)
            return
        async with AsyncExitStack() as stack:
            translators = [await stack.enter_async_context(model.use()) for model in route.models]
            languages = (route.models[0].direction[0], route.models[-1].direction[1])
            kind = self._kinds[path.suffix]
            work = asyncio.to_thread(_work, kind, path, out, one, translators, self._options, languages)
            try:
                await asyncio.shield(work)
            finally:
                one.stopped.set()


def _work(
    kind: FileKind,
    path: Path,
    out: Path,
    one: FileTranslation,
    translators: Sequence[Translator],
    options: TranslateOptions,
    languages: tuple[str, str],
) -> None:
    """Translate a file, with one model or with several, one after the other."""
    source, target = map(written, languages)
    keeping, links = Keeping(Protection()), _no_links
    if len(translators) == 1:  # words of a chain's translations are linked to those of the text between
        keeping = keeping_of(translators[0], options, DocumentOptions(), source)
        links = ModelLines(translators[0], options).links
    lines = _along(translators, options, one.stopped)
    kind(
        path,
        out,
        FileWork(lines, links, keeping, ReadOptions(source_language=source, target_language=target), one.tally),
    )


def _no_links(translations: Sequence[Translation]) -> Sequence[Sequence[Link]]:
    return [() for _ in translations]


def _along(translators: Sequence[Translator], options: TranslateOptions, stopped: threading.Event) -> Translate:
    """What translates lines with one model after the other, until somebody stops it."""

    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        sources: deque[str] = deque()
        found = _chained(translators, _noted(lines, sources), options)
        for one in found:
            if stopped.is_set():
                raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "The translation of the file was stopped.")
            yield replace(one, source=sources.popleft())

    return translate


def _noted(lines: Iterable[str], sources: "deque[str]") -> Iterator[str]:
    """Lines as they come; the last model's translations are of others, where there are several."""
    for line in lines:
        sources.append(line)
        yield line


def _chained(
    translators: Sequence[Translator], lines: Iterable[str], options: TranslateOptions
) -> Iterator[Translation]:
    *before, last = translators
    for translator in before:
        lines = (one.text for one in translator.translate(iter(lines), options))
    return iter(last.translate(iter(lines), options))


def _save(content: BinaryIO, path: Path, most: int) -> int:
    """Write a file's content; its size in bytes."""
    size = 0
    with path.open("xb") as stream:
        while block := content.read(_BLOCK):
            size += len(block)
            if size > most:
                raise too_large("file", most)
            stream.write(block)
    return size


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text)[:_LONGEST_NAME].strip(".") or "file"


def _remove_if_left(directory: Path) -> None:
    """Remove the directory of a server that is no more: nobody holds its lock."""
    lock = directory / "lock"
    try:
        if not lock.exists() or (held := open_locked(lock)) is None:
            return
        held.close()
    except OSError:  # another user's
        return
    shutil.rmtree(directory, ignore_errors=True)
