"""Parallel corpora: pairs in order, errors that name file and line, the held-out part."""

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest
from support.sentences import sentences

from mtcli.config import DataConfig
from mtcli.data.corpus import (
    HeldOut,
    ParallelCorpus,
    SentencePair,
    held_out_size,
    read_all,
    training_corpus,
)
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
    assert corpus.count() == 3


def test_files_are_read_one_after_the_other_tables_last(tmp_path: Path) -> None:
    files = [write(tmp_path / name, name) for name in ("a", "b", "c", "d")]
    table = write(tmp_path / "table", "e\tf")
    corpus = ParallelCorpus(((files[0], files[1]), (files[2], files[3])), (table,))
    assert [(pair.src, pair.tgt) for pair in corpus] == [("a", "b"), ("c", "d"), ("e", "f")]
    assert corpus.files == [*files, table]
    assert list(corpus.hashes()) == [str(path) for path in [*files, table]]


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
    with pytest.raises(DataError, match=message):
        ParallelCorpus(((src, tgt),)).count()


def test_a_table_line_without_tab_is_named(tmp_path: Path) -> None:
    table = write(tmp_path / "table", "a\tb", "no tab", "c\td")
    with pytest.raises(DataError, match=rf"{table}:2: no tab on the line"):
        list(ParallelCorpus(tables=(table,)))


def test_further_columns_of_a_table_are_ignored(tmp_path: Path) -> None:
    table = write(tmp_path / "table", "a\tb\tc\td", "\t")
    assert list(ParallelCorpus(tables=(table,))) == [SentencePair("a", "b"), SentencePair("", "")]


def test_an_empty_corpus_names_its_files(tmp_path: Path) -> None:
    src, tgt = write(tmp_path / "src"), write(tmp_path / "tgt")
    with pytest.raises(DataError, match=rf"{src} and {tgt}: the corpus is empty"):
        ParallelCorpus(((src, tgt),)).count()


def test_a_missing_side_is_named(tmp_path: Path) -> None:
    corpus = ParallelCorpus(((write(tmp_path / "src", "a"), tmp_path / "tgt"),))
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt does not exist"):
        corpus.count()
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt does not exist"):
        corpus.hashes()


def test_invalid_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    src = write(tmp_path / "src", "a", "b")
    (tmp_path / "tgt").write_bytes(b"1\n\xe9\n")
    with pytest.raises(DataError, match=rf"{tmp_path}/tgt:2: byte 1"):
        list(ParallelCorpus(((src, tmp_path / "tgt"),)))


def test_a_corpus_without_files_is_none() -> None:
    assert not ParallelCorpus()
    assert ParallelCorpus(tables=(Path("a"),))


def test_all_files_are_read_in_order(tmp_path: Path) -> None:
    assert read_all([write(tmp_path / "b", "1", "2"), write(tmp_path / "a", "3")]) == ["1", "2", "3"]


def test_training_needs_a_corpus(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No training data: give --src F --tgt F"):
        training_corpus(DataConfig(), tmp_path / "spool")


def test_one_side_cannot_be_stdin(tmp_path: Path) -> None:
    config = DataConfig(src=(Path("-"),), tgt=(tmp_path / "tgt",))
    with pytest.raises(DataError, match="--tsv -"):
        training_corpus(config, tmp_path / "spool")


def test_a_table_on_stdin_is_kept_for_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "cache" / "stdin.tsv"
    config = DataConfig(tsv=(Path("-"),))
    pipe_stdin(monkeypatch, b"a\t1\nb\t2\n")
    corpus = training_corpus(config, spool)
    assert corpus.files == [spool]
    assert corpus.count() == 2
    pipe_stdin(monkeypatch, b"")
    assert training_corpus(config, spool).count() == 2
    pipe_stdin(monkeypatch, b"c\t3\n")
    assert list(training_corpus(config, spool)) == [SentencePair("c", "3")]
    assert [path.name for path in spool.parent.iterdir()] == ["stdin.tsv"]


def test_an_empty_stdin_is_an_empty_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_stdin(monkeypatch, b"")
    corpus = training_corpus(DataConfig(tsv=(Path("-"),)), tmp_path / "stdin.tsv")
    with pytest.raises(DataError, match="the corpus is empty"):
        corpus.count()


def test_as_many_distinct_sources_are_held_out_as_asked() -> None:
    sources = sentences(200, seed=3)
    held_out = HeldOut(iter(sources * 2), 15, seed=1)
    assert sum(SentencePair(source, "") in held_out for source in sources) == 15


def test_the_seed_chooses_what_is_held_out() -> None:
    sources = sentences(200, seed=3)

    def chosen(seed: int, order: list[str]) -> set[str]:
        held_out = HeldOut(iter(order), 15, seed)
        return {source for source in sources if SentencePair(source, "") in held_out}

    assert chosen(1, sources) == chosen(1, sources[::-1]) != chosen(2, sources)


def test_sources_equal_to_the_tokenizer_fall_on_one_side() -> None:
    sources = sentences(100, seed=3)
    held_out = HeldOut(iter(sources), 30, seed=1)
    for source in sources:
        variant = SentencePair(f"  {source.replace(' ', '  ')}\u00a0", "another target")
        assert (SentencePair(source, "") in held_out) == (variant in held_out)


def test_nothing_is_held_out_of_nothing() -> None:
    assert SentencePair("a", "b") not in HeldOut(iter([]), 5, seed=1)


@pytest.mark.parametrize(
    ("num_pairs", "wanted", "size"), [(100_000, 1000, 1000), (500, 1000, 50), (9, 1000, 1), (100_000, 5, 5)]
)
def test_at_most_a_tenth_is_held_out(num_pairs: int, wanted: int, size: int) -> None:
    assert held_out_size(num_pairs, wanted) == size
