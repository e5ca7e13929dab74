"""Which formats of documents there are, and which suffix means which. A format's module is imported when it is used."""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtcli.errors import UsageError
from mtcli.formats.documents.model import DocumentFormat


@dataclass(frozen=True)
class Registered:
    """Say where a format is: `FORMAT` of a module of this package.

    Attributes:
        module: its name in this package.
        suffixes: of files of this format, in lower case; a file of a suffix that two formats have is of the first.
        begins: what the beginning of its files holds, where others have the suffix too.
    """

    module: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes] | None = None

    def has(self, path: Path) -> bool:
        """Tell whether a file is of this format, by its suffix, and by its beginning where that says more."""
        if path.suffix.lower() not in self.suffixes:
            return False
        if self.begins is None:
            return True
        try:
            with path.open("rb") as stream:
                return bool(self.begins.search(stream.read(_HEAD)))
        except OSError:
            return False


_HEAD = 4096


FORMATS: Mapping[str, Registered] = {
    "po": Registered("po", (".po", ".pot")),
    "srt": Registered("srt", (".srt",)),
    "vtt": Registered("vtt", (".vtt",)),
    "markdown": Registered("markdown", (".md", ".markdown")),
    "json": Registered("json_format", (".json",)),
    "arb": Registered("arb", (".arb",)),
    "yaml": Registered("yaml_format", (".yaml", ".yml")),
    "properties": Registered("properties", (".properties",)),
    "strings": Registered("strings", (".strings",)),
    "xcstrings": Registered("xcstrings", (".xcstrings",)),
    "html": Registered("html", (".html", ".htm", ".xhtml")),
    "xliff": Registered("xliff", (".xlf", ".xliff", ".sdlxliff", ".mxliff", ".mqxliff")),
    "tmx": Registered("tmx", (".tmx",)),
    "android": Registered("android", (".xml",), re.compile(rb"<resources\b")),
    "qt": Registered("qt", (".ts",), re.compile(rb"<TS\b")),
    "stringsdict": Registered("stringsdict", (".stringsdict",)),
    "odf": Registered("odf", (".odt", ".odp", ".ods")),
    "epub": Registered("epub", (".epub",)),
    "docx": Registered("docx", (".docx", ".docm")),
    "pptx": Registered("pptx", (".pptx", ".pptm")),
    "xlsx": Registered("xlsx", (".xlsx", ".xlsm")),
    "csv-table": Registered("csv_table", ()),  # no suffix: lines of .csv and .tsv files are translated one by one
    "tsv-table": Registered("tsv_table", ()),
    "paragraphs": Registered("paragraphs", ()),
}
"""By name."""


def by_name(name: str) -> DocumentFormat:
    """Return a format.

    Raises:
        UsageError: there is none of this name; lists those there are.
    """
    if name not in FORMATS:
        raise UsageError(f"--input-format {name}: expected one of {', '.join(sorted(FORMATS))}.")
    module = importlib.import_module(f"{__package__}.{FORMATS[name].module}")
    form: DocumentFormat = module.FORMAT
    return form


def name_for(path: Path) -> str | None:
    """Name the format of a file, by its suffix, of some also by what is in it; None where it is no document."""
    return next((name for name, one in FORMATS.items() if one.has(path)), None)


def format_for(path: Path, name: str | None = None) -> DocumentFormat:
    """Return the format of a file: the one named, else by its suffix.

    Raises:
        UsageError: there is none of this name or suffix.
    """
    if found := name or name_for(path):
        return by_name(found)
    raise UsageError(f"{path}: no document by its suffix. Say what it is: --input-format {'|'.join(sorted(FORMATS))}.")


def are_documents(paths: Sequence[Path], name: str | None) -> bool:
    """Tell whether inputs are documents: by the name of their format, or by their suffixes where none is given.

    Raises:
        UsageError: some are, and some are not.
    """
    if name is not None:
        return name in FORMATS
    kinds = {name_for(path) is not None for path in paths}
    if len(kinds) > 1:
        odd = next(path for path in paths if name_for(path) is None)
        raise UsageError(f"{odd} is read as lines, and other inputs are documents. Translate them apart.")
    return kinds.pop()
