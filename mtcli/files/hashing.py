"""Hashes of what files hold."""

import hashlib
from pathlib import Path

from mtcli.files.messages import file_error

_CHUNK = 1 << 20


def content_hash(path: Path) -> str:
    """BLAKE2b-128 of the bytes on disk, in hexadecimal.

    Raises:
        DataError: the file is missing or unreadable.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise file_error(path, error, "read") from error
    return digest.hexdigest()


class Fingerprint:
    """`content_hash` of the first bytes of a file that grows; no byte is read twice."""

    def __init__(self, path: Path) -> None:
        self._path, self._digest, self._length = path, hashlib.blake2b(digest_size=16), 0

    def up_to(self, length: int) -> str | None:
        """Of the first `length` bytes, at least as many as at the last call; None where the file has fewer.

        Raises:
            OSError: the file cannot be read.
        """
        if length > self._length:
            try:
                stream = self._path.open("rb")
            except FileNotFoundError:
                return None
            with stream:
                stream.seek(self._length)
                while chunk := stream.read(min(_CHUNK, length - self._length)):
                    self._digest.update(chunk)
                    self._length += len(chunk)
        return self._digest.hexdigest() if self._length == length else None
