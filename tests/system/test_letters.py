"""Whole training runs on languages a Transformer must learn in seconds if nothing is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.letters import TASKS

from mtcli.decoding.translator import Translator
from mtcli.evaluation.metrics import corpus_bleu
from mtcli.files import read_lines
from mtcli.model_directory.loading import load_model


@pytest.mark.parametrize(
    "task", [task if task == "reverse" else pytest.param(task, marks=pytest.mark.slow) for task in TASKS]
)
def test_letters_are_learnt(task: str, trained_letters: Callable[[str], Path]) -> None:
    directory = trained_letters(task)
    model = load_model(directory / "model", torch.device("cpu"))
    lines, references = list(read_lines(directory / "test.src")), list(read_lines(directory / "test.tgt"))
    hypotheses = [translation.text for translation in Translator(model).translate(lines, repair=False)]
    assert corpus_bleu(hypotheses, references) > 95
