"""Documents that are zip archives: read with care, written with the members that changed in place of the old ones."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from mtcli.errors import DataError
from mtcli.files import display_name, file_error

_MOST_BYTES = 1 << 30  # of one member
_MOST_IN_ALL = 4 << 30
_MOST_RATIO = 200  # of a member's size to what it takes in the file: pictures of one colour reach a hundred
_SMALL = 1 << 20  # bytes up to which any ratio does no harm
_MOST_MEMBERS = 100_000


class Archive:
    """A document's members, by name.

    Attributes:
        path: the file.
        names: of its members, in order.
    """

    def __init__(self, path: Path, stream: zipfile.ZipFile) -> None:
        """Look at a file's directory.

        Raises:
            DataError: it holds what no document does.
        """
        self.path, self._zip = path, stream
        infos = stream.infolist()
        self.names = [info.filename for info in infos]
        if len(self.names) > _MOST_MEMBERS or len(set(self.names)) < len(self.names):
            raise self._refusal("has members of one name, or too many")
        if any(_is_outside(name) for name in self.names):
            raise self._refusal("has a member that would be written outside of it")
        if any(info.flag_bits & 1 for info in infos):
            raise DataError(f"{display_name(path)} is protected by a password. Save it without.")
        total = sum(info.file_size for info in infos)
        huge = [info for info in infos if info.file_size > max(_SMALL, _MOST_RATIO * info.compress_size)]
        if huge or total > _MOST_IN_ALL or any(info.file_size > _MOST_BYTES for info in infos):
            raise self._refusal("would grow beyond all measure when it is unpacked")

    def _refusal(self, why: str) -> DataError:
        return DataError(f"{display_name(self.path)} {why}: no program writes such documents. It is not read.")

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            DataError: it is damaged.
        """
        try:
            with self._zip.open(name) as member:
                data = member.read(self._zip.getinfo(name).file_size + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError) as error:
            raise DataError(f"{display_name(self.path)} is damaged: {name}: {error}.") from None
        if len(data) > self._zip.getinfo(name).file_size:
            raise self._refusal("has a member that is larger than it says")
        return data

    def write(self, output: BinaryIO, changed: Mapping[str, bytes]) -> None:
        """Write the document with these members in place of its own; where none is given, its own bytes."""
        if not changed:
            with self.path.open("rb") as stream:
                shutil.copyfileobj(stream, output)
            return
        with zipfile.ZipFile(output, "w") as written:
            for info in self._zip.infolist():
                copy = zipfile.ZipInfo(info.filename, info.date_time)
                copy.compress_type = (
                    zipfile.ZIP_STORED if info.compress_type == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
                )
                copy.external_attr, copy.create_system, copy.comment = (
                    info.external_attr,
                    info.create_system,
                    info.comment,
                )
                data = changed.get(info.filename)
                written.writestr(copy, self.read(info.filename) if data is None else data)
            written.comment = self._zip.comment


def _is_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open a document.

    Raises:
        DataError: it is no archive, or a damaged or hostile one.
    """
    try:
        with zipfile.ZipFile(path) as stream:
            yield Archive(path, stream)
    except zipfile.BadZipFile as error:
        raise DataError(f"{display_name(path)} is damaged, or no such document: {error}.") from None
    except OSError as error:
        raise file_error(path, error, "read") from error
