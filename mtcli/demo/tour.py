"""The guided tour behind `mtcli demo`: corpus, training, translations, a look at the attention, a score."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from mtcli.config import load_config
from mtcli.decoding.alignment import aligning_attention
from mtcli.decoding.backend import Backend
from mtcli.decoding.translator import Translator
from mtcli.demo.attention_view import render_attention, word_attention
from mtcli.demo.corpus import CONFIG_NAME, write_demo_corpus
from mtcli.demo.grammar import Pair
from mtcli.evaluation.metrics import corpus_bleu
from mtcli.training.run import train
from mtcli.translation import Translation

_SHOWN = 8  # translations printed
_PICTURED_WORDS = 6  # of the sentence whose attention is shown, at least: word order should differ


def run_tour(work: Path, minutes: float, console: Console) -> float:
    """Show the whole tool on a built-in language pair; the corpus and the model are left in `work`.

    Returns:
        BLEU on the held-out test sentences.
    """
    _say(
        console,
        "mtcli learns to translate from examples alone. To show it, here is a Korean-English corpus, generated from a "
        "small hand-written grammar. A few of its sentences:",
    )
    corpus = write_demo_corpus(work / "corpus")
    for pair in corpus.train[:4]:
        console.print(f"  {pair.korean}  =  {pair.english}", markup=False, highlight=False)
    _say(
        console,
        f"\nA tiny Transformer now reads {len(corpus.train):,} such pairs for about {minutes:g} minutes. It has never "
        "seen a Korean or English word before; the loss (how surprised it is by each next word) should fall.\n",
    )
    settings = {"training": {"max_minutes": minutes, "int8_lines": 0}}
    train(load_config(file=work / "corpus" / CONFIG_NAME, options=settings), work / "model")
    translator = Translator(work / "model", device="cpu")
    translations = list(translator.translate([pair.korean for pair in corpus.test]))
    _show_translations(console, translations, corpus.test)
    _show_attention(console, translator.backend, _pictured(translations, corpus.test))
    return corpus_bleu([translation.text for translation in translations], [pair.english for pair in corpus.test])


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)


def _show_translations(console: Console, translations: list[Translation], test: list[Pair]) -> None:
    same = sum(translation.text == pair.english for translation, pair in zip(translations, test, strict=True))
    _say(
        console,
        f"\nThese sentences were kept out of the training text, on both sides. Of {len(test)}, {same} came out exactly "
        "like the reference:\n",
    )
    table = Table("Korean", "mtcli", "reference", box=None, pad_edge=False)
    for translation, pair in list(zip(translations, test, strict=True))[:_SHOWN]:
        table.add_row(translation.source, translation.text, pair.english)
    console.print(table, markup=False)


def _pictured(translations: list[Translation], test: list[Pair]) -> Translation:
    """The first right translation that is long enough to be interesting, else the first of all."""
    right = (t for t, pair in zip(translations, test, strict=True) if t.text == pair.english)
    return next((t for t in right if len(t.text.split()) >= _PICTURED_WORDS), translations[0])


def _show_attention(console: Console, backend: Backend, translation: Translation) -> None:
    tokenizers = backend.model.tokenizers
    src, tgt = tokenizers.src, tokenizers.tgt
    source, target = [*src.encode(translation.source), src.eos_id], [*tgt.encode(translation.text), tgt.eos_id]
    [weights] = aligning_attention(backend.forced(), [source], [target], tgt.start_id)
    words = word_attention(src.pieces(source), tgt.pieces(target), weights.tolist())
    _say(
        console,
        "\nWhere did the decoder look? To write each English word (a row), its encoder-decoder attention compared a "
        "query from the decoder with a key of every Korean word (a column), and read most where they matched best:\n",
    )
    console.print(render_attention(*words))
