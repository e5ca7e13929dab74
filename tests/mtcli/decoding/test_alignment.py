"""Word alignments from attention."""

import numpy as np
import pytest
import torch
from support.forced import backend_of
from support.sentences import sentences
from support.tiny import untrained_model

from mtcli.decoding.alignment import (
    Aligner,
    aligning_attention,
    pharaoh,
    place_words,
    word_links,
)
from mtcli.translation import Candidate, Translation
from mtcli_kernels.packing import Packing

pytestmark = pytest.mark.usefixtures("one_thread")
ENGINES = ("torch", "native")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_aligns_as_its_pairs_do(engine: str) -> None:
    model = untrained_model(64)
    tokenizer = model.tokenizers.src
    sources = [[*tokenizer.encode(line), tokenizer.eos_id] for line in sentences(5, seed=1)]
    targets = [[*tokenizer.encode(line), tokenizer.eos_id] for line in sentences(5, seed=2)]
    together = aligning_attention(backend_of(model, engine).forced(), sources, targets, tokenizer.start_id)
    for source, target, weights in zip(sources, targets, together, strict=True):
        shifted = torch.tensor([tokenizer.start_id, *target[:-1]])
        packings = Packing.of([len(source)]), Packing.of([len(target)])
        with torch.inference_mode():
            layers = model.network.cross_attention_weights(torch.tensor(source), packings[0], shifted, packings[1])
        assert weights.shape == (len(target), len(source))
        assert np.allclose(weights.sum(1), 1, atol=1e-5)
        assert np.allclose(weights, layers[1][0].mean(0).numpy(), atol=1e-5)  # the upper of two layers


def test_words_are_linked_by_what_their_pieces_see_together() -> None:
    weights = np.array([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.2, 0.1, 0.7]], np.float32)
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


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_the_model_did_not_see_have_no_links(engine: str) -> None:
    aligner = Aligner(backend_of(untrained_model(64), engine))
    blank = Translation("", (Candidate("", 0.0, 0.0, 0),))
    seen = Translation("a cat", (Candidate("the dog", -1.0, -2.0, 3, ("the dog",)),), ("a cat",))
    first, second, third = aligner([blank, seen, blank])
    assert (first, third) == ("", "")
    assert len(second.split()) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_target_longer_than_the_network_reads_is_aligned_as_far_as_it_goes(engine: str) -> None:
    backend = backend_of(untrained_model(), engine)
    words = " ".join(["zq"] * 200)
    translation = Translation("a cat", (Candidate(words, -1.0, -2.0, 3, (words,)),), ("a cat",))
    (links,) = Aligner(backend)([translation])
    assert 0 < len(links.split()) < 200
