"""The contract of lines: what goes in comes out, line for line, whatever the lines hold and however they arrive."""

import io
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.hostile import is_lines, line_text, line_text_with_tabs
from support.pipes import job_for, pipe_through, run_job, stub_text, stub_translate
from support.tiny import untrained_model

from mtcli.decoding.lines import is_blank
from mtcli.decoding.translator import Translator
from mtcli.errors import DataError, MtcliError
from mtcli.files import STDIN
from mtcli.formats.reader import Reader
from mtcli.formats.writers import Writer
from mtcli.jobs.job import FileJob
from mtcli.jobs.pipeline import Translate, run
from mtcli.jobs.tally import Tally
from mtcli.translation import Candidate, Translation

lines_of = st.lists(line_text, max_size=8)
newline = st.sampled_from(["\n", "\r\n"])
final = st.sampled_from(["", "\n", "\r\n", "\r"])


@st.composite
def inputs(draw: st.DrawFn) -> bytes:
    """Lines of hostile text, ended by either kind of newline, the last one perhaps by none."""
    lines = draw(lines_of)
    endings = [draw(newline) for _ in lines[1:]] + [draw(final)] * bool(lines)
    data = "".join(line + ending for line, ending in zip(lines, endings, strict=True)).encode()
    assume(is_lines(data))
    return data


@st.composite
def chunked(draw: st.DrawFn) -> list[bytes]:
    """An input in the pieces that a pipe might hand over, cut inside characters too."""
    data = draw(inputs())
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def expected_text(data: bytes) -> bytes:
    """The contract in five lines: every line's text replaced, everything around it kept."""
    *lines, rest = data.split(b"\n")
    parts = [(line, b"\n") for line in lines] + ([(rest, b"")] if rest else [])
    out = b""
    for line, end in parts:
        text = line.removesuffix(b"\r")
        out += stub_text(text.decode()).encode() + line[len(text) :] + end
    return out


@settings(max_examples=1500)
@given(chunked())
def test_every_line_is_replaced_and_nothing_else(chunks: list[bytes]) -> None:
    out, reader = pipe_through(*chunks)
    data = b"".join(chunks)
    assert out == expected_text(data)
    assert out.count(b"\n") == data.count(b"\n")
    assert reader.lines == data.count(b"\n") + bool(data and not data.endswith(b"\n"))


@settings(max_examples=400)
@given(inputs())
def test_all_formats_tell_the_same_story(data: bytes) -> None:
    text, tsv, moses, jsonl = (
        pipe_through(data, output_format=form)[0].decode() for form in ("text", "tsv", "moses", "jsonl")
    )
    records = [json.loads(line) for line in jsonl.splitlines()]  # even by readers that see more ends than there are
    assert [record["id"] for record in records] == list(range(len(records)))
    assert [line.removesuffix("\r") for line in text.split("\n")[: len(records)]] == [
        record["translation"] for record in records
    ]
    assert [record["source"] for record in records] == [
        line.removesuffix("\r") for line in data.decode().split("\n")[: len(records)]
    ]
    rows = [line.split("\t") for line in tsv.split("\n")[:-1]]
    listed = [
        (record["id"], rank, candidate["score"], candidate["text"])
        for record in records
        for rank, candidate in enumerate(record["n_best"])
    ]
    assert [(int(row[0]), int(row[1]), float(row[2]), row[3]) for row in rows] == listed
    assert all(len(row) == 4 for row in rows)
    fields = [line.split(" ||| ") for line in moses.split("\n")[:-1]]
    assert all(len(row) == 4 for row in fields)
    assert [(int(row[0]), float(row[3]), row[1].replace("&#124;", "|")) for row in fields] == [
        (index, score, candidate.replace("&#124;", "|")) for index, _, score, candidate in listed
    ]


