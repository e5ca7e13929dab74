"""What is decoded and trained on."""

import random
import statistics

import pytest
import torch
from support.sentences import small_tokenizer

from mtcli.bench.workload.sentences import Words, random_batches, random_sentences, sentences_of
from mtcli.config import DecodingConfig
from mtcli.errors import DataError

FIFTY = Words.of(50)
OPTIONS = DecodingConfig(max_length_ratio=2.0, max_length_extra=3)


def test_words_are_no_special_tokens() -> None:
    assert list(FIFTY.ids) == list(range(4, 50))
    tokenizer = small_tokenizer()
    known = Words.known_to(tokenizer)
    assert not {tokenizer.eos_id, *tokenizer.never_generated} & set(known.ids)
    assert len(known.ids) == tokenizer.vocab_size - 4
    assert known.sentence(5, random.Random(1))[-1] == tokenizer.eos_id


def test_random_sentences_are_as_long_as_news_and_as_the_model_can_read() -> None:
    found = random_sentences(500, FIFTY, 1, longest_source=64, longest_output=100)
    lengths = [len(source) for source in found.sources]
    assert statistics.mean(lengths) == pytest.approx(28, abs=2)
    assert max(lengths) == 64
    assert found.forced and set(found.limits) == {27}
    assert set(random_sentences(3, FIFTY, 1, longest_source=64, longest_output=9).limits) == {9}


def test_sentences_begin_again_where_there_are_too_few() -> None:
    found = random_sentences(3, FIFTY, 1, longest_source=64, longest_output=9)
    more = found.first(5)
    assert list(more.sources) == [*found.sources, *found.sources[:2]]
    assert len(more.limits) == 5
    assert found.alone(1).sources == [found.sources[1]]


def test_lines_become_what_mtcli_decodes() -> None:
    tokenizer = small_tokenizer()
    lines = ["The cat sees a dog.", "", "The cat sees a dog.", "The cat sees a dog. " * 20]
    found = sentences_of(lines, tokenizer, OPTIONS, longest_source=12, longest_output=20)
    whole = (*tokenizer.encode(lines[0]), tokenizer.eos_id)
    assert list(found.sources) == [whole], "equal lines and equal parts are decoded once"
    assert list(found.limits) == [min(20, 2 * len(whole) + 3)]
    assert not found.forced


def test_an_input_without_text_is_refused() -> None:
    with pytest.raises(DataError, match="no line with text"):
        sentences_of(["", " "], small_tokenizer(), OPTIONS, longest_source=12, longest_output=20)


def test_batches_are_random_and_as_large_as_they_may_be() -> None:
    batches = random_batches(FIFTY, FIFTY, tokens=300, count=3, seed=1)
    assert len(batches) == 3
    for batch in batches:
        longer = [max(sizes) for sizes in zip(batch.src_lengths, batch.tgt_lengths, strict=True)]
        assert 150 < sum(longer) <= 300
        assert max(longer) - min(longer) < 60
        assert all(one[-1] == 2 and min(one[:-1], default=4) > 3 for one in batch.sources + batch.targets)
    assert random_batches(FIFTY, FIFTY, tokens=300, count=3, seed=1) == batches
    assert random_batches(FIFTY, FIFTY, tokens=300, count=3, seed=2) != batches
    short = random_batches(FIFTY, FIFTY, tokens=300, count=3, seed=1, longest=9)
    assert max(max(batch.src_lengths + batch.tgt_lengths) for batch in short) == 9


def test_a_batch_is_a_corpus() -> None:
    [batch] = random_batches(FIFTY, Words.of(20), tokens=60, count=1, seed=1)
    found = batch.on_device(1, torch.device("cpu"))
    assert found.src.tolist() == [token for source in batch.sources for token in source]
    assert found.tgt_out.tolist() == [token for target in batch.targets for token in target]
    assert found.tgt_packing.lengths.tolist() == batch.tgt_lengths
    assert found.tgt_in[0] == 1 and max(found.tgt_out) < 20
