"""The card of a model: what its training recorded, and what its makers say of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from mtcli.config import load_config
from mtcli.errors import CheckpointError, ConfigError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.model_directory.card import card_of, direction_of, render_card

FACTS: dict[str, Any] = {
    "data": {
        "files": {"train": {"train.en": "11", "train.de": "22"}},
        "train": {"pairs": 1000},
        "valid": {"pairs": 10},
        "vocabulary": {"source": 300, "target": 400},
    },
    "training": {"parameters": 1234, "steps": 5000, "target_tokens": 600, "minutes": 1.5, "device": "cpu"},
    "scores": {"step": 4000, "nll": 2.0, "perplexity": 7.4, "bleu": 12.345},
    "settings": {},
}


def test_a_card_says_what_the_run_recorded() -> None:
    text = render_card(FACTS)
    assert text.startswith("# A translation model made by mtcli\n")
    for part in (
        "1,234 parameters",
        "300 source and 400 target",
        "12.35 cased BLEU on 10",
        "(step 4,000)",
        "- train.de",
    ):
        assert part in text
    assert "License" not in text


def test_before_any_validation_there_is_no_score() -> None:
    assert "Score in training: none yet" in render_card({**FACTS, "scores": {}})


def test_what_its_makers_say_is_in_the_card_and_reads_back() -> None:
    said = load_config(
        assignments=[
            'card.src_language="Korean"',
            'card.tgt_language="English"',
            'card.credit="the villagers of Jeju"',
            'card.good_for="talk about the weather"',
        ]
    ).card
    provenance = {**FACTS, "settings": {"card": said.model_dump()}}
    text = render_card(provenance)
    assert text.startswith("# Korean to English: a translation model made by mtcli\n")
    assert "**Credit**: the villagers of Jeju\n" in text
    assert "**Good for**: talk about the weather\n" in text
    assert card_of(provenance) == said


def test_half_a_direction_is_refused() -> None:
    with pytest.raises(ConfigError, match="src_language and tgt_language"):
        load_config(assignments=['card.src_language="Korean"'])


def test_long_paragraphs_are_broken_and_lists_are_not() -> None:
    said = {"card": {"not_for": "words " * 50}}
    text = render_card({**FACTS, "settings": said})
    assert max(map(len, text.splitlines())) <= 110
    assert text.count("words") == 50


def test_a_direction_is_read_from_the_card(tmp_path: Path) -> None:
    assert direction_of(IN_THE_BOX) == ("en", "de")
    assert direction_of(tmp_path) is None
    card = load_config(assignments=["card.src_code=ko", "card.tgt_code=pt-BR"]).card.model_dump()
    (tmp_path / "provenance.json").write_text(json.dumps({"settings": {"card": card}}))
    assert direction_of(tmp_path) == ("ko", "pt-BR")
    (tmp_path / "provenance.json").write_text('{"settings": {}}')
    assert direction_of(tmp_path) is None


@pytest.mark.parametrize("settings", ["[]", '{"card": 3}', '{"card": {"src_code": "en", "tgt_code": "../de"}}'])
def test_a_damaged_card_is_said_to_be_one(settings: str, tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text(f'{{"settings": {settings}}}')
    with pytest.raises(CheckpointError, match=r"provenance\.json is damaged"):
        direction_of(tmp_path)


def test_codes_stand_in_for_names() -> None:
    card = load_config(assignments=["card.src_code=ko", "card.tgt_code=en"]).card
    assert card.direction == "ko to en"
    named = {"src_language": "Korean", "tgt_language": "English"}
    assert card.model_copy(update=named).direction == "Korean to English"


def test_codes_come_together() -> None:
    with pytest.raises(ConfigError, match="src_code and tgt_code"):
        load_config(assignments=["card.src_code=ko"])
