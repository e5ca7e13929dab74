"""Parallel corpora: pairs in order, errors that name file and line, the held-out part."""

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest

from mtcli.config import DataConfig
from mtcli.data import corpus as corpus_module
from mtcli.data.corpus import ParallelCorpus, SentencePair, hash_files, read_chunks, training_corpora
from mtcli.errors import DataError


def write(path: Path, *lines: str) -> Path:
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


def pipe_stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_line_i_of_one_side_belongs_to_line_i_of_the_other(tmp_path: Path) -> None:
    src, tgt = write(tmp_path / "src", "a", "", "c\u2028d"), write(tmp_path / "tgt", "1", "2", "3")
    corpus = ParallelCorpus(((src, tgt),))
    assert list(corpus) == [SentencePair("a", "1"), SentencePair("", "2"), SentencePair("c\u2028d", "3")]


def test_files_are_read_one_after_the_other_tables_last(tmp_path: Path) -> None:
    files = [write(tmp_path / name, name) for name in ("a", "b", "c", "d")]
    table = write(tmp_path / "table", "e\tf")
    corpus = ParallelCorpus(((files[0], files[1]), (files[2], files[3])), (table,))
    assert [(pair.src, pair.tgt) for pair in corpus] == [("a", "b"), ("c", "d"), ("e", "f")]
    assert corpus.files == [*files, table]
    assert list(hash_files([corpus])) == [str(path) for path in [*files, table]]


def test_sides_may_be_compressed_in_different_ways(tmp_path: Path) -> None:
    (tmp_path / "src.gz").write_bytes(gzip.compress(b"a\nb\n"))
    (tmp_path / "tgt.xz").write_bytes(lzma.compress(b"1\n2\n"))
    (tmp_path / "table.bz2").write_bytes(bz2.compress(b"c\t3\n"))
    corpus = ParallelCorpus(((tmp_path / "src.gz", tmp_path / "tgt.xz"),), (tmp_path / "table.bz2",))
    assert [(pair.src, pair.tgt) for pair in corpus] == [("a", "1"), ("b", "2"), ("c", "3")]


@pytest.mark.parametrize(
    ("src_lines", "tgt_lines", "message"),
    [
        (5, 3, r"src has 5 lines and .*tgt has 3: line 4 has no partner"),
        (3, 5, r"src has 3 lines and .*tgt has 5: line 4 has no partner"),
        (4, 3, r"src has 4 lines and .*tgt has 3: line 4 has no partner"),
        (0, 2, r"src has 0 lines and .*tgt has 2: line 1 has no partner"),
    ],
)
def test_a_mismatch_tells_both_counts_and_the_first_line_alone(
    tmp_path: Path, src_lines: int, tgt_lines: int, message: str
) -> None:
    src = write(tmp_path / "src", *"x" * src_lines)
    tgt = write(tmp_path / "tgt", *"y" * tgt_lines)
    read: list[SentencePair] = []
    with pytest.raises(DataError, match=message):
        read.extend(ParallelCorpus(((src, tgt),)))
    assert len(read) == min(src_lines, tgt_lines)


@pytest.mark.parametrize(("src_lines", "tgt_lines"), [(5, 3), (6, 4), (9, 4), (4, 9)])
def test_a_mismatch_is_told_wherever_the_chunks_end(
    tmp_path: Path, src_lines: int, tgt_lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "_CHUNK", 2)
    src = write(tmp_path / "src", *"x" * src_lines)
    tgt = write(tmp_path / "tgt", *"y" * tgt_lines)
    common = min(src_lines, tgt_lines)
    message = rf"src has {src_lines} lines and .*tgt has {tgt_lines}: line {common + 1} has no partner"
    with pytest.raises(DataError, match=message):
        list(ParallelCorpus(((src, tgt),)))


def test_chunks_tell_where_they_come_from(tmp_path: Path) -> None:
    files = write(tmp_path / "src", *"abcde"), write(tmp_path / "tgt", *"12345")
    chunks = list(read_chunks(files, 2, source=7))
    assert [(chunk.first, len(chunk), chunk.num_bytes, chunk.source) for chunk in chunks] == [
        (1, 2, 8, 7),
        (3, 2, 8, 7),
        (5, 1, 4, 7),
    ]
    assert [chunk.texts() for chunk in chunks] == [(["a", "b"], ["1", "2"]), (["c", "d"], ["3", "4"]), (["e"], ["5"])]


