"""The recipes of configs/broad: what they make of small text, and that nothing held out is learnt from."""

import lzma
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from benchmarks.contest.machine import ROOT
from configs.broad.copying import among, carried, renamed, replaced, wrapped
from configs.broad.corpora import HeldOut, Pair, key, read_folders
from configs.broad.prepare import VARIANTS, named_corpora, prepare
from configs.broad.things import RULES, thing
from configs.broad.variants import as_title, in_capitals, in_lower_case, joined, mistyped, typographic
from mtcli.config import load_config
from mtcli.data.tokenizer import Tokenizer
from mtcli.demo.grammar import generate
from mtcli.errors import ConfigError, DataError

RECIPES = sorted((ROOT / "configs" / "broad").glob("*.toml"), key=lambda path: path.stem)
RECIPES = [path for path in RECIPES if path.stem != "things"]
RECIPE = """\
[data]
tokenizer = "pieces.model"
vocab_size = 900
corpora = [
  {src = "everyday.ko", tgt = "everyday.en", weight = 2.0},
  {src = "ui.ko", tgt = "ui.en"},
  {src = "joined.ko", tgt = "joined.en", weight = 0.5},
  {src = "typographic.ko", tgt = "typographic.en"},
  {src = "wrapped.ko", tgt = "wrapped.en"},
]
"""


