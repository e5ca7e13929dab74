"""API keys: who may ask. Compared in a time that tells nothing of how much of a key was right."""

import hashlib
import hmac
from http import HTTPStatus
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import read_lines
from mtcli.serve.refusals import RefusalError


class ApiKeys:
    """The keys that open the door; without any, it is open."""

    def __init__(self, keys: list[str] | None = None) -> None:
        """Let those with one of these keys in; None lets everybody in."""
        self._digests = None if keys is None else [_digest(key) for key in keys]

    @classmethod
    def read(cls, path: Path | None) -> "ApiKeys":
        """Read a file with a key a line; blank lines and those that begin with # are none.

        Raises:
            DataError: it cannot be read, or holds no key.
        """
        if path is None:
            return cls()
        lines = (line.strip() for line in read_lines(path))
        keys = [line for line in lines if line and not line.startswith("#")]
        if not keys:
            raise DataError(f"{path} holds no API key: expected one a line. Without --api-keys everybody is let in.")
        return cls(keys)

    @property
    def are_needed(self) -> bool:
        return self._digests is not None

    def check(self, key: str | None) -> None:
        """Let the holder of a key in.

        Raises:
            RefusalError: it is none of ours, or there is none.
        """
        if self._digests is None:
            return
        if not key:
            raise RefusalError(HTTPStatus.FORBIDDEN, "An API key is required: ask whoever runs this server for one")
        given = _digest(key)
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]  # all of them, whichever fits
        if not any(matches):
            raise RefusalError(HTTPStatus.FORBIDDEN, "Invalid API key")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
