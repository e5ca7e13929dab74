"""Files as mtcli reads and writes them: decompressed by what they begin with, strict UTF-8, lines ended by `\\n` alone,
outputs written beside their final name and renamed when whole."""

from mtcli.files.compression import compress_file, is_compressed
from mtcli.files.contents import structure_of
from mtcli.files.hashing import Fingerprint, content_hash
from mtcli.files.locks import lock_file, open_locked
from mtcli.files.messages import STDIN, display_name, file_error, missing_file
from mtcli.files.outputs import (
    Output,
    atomic_path,
    check_writable,
    hidden_name,
    is_awaited,
    open_output,
    partial_name,
    refuse_to_overwrite,
    sync,
    write_atomically,
    write_output,
)
from mtcli.files.reading import decode_line, open_binary, raw_lines, read_lines, size_as_read

__all__ = [
    "STDIN",
    "Fingerprint",
    "Output",
    "atomic_path",
    "check_writable",
    "compress_file",
    "content_hash",
    "decode_line",
    "display_name",
    "file_error",
    "hidden_name",
    "is_awaited",
    "is_compressed",
    "lock_file",
    "missing_file",
    "open_binary",
    "open_locked",
    "open_output",
    "partial_name",
    "raw_lines",
    "read_lines",
    "refuse_to_overwrite",
    "size_as_read",
    "structure_of",
    "sync",
    "write_atomically",
    "write_output",
]
