"""Which sentences are decoded together: each once, within the budget, the longest first."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from mtcli.decoding.scheduler import token_batches

lengths = st.lists(st.integers(1, 50), max_size=60)
budgets = st.integers(1, 200)


@given(lengths, budgets)
def test_every_sentence_is_in_exactly_one_batch(lengths: list[int], max_tokens: int) -> None:
    batches = list(token_batches(lengths, max_tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@given(lengths, budgets)
def test_a_padded_batch_stays_within_the_budget(lengths: list[int], max_tokens: int) -> None:
    for batch in token_batches(lengths, max_tokens):
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= max_tokens


@given(lengths, budgets)
def test_the_longest_come_first(lengths: list[int], max_tokens: int) -> None:
    order = [lengths[index] for batch in token_batches(lengths, max_tokens) for index in batch]
    assert order == sorted(lengths, reverse=True)


@given(lengths, budgets)
def test_no_batch_leaves_room_for_the_next_sentence(lengths: list[int], max_tokens: int) -> None:
    batches = list(token_batches(lengths, max_tokens))
    for batch in batches[:-1]:
        assert (len(batch) + 1) * lengths[batch[0]] > max_tokens


def test_equal_lengths_keep_their_order() -> None:
    assert list(token_batches([3, 5, 3, 5], 10)) == [[1, 3], [0, 2]]


def test_a_huge_sentence_is_a_batch_of_its_own() -> None:
    assert list(token_batches([2, 100, 2], 10)) == [[1], [0, 2]]


def test_nothing_makes_no_batch() -> None:
    assert list(token_batches([], 100)) == []


def test_logic_without_tensors_imports_no_torch() -> None:
    modules = (
        "mtcli.config, mtcli.files, mtcli.data.batching, mtcli.data.prepare, mtcli.decoding.lines, "
        "mtcli.decoding.scheduler, mtcli.decoding.scheduler, mtcli.decoding.stream, mtcli.training.schedule"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
