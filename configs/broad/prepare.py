"""Write the corpora that a recipe trains on: real text by domain, and made from it what people type otherwise.

    python -m configs.broad.prepare configs/broad/en-de.toml TATOEBA BROAD -o .runs/data/en-de
    mtcli train --config .runs/data/en-de/en-de.toml -o .runs/en-de

The folders hold files NAME.LANGUAGE.xz, line i of one language the translation of line i of the other; see
`read_folders` for what their names say. The recipe is copied to where its corpora lie, which its paths are relative to.
The same folders and seed give the same bytes.
"""

import argparse
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from configs.broad.copying import among, carried, renamed, replaced, wrapped
from configs.broad.corpora import Corpora, HeldOut, Pair, read_folders, write
from configs.broad.variants import as_title, in_capitals, in_lower_case, joined, mistyped, typographic
from configs.broad.vocabulary import train_pieces
from mtcli.data.normalisation import normalise
from mtcli.demo.grammar import generate
from mtcli.errors import ConfigError, DataError, MtcliError
from mtcli.files import write_atomically

_POOL = 200_000  # pairs that variants are made of
_CARRIED = 60_000
_GRAMMAR = 40_000
_VALIDATED = 40  # pairs of each dev set
_PIECES = 400_000  # lines of each language that the tokenizer learns from

Variant = Callable[[Pair, Random], Pair | None]
# By the name of the corpus that it makes.
VARIANTS: dict[str, Variant] = {
    "capitals": in_capitals,
    "lower-case": in_lower_case,
    "title": as_title,
    "typographic": typographic,
    "mistyped": mistyped,
    "renamed": renamed,
    "replaced": replaced,
    "wrapped": wrapped,
}


def made_of(train: Corpora, weights: dict[str, float], languages: tuple[str, str], seed: int) -> Corpora:
    """All variants of the training text, each domain in it as often as its weight says, at most once."""
    pool = _pool(train, weights, Random(f"pool {seed}"))
    everything = [pair for pairs in train.values() for pair in pairs]
    rare = {"renamed", "replaced"}
    made = {
        name: list(among(everything if name in rare else pool, change, Random(f"{name} {seed}")))
        for name, change in VARIANTS.items()
    }
    made["joined"] = list(_joined(train, weights, Random(f"joined {seed}")))
    made["carried"] = list(carried(languages, _CARRIED, Random(f"carried {seed}")))
    if set(languages) == {"ko", "en"}:
        made["grammar"] = _of_grammar(languages, seed)
    return made


def _of_grammar(languages: tuple[str, str], seed: int) -> list[Pair]:
    """Sentences of `mtcli demo`, the simplest that people say in a day."""
    sides = [(pair.korean, pair.english) for pair in generate(num_train=_GRAMMAR, seed=seed).train]
    return [Pair(*(sides if languages[0] == "ko" else sides[::-1])) for sides in sides]


def _pool(train: Corpora, weights: dict[str, float], random: Random) -> list[Pair]:
    pairs = [pair for name, pairs in train.items() for pair in pairs if random.random() < weights[name]]
    random.shuffle(pairs)
    return pairs[:_POOL]


def _joined(train: Corpora, weights: dict[str, float], random: Random) -> Iterator[Pair]:
    """Lines of several sentences, all of one domain."""
    for name, pairs in train.items():
        drawn = [pair for pair in pairs if random.random() < weights[name]]
        random.shuffle(drawn)
        yield from joined(drawn, random)


def pieces_text(corpora: Corpora, weights: dict[str, float], seed: int) -> list[str]:
    """Lines of both languages in the shares that training has of them, those of the first language first."""
    random = Random(f"pieces {seed}")
    drawn = [
        pair
        for name, pairs in corpora.items()
        for pair in pairs
        if random.random() < weights[name]  # twice the same line teaches the tokenizer nothing
    ]
    random.shuffle(drawn)
    return [normalise(pair[side]) for side in (0, 1) for pair in drawn[:_PIECES]]


def prepare(
    recipe: Path, folders: Sequence[Path], out: Path, *, seed: int = 1, naming: Sequence[str] = ()
) -> dict[str, int]:
    """Write all that the recipe's settings name, and a copy of the recipe beside it.

    Args:
        seed: fixes all chance.
        naming: if given, everyday sentences are learnt from only where one of these words stands in them.

    Returns:
        Pairs of each corpus.

    Raises:
        DataError: a folder lacks text, or the recipe names a corpus that nothing makes.
    """
    settings = tomllib.loads(recipe.read_text(encoding="utf-8"))["data"]
    weights, languages = named_corpora(settings)
    found = read_folders(folders, languages)
    held_out = HeldOut(found.held_out)
    train = {name: held_out.without(pairs) for name, pairs in found.train.items() if name in weights}
    if naming and "everyday" in train:
        train["everyday"] = [pair for pair in train["everyday"] if _names_one(pair, naming)]
    made = made_of(train, weights, languages, seed)
    corpora = train | {name: held_out.without(pairs) for name, pairs in made.items() if name in weights}
    if missing := sorted(weights.keys() - corpora.keys()):
        raise DataError(f"{recipe} names the corpora {', '.join(missing)}, of which the folders hold no text.")
    out.mkdir(parents=True, exist_ok=True)
    for name, pairs in corpora.items():
        write(out, name, languages, pairs)
    write(out, "valid", languages, _validation(found.held_out))
    model = train_pieces(pieces_text(corpora, weights, seed), int(settings["vocab_size"]))
    write_atomically(out / settings["tokenizer"], model)
    shutil.copyfile(recipe, out / recipe.name)
    return {name: len(pairs) for name, pairs in corpora.items()}


def _names_one(pair: Pair, names: Sequence[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", side) for name in names for side in pair)


def _validation(held_out: Corpora) -> list[Pair]:
    return [pair for name, pairs in held_out.items() if name.endswith("dev") for pair in pairs[:_VALIDATED]]


def named_corpora(settings: dict[str, Any]) -> tuple[dict[str, float], tuple[str, str]]:
    """The weights of the corpora in a recipe's [data] by name, and its two languages, as its files' endings say.

    Raises:
        ConfigError: the names of a corpus's two files differ in more than the language.
    """
    weights, languages = dict[str, float](), set[tuple[str, str]]()
    for corpus in settings["corpora"]:
        src, tgt = Path(corpus["src"]), Path(corpus["tgt"])
        if src.stem != tgt.stem:
            raise ConfigError(f"The corpus of {src} and {tgt} has two names. Expected NAME.LANGUAGE for both.")
        weights[src.stem] = float(corpus.get("weight", 1.0))
        languages.add((src.suffix[1:], tgt.suffix[1:]))
    if len(languages) != 1:
        raise ConfigError(f"A recipe is of two languages. Its corpora's files end with {sorted(languages)}.")
    return weights, languages.pop()


def main() -> int:
    """Prepare, and tell how many pairs each corpus has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="TOML of `mtcli train` whose [[data.corpora]] name the corpora")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of parallel text")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--naming", nargs="+", default=[], metavar="NAME", help="leave out everyday sentences that name none of these"
    )
    parser.add_argument("--seed", type=int, default=1, help="fixes all chance")
    options = parser.parse_args()
    try:
        counts = prepare(options.recipe, options.folders, options.out, seed=options.seed, naming=options.naming)
    except (MtcliError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    for name, count in counts.items():
        print(f"{name:12} {count:9,} pairs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
