"""What is decoded."""

import lzma
import statistics
from pathlib import Path

import pytest

from benchmarks.questions.decoding.sources import LONGEST, line_work, random_work
from mtcli.bench.work.sentences import Words
from mtcli.bench.work.shapes import FORCED_TOKENS
from mtcli.config import DecodingConfig
from mtcli.data.tokenizer import EOS_ID, PAD_ID, Tokenizer, train_tokenizer
from mtcli.errors import DataError


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(["a small test of words", "words of a test"] * 10, vocab_size=300)[0]


def test_random_sentences_are_as_long_as_the_lines_of_newstest(tmp_path: Path) -> None:
    (tmp_path / "newstest2014").mkdir()
    text = "".join("word " * words + "\n" for words in (1, 10, 20))
    (tmp_path / "newstest2014" / "newstest2014.en-de.en.xz").write_bytes(lzma.compress(text.encode()))
    work, described = random_work(tmp_path, 99, Words.of(1000), seed=1)
    assert [len(source) for source in work.sources] == [1 + 1, 13 + 1, 26 + 1]
    assert described["origin"].startswith("newstest2014")
    assert (described["sentences"], described["median"], described["max"]) == (3, 14, 27)
    work, _ = random_work(tmp_path, 2, Words.of(1000), seed=1)
    assert len(work.sources) == 2


def test_random_sentences_hold_words_alone_and_their_seed_decides() -> None:
    work, described = random_work(None, 500, Words.of(1000), seed=1)
    assert described["origin"].startswith("log-normal")
    assert 20 < statistics.median(map(len, work.sources)) < 27
    assert max(map(len, work.sources)) <= LONGEST + 1
    assert all(source[-1] == EOS_ID and min(source[:-1]) > max(EOS_ID, PAD_ID) for source in work.sources)
    assert work.forced and set(work.limits) == {FORCED_TOKENS}
    assert random_work(None, 500, Words.of(1000), seed=1)[0] == work
    assert random_work(None, 500, Words.of(1000), seed=2)[0] != work


def test_lines_get_the_limits_that_mtcli_sets(tokenizer: Tokenizer) -> None:
    options = DecodingConfig(max_length_ratio=2.0, max_length_extra=5, length_penalty=0.5)
    work = line_work(["a test", "words of a test"], tokenizer, options, longest_source=50, longest_output=14)
    first = tokenizer.encode("a test")
    assert work.sources[0] == [*first, tokenizer.eos_id]
    assert work.limits[0] == min(14, 2 * (len(first) + 1) + 5)
    assert max(work.limits) <= 14
    assert (work.forced, work.length_penalty, work.lines) == (False, 0.5, ["a test", "words of a test"])


@pytest.mark.parametrize("line", [" ", "a test of words " * 20])
def test_lines_that_would_not_be_the_same_work_for_all_are_refused(tokenizer: Tokenizer, line: str) -> None:
    with pytest.raises(DataError, match="Line 2 of the source"):
        line_work(["a test", line], tokenizer, DecodingConfig(), longest_source=30, longest_output=30)
