"""Options of `mtcli train` that say what a model is for."""

from typing import Any

import pytest
from typer.testing import CliRunner

from mtcli.cli.main import app
from mtcli.config import Config
from mtcli.training import run


def test_languages_reach_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Config] = []
    monkeypatch.setattr(run, "train", lambda settings, *_, **__: found.append(settings))
    options: list[Any] = ["--tsv", "a.tsv", "-o", "out"]
    for more in ([], ["--source-language", "ko", "--target-language", "pt-BR"]):
        finished = CliRunner().invoke(app, ["train", *options, *more])
        assert finished.exit_code == 0, finished.output
    assert [(one.card.src_code, one.card.tgt_code) for one in found] == [(None, None), ("ko", "pt-BR")]
    refused = CliRunner().invoke(app, ["train", *options, "--source-language", "../x", "--target-language", "en"])
    assert refused.exit_code == 1 and "card.src_code" in refused.stderr