@pytest.mark.usefixtures("one_thread")
@settings(max_examples=60)
@given(inputs())
def test_a_real_network_keeps_the_contract_in_every_format(data: bytes) -> None:
    model = untrained_model()
    text, tsv, jsonl = (
        pipe_through(data, output_format=form, translate=Translator(model).translate)[0].decode()
        for form in ("text", "tsv", "jsonl")
    )
    sources = [line.removesuffix("\r") for line in data.decode().split("\n")]
    sources = sources if data and not data.endswith(b"\n") else sources[:-1]
    records = [json.loads(line) for line in jsonl.split("\n")[:-1]]
    assert [record["source"] for record in records] == sources
    translations = [record["translation"] for record in records]
    assert [line.removesuffix("\r") for line in text.split("\n")[: len(records)]] == translations
    assert [line.split("\t")[3] for line in tsv.split("\n")[:-1]] == translations
    assert [is_blank(line) for line in translations] == [is_blank(line) for line in sources]
    assert text.count("\n") == data.count(b"\n")


@settings(max_examples=400)
@given(st.lists(line_text_with_tabs, max_size=6), st.sampled_from(["text", "tsv", "jsonl", "moses"]))
def test_other_columns_pass_through(lines: list[str], output_format: str) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    assume(is_lines(data))
    out = pipe_through(data, input_format="tsv", output_format=output_format)[0].decode()
    rows = [line.removesuffix("\r").split("\t") for line in lines]
    if output_format == "text":
        endings = ["\r\n" if line.endswith("\r") else "\n" for line in lines]
        assert out == "".join(
            "\t".join([stub_text(row[0]), *row[1:]]) + ending for row, ending in zip(rows, endings, strict=True)
        )
    elif output_format == "tsv":
        written = [line.split("\t") for line in out.split("\n")[:-1]]
        assert [row[4:] for row in written if row[1] == "0"] == [row[1:] for row in rows]
        assert all(row[4:] == rows[int(row[0])][1:] for row in written)
    elif output_format == "jsonl":
        records = [json.loads(line) for line in out.split("\n")[:-1]]
        assert [[record["source"], *record["columns"]] for record in records] == rows
    else:
        assert {int(line.split(" ||| ")[0]) for line in out.split("\n")[:-1]} == set(range(len(rows)))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), line_text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)
names = st.one_of(st.sampled_from(["id", "score", "source", "n_best", "input", "meta"]), st.text(max_size=5))
objects = st.builds(
    lambda fields, text: {**fields, "text": text},
    st.dictionaries(names.filter(lambda name: name != "text"), json_values, max_size=4),
    st.one_of(line_text, st.just("two\nlines\tand a tab")),
)
OURS = {"id", "source", "translation", "score", "n_best", "columns", "input"}


@settings(max_examples=500)
@given(st.lists(objects, max_size=5), st.booleans())
def test_other_fields_pass_through(values: list[dict[str, Any]], ascii_only: bool) -> None:
    data = "".join(json.dumps(value, ensure_ascii=ascii_only) + "\n" for value in values).encode()
    out = pipe_through(data, input_format="jsonl", output_format="jsonl")[0]
    records = [json.loads(line) for line in out.split(b"\n")[:-1]]
    assert [record["source"] for record in records] == [value["text"] for value in values]
    assert [record["translation"] for record in records] == [stub_text(value["text"]) for value in values]
    for number, (record, value) in enumerate(zip(records, values, strict=True)):
        kept = {name: field for name, field in record.items() if name not in OURS} | record.get("input", {})
        assert kept == {name: field for name, field in value.items() if name != "text"}
        assert record["id"] == number
    text = pipe_through(data, input_format="jsonl")[0].decode()
    assert text == "".join(stub_text(value["text"]) + "\n" for value in values)


