"""Token arrays on disk: what is written is what is read."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.data.arrays import TokenArray, TokenArrayWriter


def written(stem: Path, sentences: list[list[int]], vocab_size: int = 1000) -> TokenArray:
    with TokenArrayWriter(stem, vocab_size) as writer:
        writer.extend(sentences)
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


@pytest.mark.parametrize(("vocab_size", "width"), [(300, 2), (1 << 16, 2), ((1 << 16) + 1, 4)])
def test_small_vocabularies_take_two_bytes_a_token(tmp_path: Path, vocab_size: int, width: int) -> None:
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
        writer.extend([[1, 2]])
        writer.extend(iter([[3], [4, 5]]))
    assert as_lists(TokenArray(tmp_path / "corpus")) == [[1, 2], [3], [4, 5]]


def test_sentences_are_gathered_in_the_order_asked_for(tmp_path: Path) -> None:
    array = written(tmp_path / "corpus", [[1], [2, 2], [3, 3, 3]])
    gathered = array.gather(np.array([2, 0, 2]))
    assert [sentence.tolist() for sentence in gathered] == [[3, 3, 3], [1], [3, 3, 3]]
    assert all(sentence.dtype == np.int64 for sentence in gathered)


def test_a_writer_that_failed_leaves_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), TokenArrayWriter(tmp_path / "corpus", 10) as writer:
        writer.extend([[1, 2]])
        raise ValueError("broken")
    with pytest.raises(FileNotFoundError):
        TokenArray(tmp_path / "corpus")


def test_an_id_outside_the_vocabulary_is_never_wrapped(tmp_path: Path) -> None:
    with pytest.raises(OverflowError), TokenArrayWriter(tmp_path / "corpus", 10) as writer:
        writer.extend([[1 << 16]])