def test_a_carriage_return_ends_no_line(tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(b"a\rb\tc\r\n\td\r\r\n")
    assert list(ParallelCorpus(tables=(tmp_path / "table",))) == [SentencePair("a\rb", "c"), SentencePair("", "d\r")]


def test_a_table_line_without_tab_is_named(tmp_path: Path) -> None:
    table = write(tmp_path / "table", "a\tb", "no tab", "c\td")
    with pytest.raises(DataError, match=rf"{table}:2: no tab on the line"):
        list(ParallelCorpus(tables=(table,)))


def test_further_columns_of_a_table_are_ignored(tmp_path: Path) -> None:
    table = write(tmp_path / "table", "a\tb\tc\td", "\t")
    assert list(ParallelCorpus(tables=(table,))) == [SentencePair("a", "b"), SentencePair("", "")]


def test_a_missing_side_is_named(tmp_path: Path) -> None:
    corpus = ParallelCorpus(((write(tmp_path / "src", "a"), tmp_path / "tgt"),))
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt does not exist"):
        list(corpus)
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt does not exist"):
        hash_files([corpus])


def test_invalid_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    src = write(tmp_path / "src", "a", "b")
    (tmp_path / "tgt").write_bytes(b"1\n\xe9\n")
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt:2: byte 1"):
        list(ParallelCorpus(((src, tmp_path / "tgt"),)))


def test_a_corpus_without_files_is_none() -> None:
    assert not ParallelCorpus()
    assert ParallelCorpus(tables=(Path("a"),))


def test_training_needs_a_corpus(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No training data: give --src F --tgt F.*\[\[data\.corpora\]\]"):
        training_corpora(DataConfig(), tmp_path / "spool")


def test_one_side_cannot_be_stdin(tmp_path: Path) -> None:
    config = DataConfig(src=(Path("-"),), tgt=(tmp_path / "tgt",))
    with pytest.raises(DataError, match="--tsv -"):
        training_corpora(config, tmp_path / "spool")


def test_a_table_on_stdin_is_kept_for_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "cache" / "stdin.tsv"
    config = DataConfig(tsv=(Path("-"),))
    pipe_stdin(monkeypatch, b"a\t1\nb\t2\n")
    (corpus,) = training_corpora(config, spool)
    assert corpus.files == [spool]
    assert list(corpus) == [SentencePair("a", "1"), SentencePair("b", "2")]
    pipe_stdin(monkeypatch, b"")
    assert [list(again) for again in training_corpora(config, spool)] == [list(corpus)]
    pipe_stdin(monkeypatch, b"c\t3\n")
    assert [list(other) for other in training_corpora(config, spool)] == [[SentencePair("c", "3")]]
    assert [path.name for path in spool.parent.iterdir()] == ["stdin.tsv"]


def test_an_empty_stdin_is_an_empty_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_stdin(monkeypatch, b"")
    (corpus,) = training_corpora(DataConfig(tsv=(Path("-"),)), tmp_path / "stdin.tsv")
    assert list(corpus) == []


def test_several_corpora_come_in_order_with_their_weights(tmp_path: Path) -> None:
    src, tgt, tsv = (tmp_path / name for name in ("src", "tgt", "tsv"))
    config = DataConfig.model_validate(
        {
            "src": [src],
            "tgt": [tgt],
            "corpora": [{"tsv": tsv, "weight": 0.5}, {"src": [tgt, tsv], "tgt": [src, src], "tsv": [src, tgt]}],
        }
    )
    assert training_corpora(config, tmp_path / "spool") == [
        ParallelCorpus(((src, tgt),), (), 1.0),
        ParallelCorpus((), (tsv,), 0.5),
        ParallelCorpus(((tgt, src), (tsv, src)), (src, tgt), 1.0),
    ]
    alone = DataConfig.model_validate({"corpora": [{"tsv": tsv, "weight": 2}]})
    assert training_corpora(alone, tmp_path / "spool") == [ParallelCorpus((), (tsv,), 2.0)]


def test_a_side_of_a_further_corpus_cannot_be_stdin_either(tmp_path: Path) -> None:
    config = DataConfig.model_validate({"corpora": [{"src": tmp_path / "src", "tgt": "-"}]})
    with pytest.raises(DataError, match="--tsv -"):
        training_corpora(config, tmp_path / "spool")
