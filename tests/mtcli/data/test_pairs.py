"""Pairs gathered for a batch: as they are, or cut into tokens anew."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.sentences import sentences, small_tokenizer

from mtcli.data.arrays import TokenArray, TokenArrayWriter, pack, pack_text
from mtcli.data.pairs import PairTokens, ParallelArrays, SampledPairs
from mtcli.data.segmentation import Sampler

SRC = [*sentences(30, seed=1), "é 😀"]
TGT = [sentence.upper() for sentence in SRC]
INDICES = np.array([3, 0, 30, 3, 17])
STRENGTH = 0.02
LONGEST = 100


def arrays(directory: Path, kind: str, size: int) -> ParallelArrays:
    for side, lines in (("src", SRC), ("tgt", TGT)):
        with TokenArrayWriter(directory / f"{side}{kind}", size) as writer:
            tokenizer = small_tokenizer()
            tokens = [[*tokenizer.encode(line), tokenizer.eos_id] for line in lines]
            writer.append(*(pack_text(lines) if kind else pack(tokens, size)))
    return ParallelArrays(TokenArray(directory / f"src{kind}"), TokenArray(directory / f"tgt{kind}"))


def sampled(directory: Path, max_length: int = LONGEST) -> SampledPairs:
    tokenizer = small_tokenizer()
    return SampledPairs(
        arrays(directory, "", tokenizer.vocab_size),
        arrays(directory, ".text", 256),
        (Sampler(tokenizer, STRENGTH), Sampler(tokenizer, STRENGTH)),
        (tokenizer.eos_id, tokenizer.eos_id),
        max_length,
    )


def split(pairs: PairTokens) -> list[tuple[list[int], list[int]]]:
    sides = [
        [part.tolist() for part in np.split(tokens, np.cumsum(lengths))[:-1]]
        for tokens, lengths in ((pairs.src, pairs.src_lengths), (pairs.tgt, pairs.tgt_lengths))
    ]
    return list(zip(*sides, strict=True))


def test_both_sides_are_gathered_whatever_the_seed(tmp_path: Path) -> None:
    data = arrays(tmp_path, "", 340)
    for seed in (0, 1):
        pairs = split(data.gather(INDICES, seed))
        assert pairs == [(data.src[index].tolist(), data.tgt[index].tolist()) for index in INDICES]


def test_drawn_tokens_spell_the_text_and_end(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    gathered = sampled(tmp_path).gather(INDICES, 1)
    assert all(array.dtype == np.int64 for array in vars(gathered).values())
    for index, (src, tgt) in zip(INDICES, split(gathered), strict=True):
        for tokens, text in ((src, SRC[index]), (tgt, TGT[index])):
            assert tokens.index(tokenizer.eos_id) == len(tokens) - 1
            assert tokenizer.decode(tokens) == text


def test_a_pair_follows_from_seed_and_index_alone(tmp_path: Path) -> None:
    data = sampled(tmp_path)
    together = split(data.gather(INDICES, 5))
    assert together == [split(data.gather(INDICES[place : place + 1], 5))[0] for place in range(len(INDICES))]
    assert together[0] == together[3]
    assert together != split(data.gather(INDICES, 6))


def test_pairs_and_sides_are_drawn_apart(tmp_path: Path) -> None:
    same = ["house behind the tree over under"] * 2
    for side in ("src", "tgt"):
        with TokenArrayWriter(tmp_path / f"{side}.text", 256) as writer:
            writer.append(*pack_text(same))
    texts = ParallelArrays(TokenArray(tmp_path / "src.text"), TokenArray(tmp_path / "tgt.text"))
    sampler = Sampler(small_tokenizer(), STRENGTH)
    data = SampledPairs(arrays(tmp_path, "", 340), texts, (sampler, sampler), (2, 2), LONGEST)
    drawn = [tuple(tokens) for pair in split(data.gather(np.array([0, 1]), 5)) for tokens in pair]
    assert len(set(drawn)) == 4


def test_another_process_draws_the_same(tmp_path: Path) -> None:
    expected = split(sampled(tmp_path).gather(INDICES, 2**63 - 1))
    command = (
        "import json, sys; from pathlib import Path; import numpy as np; sys.path.insert(0, sys.argv[2]);"
        "from test_pairs import INDICES, sampled, split;"
        "print(json.dumps(split(sampled(Path(sys.argv[1])).gather(INDICES, 2**63 - 1))))"
    )
    here = Path(__file__).parent
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(here.parents[1])!r}); {command}", tmp_path, here],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == [list(pair) for pair in expected]


@pytest.mark.parametrize("less", [0, 1])
@pytest.mark.parametrize("side", [0, 1])
def test_a_sentence_drawn_too_long_keeps_its_usual_tokens(tmp_path: Path, side: int, less: int) -> None:
    free, plain = sampled(tmp_path), arrays(tmp_path, "", 340)
    longest = max(len(pair[side]) for pair in split(free.gather(INDICES, 5)))
    limit = longest - less
    bounded = split(sampled(tmp_path, limit).gather(INDICES, 5))
    array = (plain.src, plain.tgt)[side]
    for index, kept, drawn in zip(INDICES, bounded, split(free.gather(INDICES, 5)), strict=True):
        usual = array[index].tolist()
        assert kept[side] == (drawn[side] if len(drawn[side]) <= limit else usual)
