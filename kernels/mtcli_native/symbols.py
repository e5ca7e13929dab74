"""Names that an object file needs from elsewhere, read from its table of symbols."""

import struct
from collections.abc import Iterator

_MACHO_64, _MACHO_SYMTAB, _MACHO_TYPE = 0xFEEDFACF, 2, 0x0E
_ELF_SYMTAB = 2


def undefined(code: bytes) -> set[str]:
    """Names of symbols that an object (ELF or Mach-O, 64 bits, little-endian) does not define."""
    if code[:4] == b"\x7fELF":
        return set(_of_elf(code))
    if struct.unpack_from("<I", code)[0] == _MACHO_64:
        return set(_of_macho(code))
    raise ValueError("expected an object in ELF or Mach-O format")


def _text(code: bytes, at: int) -> str:
    return code[at : code.index(b"\0", at)].decode()


def _of_elf(code: bytes) -> Iterator[str]:
    (sections_at,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    sections = [struct.unpack_from("<IIQQQQII", code, sections_at + size * i) for i in range(count)]
    for _, kind, _, _, offset, length, link, _ in sections:
        if kind == _ELF_SYMTAB:
            for at in range(offset, offset + length, 24):
                name, _, _, section = struct.unpack_from("<IBBH", code, at)
                if name and section == 0:
                    yield _text(code, sections[link][4] + name)


def _of_macho(code: bytes) -> Iterator[str]:
    (num_commands,) = struct.unpack_from("<I", code, 16)
    at = 32
    for _ in range(num_commands):
        command, size = struct.unpack_from("<II", code, at)
        if command == _MACHO_SYMTAB:
            offset, count, names, _ = struct.unpack_from("<IIII", code, at + 8)
            for i in range(count):
                name, kind, _, _, value = struct.unpack_from("<IBBHQ", code, offset + 16 * i)
                if kind & _MACHO_TYPE == 0 and value == 0:  # a value here is the size of a common symbol
                    yield _text(code, names + name).removeprefix("_")
        at += size
