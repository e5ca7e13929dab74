"""The recipes of the quality benchmark: complete, and a small one followed from the corpus to the table."""

import lzma
from pathlib import Path

import pytest

from benchmarks.contest.machine import ROOT, opening
from benchmarks.contest.records import Quality
from benchmarks.quality import Measuring, Recipe, Scoring, furnish, tasks, train_command
from benchmarks.report.markdown import filled
from mtcli.config import load_config
from mtcli.demo.grammar import generate

TASKS = tasks()
CONFIGS = sorted((ROOT / "configs").glob("*.toml"))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_file_of_settings_is_valid_and_says_who_is_to_be_credited(file: Path) -> None:
    config = load_config(file=file)
    assert config.card.direction
    assert config.card.credit
    assert config.card.not_for


@pytest.mark.parametrize("name", TASKS)
def test_recipes_take_files_that_exist_and_models_made_before(name: str) -> None:
    made: list[str] = []
    for recipe in TASKS[name].recipes:
        words = recipe.options.split()
        given = dict(zip(words[::2], words[1::2], strict=True))
        if "--config" in given:
            assert ROOT / given["--config"] in CONFIGS
        if "--fine-tune" in given:
            assert given["--fine-tune"] in made
        assert recipe.model not in made
        made.append(recipe.model)


def test_every_file_of_settings_is_in_a_recipe() -> None:
    used = {word for task in TASKS.values() for recipe in task.recipes for word in recipe.options.split()}
    assert {f"configs/{file.name}" for file in CONFIGS} <= used


@pytest.mark.slow
def test_a_limit_takes_the_place_of_the_recipes_own() -> None:
    task = TASKS["multi30k-raw"]
    [recipe] = [recipe for recipe in task.recipes if "--max-minutes" in recipe.options]
    command = train_command(task, recipe, " --seed 3 --max-minutes 0.5").split()
    assert command.count("--max-minutes") == 1
    assert command[-4:] == ["--seed", "3", "--max-minutes", "0.5"]
    assert command[:4] == ["mtcli", "train", "--preset", "tiny"]


def test_a_model_is_trained_then_fine_tuned_and_both_are_scored(tmp_path: Path) -> None:
    corpus = generate(num_train=200)
    for name, pairs in (("train", corpus.train), ("dev", corpus.train[:10]), ("test", corpus.train[:20])):
        for language, side in (("en", "english"), ("ko", "korean")):
            lines = "".join(f"{getattr(pair, side)}\n" for pair in pairs)
            path = tmp_path / "data" / "demo" / f"{name}.{language}.xz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(lzma.compress(lines.encode()))
    small = "--preset tiny --set data.vocab_size=900 --set model.d_model=32 --set training.batch_tokens=256"
    task = Scoring(
        title="Demo",
        folder="demo",
        src="en",
        tgt="ko",
        valid="dev",
        tests=("test",),
        recipes=(
            Recipe(name="first", model="first", options=f"{small} --max-steps 8"),
            Recipe(name="then", model="then", options="--fine-tune first --max-steps 3"),
        ),
    )
    furnish(tmp_path / "work", tmp_path / "data")
    measuring = Measuring(task, tmp_path / "work", " --device cpu", [])
    models = [measuring.model(recipe, " --seed 3") for recipe in task.recipes]
    result = Quality(**opening("Demo", measuring.commands), models=models)
    assert [(model.name, model.train.steps) for model in result.models] == [("first", 8), ("then", 3)]
    assert [score.lines for model in result.models for score in model.scores] == [20, 20]
    assert str(tmp_path) not in result.model_dump_json()  # commands are shown as others would type them
    assert all("--device cpu" in command for command in result.command)
    assert any("--fine-tune first" in command for command in result.command)
    assert "| then | test | en-ko | 20 | 5 |" in filled("quality", result=result)
    assert "| Demo | first |" in filled("recipes", results=[result])