@settings(max_examples=500)
@given(st.lists(st.one_of(st.binary(max_size=6), line_text.map(str.encode)), max_size=6))
def test_bytes_that_are_no_text_are_named_or_replaced(pieces: list[bytes]) -> None:
    data = b"".join(piece.replace(b"\n", b" ") + b"\n" for piece in pieces)
    assume(is_lines(data))
    bad = [number for number, line in enumerate(data.split(b"\n"), start=1) if not _is_utf8(line)]
    out, reader = pipe_through(data, on_bad_utf8="replace")
    assert out.count(b"\n") == len(pieces)
    assert reader.replaced == len(bad)
    if bad:
        with pytest.raises(DataError, match=rf"^<stdin>:{bad[0]}: byte \d+ .*--on-bad-utf8 replace"):
            pipe_through(data)
    else:
        assert pipe_through(data)[0] == out


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("line", "gist"),
    [
        ("{", "not valid JSON"),
        ("[1]", "list"),
        ('"text"', "str"),
        ("{}", "without a string `text`"),
        ('{"text": 3}', "without a string `text`"),
        ('{"text": "a", "x": NaN}', "NaN is no JSON number"),
        ('{"text": "a", "x": 1e999}', "out of range"),
        ("[" * 100_000, "not valid JSON"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
    ],
)
def test_json_that_does_not_fit_is_named(line: str, gist: str) -> None:
    with pytest.raises(DataError, match=r"^<stdin>:2: ") as caught:
        pipe_through(f'{{"text": "fine"}}\n{line}\n'.encode(), input_format="jsonl", output_format="jsonl")
    assert gist in str(caught.value)


def test_odd_json_passes() -> None:
    lines = ['\ufeff{"text": "a"}', "", '{"text": "b", "half": "\\udc00"}', '{"text": "c\\ud800"}']
    data = "".join(line + "\n" for line in lines).encode()
    out, reader = pipe_through(data, input_format="jsonl", output_format="jsonl", on_bad_utf8="replace")
    records = [json.loads(line) for line in out.decode().splitlines()]
    assert [record["source"] for record in records] == ["a", "", "b", "c\ufffd"]
    assert records[2]["half"] == "\udc00"
    assert reader.replaced == 1


def test_a_missing_newline_between_files_is_supplied(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    for path, content in zip(files, [b"one", b"", b"two\r\nthree\r"], strict=True):
        path.write_bytes(content)
    run_job(job_for(files, [tmp_path / "out"]))
    assert (tmp_path / "out").read_bytes() == b"<one>\n<two>\r\n<three>\r"
    run_job(job_for(files, [tmp_path / "out.tsv"], output_format="tsv"))
    first = [line.split("\t") for line in (tmp_path / "out.tsv").read_text().splitlines() if "\t0\t" in line]
    assert [row[0] for row in first] == ["0", "1", "2"]


def test_each_input_may_have_its_output(tmp_path: Path) -> None:
    contents = {"a": b"one\ntwo\n", "b": b"", "c": b"three", "d": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "out").mkdir()
    run_job(job_for([tmp_path / name for name in contents], [tmp_path / "out" / name for name in contents]))
    assert {name: (tmp_path / "out" / name).read_bytes() for name in contents} == {
        "a": b"<one>\n<two>\n",
        "b": b"",
        "c": b"<three>",
        "d": b"",
    }


def test_what_was_whole_before_an_error_stays(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"one\n")
    (tmp_path / "bad").write_bytes(b"two\n\xff\n")
    (tmp_path / "out").mkdir()
    names = ["good", "bad", "good"]
    with pytest.raises(DataError, match="bad:2"):
        run_job(job_for([tmp_path / name for name in names], [tmp_path / "out" / f"{i}" for i in range(3)]))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"0": b"<one>\n"}