def write(folder: Path, name: str, pairs: Sequence[Pair], languages: tuple[str, str] = ("ko", "en")) -> None:
    folder.mkdir(exist_ok=True)
    for side, language in enumerate(languages):
        text = "".join(pair[side] + "\n" for pair in pairs)
        with lzma.open(folder / f"{name}.{language}.xz", "wt", encoding="utf-8") as file:
            file.write(text)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sentences of the demo as everyday text and as a domain; some of the training text is held out as well."""
    pairs = [Pair(pair.korean, pair.english) for pair in generate(num_train=900).train]
    everyday, broad = (tmp_path_factory.mktemp(name) for name in ("everyday", "broad"))
    write(everyday, "train", pairs[:500])
    write(everyday, "dev", [Pair(pairs[0].src, "Something else entirely."), *pairs[880:]])
    write(everyday, "test", [Pair("완전히 다른 말.", pairs[1].tgt.upper())])
    write(broad, "ui", [*pairs[500:850], Pair(f"{pairs[2].src} {pairs[890].src}", f"{pairs[2].tgt} {pairs[890].tgt}")])
    write(broad, "ui.dev", pairs[850:880])
    return [everyday, broad]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def prepared(folders: list[Path], recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    prepare(recipe, folders, out)
    return out


def sides(directory: Path, name: str) -> list[Pair]:
    src, tgt = ((directory / f"{name}.{language}").read_text("utf-8").splitlines() for language in ("ko", "en"))
    return [Pair(*pair) for pair in zip(src, tgt, strict=True)]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_settings_whose_corpora_are_made_and_whose_model_has_at_most_24_megabytes(recipe: Path) -> None:
    config = load_config(file=recipe)
    assert config.card.credit and config.card.license and config.card.not_for
    weights, languages = named_corpora({"corpora": _corpora(recipe)})
    assert f"{languages[0]}-{languages[1]}" == recipe.stem
    domains = {"everyday", "docs", "ui", "help", "fiction", "general", "talk", "news", "web", "terms"}
    assert weights.keys() <= domains | VARIANTS.keys() | {"joined", "carried", "grammar"}
    shape = config.model
    feed_forward, attention = 2 * shape.d_model * shape.ffn_dim, 4 * shape.d_model**2
    layers = shape.encoder_layers * (attention + feed_forward) + shape.decoder_layers * (2 * attention + feed_forward)
    assert 2 * (layers + config.data.vocab_size * shape.d_model) < 23.5e6


def _corpora(recipe: Path) -> list[dict[str, str]]:
    return [
        {"src": str(corpus.src[0]), "tgt": str(corpus.tgt[0])} | {"weight": str(corpus.weight)}
        for corpus in load_config(file=recipe).data.corpora
    ]


def test_the_same_folders_and_seed_give_the_same_bytes(
    folders: list[Path], recipe: Path, prepared: Path, tmp_path: Path
) -> None:
    prepare(recipe, folders, tmp_path / "again")
    for path in prepared.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    prepare(recipe, folders, tmp_path / "other", seed=2)
    assert (tmp_path / "other" / "wrapped.en").read_bytes() != (prepared / "wrapped.en").read_bytes()


def test_nothing_held_out_is_learnt_from_in_any_case_or_joining(folders: list[Path], prepared: Path) -> None:
    held_out = read_folders(folders, ("ko", "en")).held_out
    known = [{key(pair[side]) for pairs in held_out.values() for pair in pairs} for side in (0, 1)]
    corpora = [path.stem for path in prepared.glob("*.ko") if path.stem != "valid"]
    assert len(corpora) == 5
    for name in corpora:
        learnt = sides(prepared, name)
        assert learnt
        for pair in learnt:
            for side in (0, 1):
                parts = [pair[side], *re.split(r"(?<=[.?!])\s+", pair[side])]
                assert not known[side] & {key(part) for part in parts if key(part)}, pair


def test_validation_is_of_the_dev_sets_alone(folders: list[Path], prepared: Path) -> None:
    held_out = read_folders(folders, ("ko", "en")).held_out
    assert held_out.keys() == {"everyday.dev", "everyday.test", "ui.dev"}
    dev = [pair for name in ("everyday.dev", "ui.dev") for pair in held_out[name]]
    assert set(sides(prepared, "valid")) == set(dev)


def test_training_goes_by_the_recipe_as_prepared(prepared: Path) -> None:
    config = load_config(file=prepared / "small.toml")
    assert all(path.exists() for corpus in config.data.corpora for path in (*corpus.src, *corpus.tgt))
    assert config.data.tokenizer is not None
    tokenizer = Tokenizer.from_file(config.data.tokenizer)
    assert tokenizer.vocab_size == 900
    pieces = tokenizer.pieces(tokenizer.encode("“20260”"))
    assert [piece for piece in pieces if any(char.isdigit() for char in piece)] == list("20260")
    assert tokenizer.line(tokenizer.encode("„Größe“ ☃")) == "„Größe“ ☃"


def test_only_everyday_sentences_that_name_somebody_are_learnt_from_where_that_is_asked_for(
    folders: list[Path], recipe: Path, tmp_path: Path
) -> None:
    prepare(recipe, folders, tmp_path / "out", naming=["teacher"])
    learnt = sides(tmp_path / "out", "everyday")
    assert learnt and all(re.search(r"\bteacher\b", pair.tgt) for pair in learnt)


def test_a_recipe_that_nothing_makes_text_for_names_the_corpora(folders: list[Path], tmp_path: Path) -> None:
    recipe = tmp_path / "law.toml"
    recipe.write_text(RECIPE.replace("ui.", "law."))
    with pytest.raises(DataError, match="law"):
        prepare(recipe, folders, tmp_path / "out")


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        ([{"src": "a.en", "tgt": "b.de"}], "two names"),
        ([{"src": "a.en", "tgt": "a.de"}, {"src": "b.ko", "tgt": "b.en"}], "two languages"),
    ],
)
def test_corpora_have_one_name_and_two_languages(corpora: list[dict[str, str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        named_corpora({"corpora": corpora})


def test_folders_without_both_languages_and_uneven_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.en").write_text("a\nb\n")
    with pytest.raises(DataError, match="both en and de"):
        read_folders([tmp_path], ("en", "de"))
    (tmp_path / "train.de").write_text("a\n")
    with pytest.raises(DataError, match=r"2 lines .* 1"):
        read_folders([tmp_path], ("en", "de"))


def test_the_command_says_what_is_wrong_and_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "configs.broad.prepare", str(tmp_path / "none.toml"), str(tmp_path), "-o", "x"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "none.toml" in ended.stderr and "Traceback" not in ended.stderr


def test_a_held_out_line_touches_either_side() -> None:
    held_out = HeldOut({"dev": [Pair("Good morning!", "Guten Morgen!")]})
    assert held_out.touches(Pair("GOOD MORNING", "Moin."))
    assert held_out.touches(Pair("Hi.", "Hallo. Guten Morgen! Wie geht's?"))
    assert held_out.touches(Pair("Hi.", " "))
    assert not held_out.touches(Pair("Good morning, Tom.", "Guten Morgen, Tom."))


def test_capitals_leave_what_a_program_reads() -> None:
    pair = Pair("Open <b>{file}</b> at https://a.de/b or %s.", "Öffne <b>{file}</b> auf https://a.de/b, groß, oder %s.")
    assert in_capitals(pair, Random(1)) == Pair(
        "OPEN <b>{file}</b> AT https://a.de/b OR %s.", "ÖFFNE <b>{file}</b> AUF https://a.de/b, GROSS, ODER %s."
    )
    korean = Pair("파일 열기", "Open file")
    assert in_capitals(korean, Random(1)) == korean


def test_lower_case_and_titles_are_of_the_source_alone() -> None:
    pair = Pair("The end of a Day", "Das Ende eines Tages")
    assert in_lower_case(pair, Random(1)) == Pair("the end of a day", pair.tgt)
    assert as_title(pair, Random(1)) == Pair("The End of a Day", pair.tgt)
    assert as_title(Pair("it's {so_far} good", "x"), Random(1)).src == "It's {so_far} Good"


def test_typographic_variants_change_marks_alone() -> None:
    pair = Pair("He's \"late\" - isn't he?", "Er ist spät dran, oder?")
    found = {typographic(pair, Random(seed)) for seed in range(40)}
    assert len(found) > 4
    assert {key(changed.src) for changed in found} == {key(pair.src)}
    assert {changed.tgt for changed in found} == {pair.tgt}
    assert typographic(Pair("No.", "Nein."), Random(1)) == Pair("No", "Nein")


def test_slips_are_few_and_leave_names_and_placeholders() -> None:
    pair = Pair("Please open {document_name} for Gregory", "x")
    changed = [mistyped(pair, Random(seed)).src for seed in range(50)]
    assert len(set(changed)) > 5
    for text in changed:
        assert "{document_name}" in text and "Gregory" in text
        assert abs(len(text) - len(pair.src)) <= 1


def test_joined_lines_are_made_of_whole_sentences_in_order() -> None:
    pairs = [Pair(f"Sentence {number}.", f"Satz {number}.") for number in range(100)]
    pairs.insert(50, Pair("No sentence", "Kein Satz"))
    lines = list(joined(pairs, Random(1)))
    assert {line.src.count(".") for line in lines} == {2, 3, 4, 5, 6}
    for line in lines:
        assert re.findall(r"\d+", line.src) == re.findall(r"\d+", line.tgt)
    assert not any("No sentence" in line.src for line in lines)


def test_what_both_sides_share_is_replaced_on_both() -> None:
    pair = Pair("Set `port` to 8080 for {user}.", "Setzen Sie `port` für {user} auf 8080.")
    src, tgt = replaced(pair, Random(1)) or pair
    assert "8080" not in src and "{user}" not in src
    assert sorted(re.findall(r"`[^`]+`|\{\w+\}|\d{4}", src)) == sorted(re.findall(r"`[^`]+`|\{\w+\}|\d{4}", tgt))
    assert replaced(Pair("It is 17:30.", "Es ist halb sechs."), Random(1)) is None
    assert replaced(Pair("In 2020.", "Im Jahr 2021."), Random(1)) is None


def test_names_that_come_up_too_often_are_replaced_where_they_are_not_declined() -> None:
    src, tgt = renamed(Pair("Tom is here.", "Tom ist hier."), Random(3)) or Pair("Tom", "Tom")
    assert "Tom" not in src and src.split(" is ")[0] == tgt.split(" ist ")[0]
    assert renamed(Pair("Tom's here.", "Toms Hund ist da."), Random(1)) is None
    assert renamed(Pair("Ann is here.", "Anna ist hier."), Random(1)) is None


def test_wrapping_adds_the_same_to_both_sides() -> None:
    for seed in range(100):
        src, tgt = wrapped(Pair("Save", "Sichern"), Random(seed))
        assert src.replace("Save", "…", 1) == tgt.replace("Sichern", "…", 1) != "…"


@pytest.mark.parametrize("languages", [("en", "de"), ("ko", "en"), ("en", "ko")])
def test_carried_things_are_on_both_sides(languages: tuple[str, str]) -> None:
    pairs = list(carried(languages, 2000, Random(1)))
    assert not any("⟨" in side for pair in pairs for side in pair)
    assert 0.2 < sum(pair.src == pair.tgt for pair in pairs) / len(pairs) < 0.4
    urls = re.compile(r"https://[\w./?=&#:~%-]*\w")
    with_url = [pair for pair in pairs if urls.search(pair.src)]
    assert with_url and all(sorted(urls.findall(pair.src)) == sorted(urls.findall(pair.tgt)) for pair in with_url)


def test_the_grammar_of_things_names_only_symbols_that_it_has() -> None:
    alternatives = [text for texts in RULES.values() for text in texts]
    symbols = {name.lower() for text in alternatives for name in re.findall(r"⟨(\w+)⟩", text)}
    assert symbols <= RULES.keys()
    assert {thing("code", Random(seed)) for seed in range(5)} != {thing("code", Random(0))}


@pytest.mark.parametrize(
    "placeholder", ["{a}", "{{a}}", "${a}", "%(a)s", "%s", "%1$d", "<a>", "&amp;", "$a", "a_b", "aB"]
)
def test_placeholders_of_real_text_are_left_as_they_are(placeholder: str) -> None:
    pair = Pair(f"open {placeholder} now", f"{placeholder} jetzt öffnen")
    assert in_capitals(pair, Random(1)) == Pair(f"OPEN {placeholder} NOW", f"{placeholder} JETZT ÖFFNEN")


def test_pairs_in_which_nothing_is_found_are_left_out() -> None:
    pairs = [Pair("Tom runs.", "Tom läuft."), Pair("She runs.", "Sie läuft.")]
    assert len(list(islice(among(pairs, renamed, Random(1)), 9))) == 1
