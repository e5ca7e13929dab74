"""What all formats of text share: found by their names, told where a library lacks, fit for large files."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.documents import read, saved, translate

from mtcli.errors import DataError, UsageError
from mtcli.formats.documents import registry, srt
from mtcli.formats.documents.model import Content, ReadOptions

OPTIONS = ReadOptions(source_language="en", target_language="de")
SENTENCE = "The quick brown fox number {n} jumps over the lazy dog and runs away from it."
XCODE_END = '    "z" : {}\n  }\n}\n'
# By format: what a file begins with, what it repeats, what it ends with.
LARGE = {
    "po": ("", f'#: a.c:{{n}}\nmsgid "{SENTENCE}"\nmsgstr ""\n\n', ""),
    "srt": ("", f"{{n}}\n00:00:01,000 --> 00:00:02,000\n{SENTENCE}\nAnd a second line.\n\n", ""),
    "vtt": ("WEBVTT\n\n", f"00:01.000 --> 00:02.000\n{SENTENCE}\nAnd a second line.\n\n", ""),
    "markdown": ("", f"# Title {{n}}\n\n{SENTENCE}\nIt is **bold** and [linked](http://x.org/{{n}}), `code`.\n\n", ""),
    "json": ("{\n", f'  "key{{n}}": "{SENTENCE}",\n', '  "end": "end it"\n}\n'),
    "arb": ("{\n", f'  "key{{n}}": "{SENTENCE}",\n  "@key{{n}}": {{{{}}}},\n', '  "end": "end it"\n}\n'),
    "yaml": ("en:\n", f"  key{{n}}: {SENTENCE}\n", ""),
    "properties": ("", f"key{{n}}={SENTENCE}\n", ""),
    "strings": ("", f'/* c */\n"key{{n}}" = "{SENTENCE}";\n', ""),
    "xcstrings": (
        '{\n  "sourceLanguage" : "en",\n  "strings" : {\n',
        f'    "{SENTENCE}" : {{{{\n\n    }}}},\n',
        '    "z" : {}\n  }\n}\n',
    ),
    "csv-table": ("key,source,target\n", f'{{n}},"{SENTENCE}",\n', ""),
    "tsv-table": ("key\tsource\ttarget\n", f"{{n}}\t{SENTENCE}\t\n", ""),
    "paragraphs": (
        "",
        f"{SENTENCE}\nAnd that is what it does on each of the days of the years, I am told, and\nmore.\n\n",
        "",
    ),
}


def large(kind: str, num_bytes: int) -> str:
    """A file of a format that is about as large as said."""
    begin, unit, end = LARGE[kind]
    units = (unit.format(n=n) for n in range(num_bytes // len(unit)))
    return begin + "".join(units) + end


@pytest.mark.parametrize("kind", LARGE)
def test_a_file_of_some_size(kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x", large(kind, 60_000))
    form = registry.by_name(kind)
    segments = read(form, path, OPTIONS)
    assert len(segments) >= 300
    shouted: Callable[[Content], Content] = lambda content: tuple(  # noqa: E731
        piece.upper() if isinstance(piece, str) else piece for piece in content
    )
    again = read(form, saved(tmp_path, "y", translate(form, path, shouted, OPTIONS)), OPTIONS)
    assert len(again) == len(segments)


# The most that a process held in memory is asked of Linux: `resource` counts in what its parent held when it forked.
MEASURE = r"""
import re, sys
from pathlib import Path
from mtcli.formats.documents import registry
from mtcli.formats.documents.model import Filled, ReadOptions

class Sink:
    def write(self, data): pass

form, path = registry.by_name(sys.argv[1]), Path(sys.argv[2])
options = ReadOptions(source_language="en", target_language="de")
filled = (Filled(one.id, ("x y z",) * one.translate or None) for one in form.read(path, options))
form.write(path, filled, Sink(), options)
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("kind", LARGE)
def test_a_file_of_20_megabytes_takes_some_memory(kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x", large(kind, 20_000_000))
    command = [sys.executable, "-c", MEASURE, kind, str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    # Markdown's parser holds all blocks of a document; the others hold its text and their changes.
    assert int(finished.stdout) < (3000 if kind == "markdown" else 600), f"{finished.stdout} MiB"


def test_formats_are_found_by_their_suffixes() -> None:
    suffixes = (".po", ".POT", ".srt", ".vtt", ".md", ".json", ".arb", ".yml", ".properties", ".strings", ".xcstrings")
    assert [registry.name_for(Path(f"x{suffix}")) for suffix in suffixes] == [
        *("po", "po", "srt", "vtt", "markdown", "json", "arb", "yaml", "properties", "strings", "xcstrings")
    ]
    for suffix in (".tsv", ".csv", ".txt", ".jsonl", ""):  # which are lines
        assert registry.name_for(Path(f"x{suffix}")) is None


@pytest.mark.parametrize("kind", LARGE)
def test_a_format_has_the_name_it_is_found_by(kind: str) -> None:
    form = registry.by_name(kind)
    assert form.name == kind and form.title


@pytest.mark.parametrize(
    ("kind", "module", "files"),
    [("yaml", "yaml", "YAML files"), ("markdown", "markdown_it", "Markdown files"), ("markdown", "yaml", "YAML files")],
)
def test_a_library_that_is_not_installed_is_told(kind: str, module: str, files: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from mtcli.errors import BackendUnavailableError\nfrom mtcli.formats.documents import registry\n"
        f"try: registry.by_name({kind!r})\nexcept BackendUnavailableError as error: print(error)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.startswith(f"{files} need the package ")
    assert finished.stdout.endswith(": pip install 'mtcli-nmt[documents]'.\n")


def test_an_encoding_that_is_given_is_read_and_written(tmp_path: Path) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nÀ bientôt mon ami\n"
    path = saved(tmp_path, "x.srt", content.encode("cp1252"))
    with pytest.raises(DataError, match=r"x.srt:3: .*WINDOWS-1252"):
        read(srt.FORMAT, path)
    options = ReadOptions(encoding="cp1252")
    assert translate(srt.FORMAT, path, options=options).decode("cp1252").endswith("AMI MON BIENTÔT À\n")
    with pytest.raises(UsageError, match="no encoding klingon"):
        read(srt.FORMAT, path, ReadOptions(encoding="klingon"))
    for name in ("base64", "utf-16"):
        with pytest.raises((DataError, UsageError)):
            read(srt.FORMAT, path, ReadOptions(encoding=name))