@pytest.mark.parametrize("change", [lambda found: found[:-1], lambda found: [*found, found[-1]]])
def test_a_translator_that_miscounts_leaves_nothing(tmp_path: Path, change: Any) -> None:
    (tmp_path / "in").write_bytes(b"one\ntwo\n")

    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        return iter(change(list(stub_translate(lines))))

    with pytest.raises(MtcliError, match=r"2 lines were read and [13] translated"):
        run_job(job_for([tmp_path / "in"], [tmp_path / "out"]), translate)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def read_ahead(lines: Iterable[str]) -> Iterator[Translation]:
    """As a translator does that reads in a thread of its own: all there is, before the first translation."""
    ahead: list[str] = []
    reader = threading.Thread(target=lambda: ahead.extend(lines))
    reader.start()
    reader.join()
    yield from stub_translate(ahead)


def test_records_wait_for_a_translator_that_reads_ahead() -> None:
    lines = [f"line {number}\tcolumn {number}" for number in range(3000)]
    data = "".join(f"{line}\n" for line in lines).encode()
    ahead, at_once = (pipe_through(data, input_format="tsv", translate=how)[0] for how in (read_ahead, stub_translate))
    assert ahead == at_once
    assert at_once.startswith(b"<line 0>\tcolumn 0\n<line 1>\tcolumn 1\n")


def test_each_translation_is_written_before_the_next_line_is_read() -> None:
    out: list[bytes] = []

    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        for number, line in enumerate(lines):
            assert len(out) == number
            yield from stub_translate([line])

    class Awaited(io.BytesIO):
        def write(self, data: Any) -> int:
            out.append(bytes(data))
            return len(data)

    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\nc\n"))),
        mock.patch.object(sys, "stdout", mock.Mock(buffer=Awaited(), fileno=mock.Mock(side_effect=OSError))),
    ):
        run_job(job_for([STDIN], [None]), translate)
    assert out == [b"<a>\n", b"<b>\n", b"<c>\n"]


def test_a_translator_is_stopped_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_bytes(b"one\ntwo\n")
    stopped = []

    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        try:
            yield from stub_translate(list(lines))
        finally:
            stopped.append(True)

    def fail(*_: object) -> None:
        raise DataError("full")

    monkeypatch.setattr(Writer, "write", fail)
    try:
        run_job(job_for([tmp_path / "in"], [tmp_path / "out"]), translate)
    except DataError as error:  # holds on to the generator by its traceback
        assert str(error) == "full"
        assert stopped == [True]


def links_of(lines: Sequence[bytes], translate: Translate, tmp_path: Path) -> list[int]:
    """How many lines were aligned together, each time."""
    (tmp_path / "in").write_bytes(b"".join(lines))
    sizes: list[int] = []

    def align(translations: Sequence[Translation]) -> list[str]:
        sizes.append(len(translations))
        return [translation.text for translation in translations]

    job = FileJob(inputs=[tmp_path / "in"], outputs=[tmp_path / "out"], alignments=tmp_path / "links")
    run(job, Reader(job.inputs), translate, align, Tally())
    assert (tmp_path / "links").read_bytes() == (tmp_path / "out").read_bytes()
    return sizes


def test_alignments_are_computed_together_unless_nothing_else_is_to_do(tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(600)]
    assert links_of(lines, read_ahead, tmp_path) == [256, 256, 88]
    assert links_of(lines[:3], stub_translate, tmp_path) == [1, 1, 1]


def test_lines_keep_their_order_over_many_windows(tmp_path: Path) -> None:
    lines = [f"line {number}" if number % 7 else " " for number in range(10_000)]
    out, _ = pipe_through("\n".join(lines).encode())
    assert out.decode().split("\n") == ["" if is_blank(line) else f"<{line}>" for line in lines]


def test_bars_in_a_translation_do_not_end_its_field() -> None:
    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        return (Translation(line, (Candidate("a ||| b |||| c", -1.0, -1.0, 1),)) for line in lines)

    out = pipe_through(b"x\n", output_format="moses", translate=translate)[0].decode()
    assert out.split(" ||| ")[1] == "a &#124;&#124;&#124; b &#124;&#124;&#124;| c"
