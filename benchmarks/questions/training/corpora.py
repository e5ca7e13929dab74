"""What is trained on: Multi30k, or random words in sentences as long as newstest2014's."""

import io
import random
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import sentencepiece as spm

from benchmarks.contest.machine import mtcli_command
from benchmarks.contest.processes import Command, run_to_its_end
from benchmarks.questions.decoding.sources import like_newstest, newstest_lengths
from benchmarks.questions.training.tasks import Corpus
from mtcli.bench.work.shapes import translated_lengths
from mtcli.data.tokenizer import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Tokenizer
from mtcli.errors import DataError
from mtcli.files import read_lines

VALID_LINES = 4  # validation is no part of what is measured; mtcli does one at a run's end
LETTERS = 4  # of a random word: enough words for any vocabulary
TO_TOKENISE = 600.0  # seconds


def multi30k(data: Path, folder: Path, *, src: str, tgt: str, vocab_size: int, limit: int | None = None) -> Corpus:
    """The training pairs of DATA/multi30k as plain text, and pieces that mtcli learns from them.

    Args:
        data: the folder that holds multi30k.
        folder: for the files.
        src, tgt: languages.
        vocab_size: pieces of both languages together.
        limit: training pairs; None for all.

    Raises:
        DataError: DATA/multi30k is not there, or a side lacks a line.
        ContestantError: mtcli could not learn the pieces.
    """
    sides = [(end, data / "multi30k", language) for end, language in (("src", src), ("tgt", tgt))]
    lines = {
        (name, end): list(read_lines(place / f"{name}.{language}.xz"))[:limit]
        for end, place, language in sides
        for name in ("train", "val")
    }
    train = _whole(lines["train", "src"], lines["train", "tgt"])
    valid = _whole(lines["val", "src"], lines["val", "tgt"])[:VALID_LINES]
    _write(folder, "train", train)
    _write(folder, "valid", valid)
    pieces = _learn_pieces(folder, vocab_size)
    return _corpus(folder, pieces, f"Multi30k, {src} to {tgt}", train)


def _whole(src: Sequence[str], tgt: Sequence[str]) -> list[tuple[str, str]]:
    if len(src) != len(tgt):
        raise DataError(f"Multi30k's sides have {len(src)} and {len(tgt)} lines; expected as many of each.")
    return [(one, other) for one, other in zip(src, tgt, strict=True) if one.strip() and other.strip()]


def _learn_pieces(folder: Path, vocab_size: int) -> Path:
    """The tokenizer that `mtcli train` makes of the corpus."""
    work = folder / "pieces"
    work.mkdir()
    files = train_options(folder / "train", folder / "valid")
    settings = ["--preset", "tiny", "--set", f"data.vocab_size={vocab_size}", "--max-steps", "1", "--quiet"]
    command = Command(arguments=[mtcli_command(), "train", *files, *settings, "-o", str(work / "run")])
    run_to_its_end(command, work, cores=1, seconds=TO_TOKENISE)
    return work / "run" / "tokenizer.model"


def train_options(train: Path, valid: Path) -> list[str]:
    """The corpus as `mtcli train` takes it."""
    return [
        *("--src", f"{train}.src", "--tgt", f"{train}.tgt"),
        *("--valid-src", f"{valid}.src", "--valid-tgt", f"{valid}.tgt"),
    ]


def random_words(data: Path | None, folder: Path, *, vocab_size: int, tokens: int, seed: int) -> Corpus:
    """Sentences of random words, each a piece of its own, as long as newstest2014's; targets a fifth longer or shorter.

    Args:
        data: the folder that holds newstest2014; None draws lengths like its.
        folder: for the files.
        vocab_size: pieces.
        tokens: of all sources, at least.
        seed: of everything random.

    Raises:
        DataError: DATA/newstest2014 is not there.
    """
    rng = random.Random(seed)
    lengths: list[int] = []
    while sum(lengths) < tokens:
        lengths += like_newstest(1, rng) if data is None else rng.sample(newstest_lengths(data), 1)
    words = _words(vocab_size - len({UNK_ID, BOS_ID, EOS_ID, PAD_ID}))

    def sentence(length: int) -> str:
        return " ".join(rng.choices(words, k=length))

    others = translated_lengths(lengths, seed)
    train = [(sentence(length), sentence(other)) for length, other in zip(lengths, others, strict=True)]
    _write(folder, "train", train)
    _write(folder, "valid", train[:VALID_LINES])
    pieces = folder / "pieces.model"
    pieces.write_bytes(_word_pieces(words, vocab_size))
    origin = "log-normal, fitted to newstest2014" if data is None else "those of newstest2014"
    return _corpus(folder, pieces, f"random words, lengths {origin}", train)


def _words(count: int) -> list[str]:
    letters = product(ascii_lowercase, repeat=LETTERS)
    return ["".join(next(letters)) for _ in range(count)]


def _word_pieces(words: Iterable[str], vocab_size: int) -> bytes:
    """A SentencePiece model that has each word as a piece."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(words),
        model_writer=model,
        vocab_size=vocab_size,
        model_type="word",
        normalization_rule_name="identity",
        unk_id=UNK_ID,
        bos_id=BOS_ID,
        eos_id=EOS_ID,
        pad_id=PAD_ID,
        minloglevel=2,
    )
    return model.getvalue()


def _write(folder: Path, name: str, pairs: Sequence[tuple[str, str]]) -> None:
    for end, lines in zip(("src", "tgt"), zip(*pairs, strict=True), strict=True):
        (folder / f"{name}.{end}").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _corpus(folder: Path, pieces: Path, origin: str, train: Sequence[tuple[str, str]]) -> Corpus:
    tokenizer = Tokenizer.from_file(pieces)
    src, tgt = ([[*ids, tokenizer.eos_id] for ids in tokenizer.encode_batch(side)] for side in zip(*train, strict=True))
    return Corpus(
        train=folder / "train",
        valid=folder / "valid",
        tokenizer=pieces,
        vocab_size=tokenizer.vocab_size,
        origin=origin,
        src=src,
        tgt=tgt,
    )
