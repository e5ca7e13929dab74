"""Word alignments from attention."""

import pytest
import torch
from support.sentences import sentences
from support.tiny import untrained_model

from mtcli.decoding.alignment import (
    Aligner,
    aligning_attention,
    cross_attention,
    pharaoh,
    place_words,
    word_links,
)
from mtcli.translation import Candidate, Translation

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_batch_aligns_as_its_pairs_do() -> None:
    model = untrained_model(64)
    tokenizer = model.tokenizers.src
    sources = [[*tokenizer.encode(line), tokenizer.eos_id] for line in sentences(5, seed=1)]
    targets = [[*tokenizer.encode(line), tokenizer.eos_id] for line in sentences(5, seed=2)]
    together = aligning_attention(model.network, sources, targets, tokenizer.start_id)
    for source, target, weights in zip(sources, targets, together, strict=True):
        alone = cross_attention(model.network, source, target, tokenizer.start_id)
        assert weights.shape == (len(target), len(source))
        assert weights.sum(1).allclose(torch.ones(len(target)), atol=1e-5)
        assert weights.allclose(alone[1].mean(0), atol=1e-5)  # the upper of two layers


def test_words_are_linked_by_what_their_pieces_see_together() -> None:
    weights = torch.tensor([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.2, 0.1, 0.7]])
    assert word_links(weights, [0, 1, 1], [0, 1, 2, 2]) == [(1, 0), (0, 1), (1, 2)]
    assert word_links(weights, [4, 4, 9], [3, 3, 3, 5]) == [(4, 3), (9, 5)]
    assert word_links(weights[:, :0], [], [0, 1, 2, 2]) == []


def test_words_of_parts_are_counted_over_the_whole_line() -> None:
    assert place_words(["the cat", "sleeps"], "the cat sleeps") == [[(0, "the"), (1, "cat")], [(2, "sleeps")]]
    assert place_words(["ab", "cd ef"], "abcd ef") == [[(0, "ab")], [(0, "cd"), (1, "ef")]]
    assert place_words(["a", "a", "a b"], "a a a b") == [[(0, "a")], [(1, "a")], [(2, "a"), (3, "b")]]
    assert place_words([], "anything") == []


def test_links_are_written_ascending_and_once() -> None:
    assert pharaoh([[(1, 0), (0, 1)], [(1, 0), (2, 2)]]) == "0-1 1-0 2-2"
    assert pharaoh([]) == ""


def test_lines_the_model_did_not_see_have_no_links() -> None:
    aligner = Aligner(untrained_model(64))
    blank = Translation("", (Candidate("", 0.0, 0.0, 0),))
    seen = Translation("a cat", (Candidate("the dog", -1.0, -2.0, 3, ("the dog",)),), ("a cat",))
    first, second, third = aligner([blank, seen, blank])
    assert (first, third) == ("", "")
    assert len(second.split()) == 2


def test_a_target_longer_than_the_network_reads_is_aligned_as_far_as_it_goes() -> None:
    model = untrained_model()
    words = " ".join(["zq"] * 200)
    translation = Translation("a cat", (Candidate(words, -1.0, -2.0, 3, (words,)),), ("a cat",))
    (links,) = Aligner(model)([translation])
    assert 0 < len(links.split()) < 200
