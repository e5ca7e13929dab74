"""Object files of the kernels: what they are called, where they lie, and whether one fits the sources at hand.

An object file is a linkable one with a trailer: the key of what it was made of, then a checksum of all before. The
trailer tells a file of other sources, or a damaged one, from one that can be run. Nothing here imports numba or LLVM.
"""

import contextlib
import hashlib
import os
import sys
from functools import cache
from pathlib import Path

from mtcli_native.targets import Target

SOURCES = Path(__file__).parent
BUILT_IN = SOURCES / "objects"
_NOT_COMPILED = {"load.py", "objects.py", "processor.py", "__init__.py"}
_HEX = 64  # characters of a SHA-256
_MOST_KEPT = 24


class DamagedObjectError(Exception):
    """An object file that is not what was written."""


@cache
def key() -> str:
    """SHA-256 of all sources that object code follows from."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        if path.name not in _NOT_COMPILED:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def format_here() -> str:
    """The object format of this system."""
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")


def file_name(target: Target, system: str) -> str:
    """Of the object for a target and a system."""
    return f"{target.name}-{system}.o"


def cache_folder() -> Path:
    """Where what is compiled on the spot is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "mtcli" / "kernels"


def cached(target: Target, folder: Path | None = None) -> Path:
    """The cached object of a target, made of these sources, for this system."""
    return (folder or cache_folder()) / f"{key()[:16]}-{file_name(target, format_here())}"


def write(path: Path, code: bytes) -> None:
    """Write an object file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    import tempfile  # a process that finds what it needs never writes

    body = code + key().encode()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".o")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body + hashlib.sha256(body).hexdigest().encode())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def is_current(path: Path) -> bool:
    """Tell whether a file was made of these sources; its checksum is not looked at."""
    try:
        with path.open("rb") as file:
            file.seek(-2 * _HEX, os.SEEK_END)
            return file.read(_HEX) == key().encode()
    except OSError:  # there is none, or it is too short
        return False


def read(path: Path) -> bytes:
    """Read object code.

    Raises:
        OSError: it cannot be read.
        DamagedObjectError: the checksum is not that of what was written.
    """
    content = path.read_bytes()
    if hashlib.sha256(content[:-_HEX]).hexdigest().encode() != content[-_HEX:]:
        raise DamagedObjectError(
            f"{path} is damaged: its checksum does not fit. "
            "Install mtcli again, or remove the file if it is in a cache."
        )
    return content[: -2 * _HEX]


def prune(folder: Path) -> None:
    """Remove the oldest cached objects beyond a number."""
    with contextlib.suppress(OSError):
        paths = sorted(folder.glob("*.o"), key=lambda path: path.stat().st_mtime)
        for path in paths[:-_MOST_KEPT]:
            path.unlink()
