"""What a SentencePiece model's file says: the little that its library does not tell.

The file is a protocol buffer (sentencepiece_model.proto): fields 1 are the pieces (text, score, type), field 2
says how the model was trained, its field 3 by which algorithm.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mtcli.errors import DataError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_UNIGRAM, _BPE = 1, 2


class Kind(IntEnum):
    """What a piece stands for."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True)
class Piece:
    """One entry of a vocabulary.

    Attributes:
        score: unigram: its log-probability; BPE: the higher, the earlier it is merged.
    """

    text: str
    score: float
    kind: Kind


@dataclass(frozen=True)
class Pieces:
    """A vocabulary, its pieces in the order of their ids.

    Attributes:
        is_bpe: whether pieces are merged (BPE); else the most probable ones are taken (unigram).
    """

    pieces: tuple[Piece, ...]
    is_bpe: bool

    @classmethod
    def of(cls, model: bytes) -> "Pieces":
        """Read a serialised model that the library has loaded.

        Raises:
            DataError: it is in another format, or of a model that is neither unigram nor BPE.
        """
        pieces, model_type = [], _UNIGRAM
        try:
            for number, value in fields_of(model):
                if number == 1:
                    pieces.append(_piece(value))
                elif number == 2:
                    model_type = dict(fields_of(value)).get(3, _UNIGRAM)
        except (ValueError, TypeError, LookupError, struct.error) as error:
            raise DataError(
                f"The tokenizer's model is not in the format that data.sampling needs ({error}). "
                "Use --set data.sampling=0, or a model made by spm_train."
            ) from None
        if model_type not in (_UNIGRAM, _BPE):
            raise DataError("data.sampling needs a tokenizer of type unigram or bpe. Use --set data.sampling=0.")
        return cls(tuple(pieces), model_type == _BPE)


def _piece(data: bytes) -> Piece:
    fields = dict(fields_of(data))
    score = struct.unpack("<f", fields[2])[0] if 2 in fields else 0.0
    return Piece(fields[1].decode("utf-8"), score, Kind(fields.get(3, Kind.NORMAL)))


def fields_of(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message: an int, or bytes; of a number of fixed size, its bytes.

    Raises:
        ValueError, IndexError: it is no message.
    """
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire, number = tag & 7, tag >> 3
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == _BYTES:
            size, place = _varint(data, place)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if place + size > len(data):
            raise ValueError("cut short")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number, seven bits a byte, and where the next thing begins."""
    value, shift = 0, 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def message_of(fields: Iterable[tuple[int, int | bytes]]) -> bytes:
    """A message with these fields: integers, and bytes of any length (no numbers of fixed size)."""
    parts = []
    for number, value in fields:
        is_bytes = isinstance(value, bytes)
        parts.append(_as_varint(number << 3 | (_BYTES if is_bytes else _VARINT)))
        parts += [_as_varint(len(value)), value] if isinstance(value, bytes) else [_as_varint(value)]
    return b"".join(parts)


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
