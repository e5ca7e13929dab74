"""Parallel text as the recipes find and leave it: folders of NAME.LANGUAGE(.xz), and what must never be learnt from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mtcli.errors import DataError
from mtcli.files import read_lines, write_atomically

_HELD_OUT = frozenset({"dev", "test"})
_EVERYDAY = "train"  # how folders of everyday sentences, which have no domains, call their training text
_NOT_COMPARED = re.compile(r"[\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"”’'“»)]*\s+")


class Pair(NamedTuple):
    """A line of each language, the one a translation of the other."""

    src: str
    tgt: str


Corpora = dict[str, list[Pair]]


@dataclass(frozen=True)
class Corpus:
    """What the folders hold: training text by domain, and dev and test sets by name."""

    train: Corpora
    held_out: Corpora


def read_folders(folders: Sequence[Path], languages: tuple[str, str]) -> Corpus:
    """Read all NAME.LANGUAGE and NAME.LANGUAGE.xz of the folders that both languages have.

    Names that end with `dev` or `test` are held out; `train` is called `everyday`. Folders of a domain each add to it.

    Raises:
        DataError: a folder holds no such pair of files, or the files of a pair have different numbers of lines.
    """
    found = Corpus({}, {})
    for folder in folders:
        names = [name for name in _names(folder, languages[0]) if _side(folder, name, languages[1]) is not None]
        if not names:
            raise DataError(
                f"{folder} holds no text of both {languages[0]} and {languages[1]}. Expected files such as "
                f"train.{languages[0]}.xz and train.{languages[1]}.xz."
            )
        for name in names:
            is_held_out = name.rpartition(".")[2] in _HELD_OUT
            domain = "everyday" + name.removeprefix(_EVERYDAY) if name == _EVERYDAY else name
            if name in _HELD_OUT:
                domain = f"everyday.{name}"
            part = found.held_out if is_held_out else found.train
            part.setdefault(domain, []).extend(_pairs(folder, name, languages))
    return found


def _names(folder: Path, language: str) -> list[str]:
    ending = re.compile(rf"\.{language}(?:\.xz)?$")
    return sorted({ending.sub("", path.name) for path in folder.iterdir() if ending.search(path.name)})


def _side(folder: Path, name: str, language: str) -> Path | None:
    candidates = [folder / f"{name}.{language}.xz", folder / f"{name}.{language}"]
    return next((path for path in candidates if path.exists()), None)


def _pairs(folder: Path, name: str, languages: tuple[str, str]) -> Iterator[Pair]:
    paths = [path for language in languages if (path := _side(folder, name, language))]
    src, tgt = ([" ".join(line.split()) for line in read_lines(path)] for path in paths)
    if len(src) != len(tgt):
        raise DataError(f"{paths[0]} has {len(src)} lines and {paths[1]} has {len(tgt)}. Expected as many of each.")
    return map(Pair, src, tgt)


def key(text: str) -> str:
    """A line without what does not make it another line: case, punctuation and spaces."""
    return _NOT_COMPARED.sub("", text.casefold())


class HeldOut:
    """The lines of dev and test sets, and what must not be learnt from because it holds one of them."""

    def __init__(self, sets: Mapping[str, Iterable[Pair]]) -> None:
        """Remember all lines of all sets, by their `key`."""
        pairs = [pair for kept in sets.values() for pair in kept]
        self._known = [{key(text) for text in side} | {""} for side in zip(*pairs, strict=True)] or [{""}, {""}]

    def touches(self, pair: Pair) -> bool:
        """Whether a side is blank or a held-out line, or one of several sentences on it is one."""
        return any(
            key(text) in known
            or any((part_key := key(part)) and part_key in known for part in _SENTENCE_END.split(text))
            for text, known in zip(pair, self._known, strict=True)
        )

    def without(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The pairs that may be learnt from."""
        return [pair for pair in pairs if not self.touches(pair)]


def write(directory: Path, name: str, languages: tuple[str, str], pairs: Sequence[Pair]) -> None:
    """Write NAME.LANGUAGE for both languages, line by line.

    Raises:
        DataError: the directory cannot be written.
    """
    for side, language in enumerate(languages):
        write_atomically(directory / f"{name}.{language}", "".join(pair[side] + "\n" for pair in pairs))
