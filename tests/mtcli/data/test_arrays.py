"""Token arrays on disk: what is written is what is read."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.data import arrays
from mtcli.data.arrays import TokenArray, TokenArrayWriter, pack, pack_text


def written(stem: Path, sentences: list[list[int]], vocab_size: int = 1000) -> TokenArray:
    with TokenArrayWriter(stem, vocab_size) as writer:
        writer.append(*pack(sentences, vocab_size))
    return TokenArray(stem)


def as_lists(array: TokenArray) -> list[list[int]]:
    return [array[index].tolist() for index in range(len(array))]


@given(
    st.sampled_from([1, 1 << 16, (1 << 16) + 1, 1 << 20]).flatmap(
        lambda size: st.tuples(st.just(size), st.lists(st.lists(st.integers(0, size - 1), max_size=6), max_size=6))
    )
)
def test_sentences_are_read_back(case: tuple[int, list[list[int]]]) -> None:
    vocab_size, sentences = case
    with tempfile.TemporaryDirectory() as directory:
        array = written(Path(directory) / "corpus", sentences, vocab_size)
        assert as_lists(array) == sentences
        assert array.lengths.tolist() == [len(sentence) for sentence in sentences]
        assert array.lengths.dtype == np.int32


@pytest.mark.parametrize(("vocab_size", "width"), [(256, 1), (257, 2), (1 << 16, 2), ((1 << 16) + 1, 4)])
def test_small_vocabularies_take_few_bytes_a_token(tmp_path: Path, vocab_size: int, width: int) -> None:
    largest = vocab_size - 1
    array = written(tmp_path / "corpus", [[0, largest], [largest]], vocab_size)
    assert (tmp_path / "corpus.tokens").stat().st_size == 3 * width
    assert as_lists(array) == [[0, largest], [largest]]


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_an_array_may_hold_no_token(tmp_path: Path, sentences: list[list[int]]) -> None:
    array = written(tmp_path / "corpus", sentences)
    assert len(array) == len(sentences)
    assert as_lists(array) == sentences
    assert array.lengths.shape == (len(sentences),)


def test_sentences_may_come_in_parts(tmp_path: Path) -> None:
    with TokenArrayWriter(tmp_path / "corpus", 10) as writer:
        for part in ([[1, 2]], [], [[3], [4, 5]]):
            writer.append(*pack(part, 10))
    assert as_lists(TokenArray(tmp_path / "corpus")) == [[1, 2], [3], [4, 5]]


def test_offsets_are_an_array_that_numpy_reads(tmp_path: Path) -> None:
    sentences = [[1]] * 1000
    written(tmp_path / "corpus", sentences)
    assert np.load(tmp_path / "corpus.offsets.npy").tolist() == list(range(1001))


def test_lengths_come_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_BLOCK", 3)
    for count in (0, 1, 2, 3, 4, 6, 7):
        array = written(tmp_path / f"{count}", [[1] * (place + 1) for place in range(count)])
        assert array.lengths.tolist() == list(range(1, count + 1))


def test_sentences_are_gathered_in_the_order_asked_for(tmp_path: Path) -> None:
    array = written(tmp_path / "corpus", [[1], [2, 2], [3, 3, 3]])
    tokens, lengths = array.gather(np.array([2, 0, 2]))
    assert (tokens.tolist(), lengths.tolist()) == ([3, 3, 3, 1, 3, 3, 3], [3, 1, 3])
    assert tokens.dtype == lengths.dtype == np.int64


@given(st.lists(st.lists(st.integers(0, 999), max_size=5), min_size=1, max_size=8), st.data())
def test_gathering_is_laying_sentences_end_to_end(sentences: list[list[int]], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(sentences) - 1), max_size=10))
    with tempfile.TemporaryDirectory() as directory:
        array = written(Path(directory) / "corpus", sentences)
        tokens, lengths = array.gather(np.array(places, dtype=np.int64))
    assert tokens.tolist() == [token for place in places for token in sentences[place]]
    assert lengths.tolist() == [len(sentences[place]) for place in places]


def test_text_is_kept_as_bytes(tmp_path: Path) -> None:
    with TokenArrayWriter(tmp_path / "text", 256) as writer:
        writer.append(*pack_text(["a", "", "é😀"]))
    array = TokenArray(tmp_path / "text")
    assert [array.stored(place).tobytes().decode() for place in range(3)] == ["a", "", "é😀"]


def test_a_writer_that_failed_leaves_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), TokenArrayWriter(tmp_path / "corpus", 10) as writer:
        writer.append(*pack([[1, 2]], 10))
        raise ValueError("broken")
    with pytest.raises(FileNotFoundError):
        TokenArray(tmp_path / "corpus")


def test_an_id_outside_the_vocabulary_is_never_wrapped(tmp_path: Path) -> None:
    with pytest.raises(OverflowError):
        pack([[1 << 16]], 1000)
    with TokenArrayWriter(tmp_path / "corpus", 10) as writer, pytest.raises(TypeError, match=r"uint16.*uint8"):
        writer.append(*pack([[1000]], 1001))
