"""Which model translates what: directions, ways over a language between, loading and unloading."""

import asyncio
import json
from pathlib import Path

import pytest
from support.tiny import write_untrained

from mtcli.decoding.options import ComputeOptions
from mtcli.errors import CheckpointError, UsageError
from mtcli.model_directory.box import IN_THE_BOX
from mtcli.serve.models import Models, ServedModel
from mtcli.serve.settings import NamedModel

HERE = ComputeOptions()


def model(*direction: str) -> ServedModel:
    return ServedModel(IN_THE_BOX, (direction[0], direction[1]), HERE)


def test_a_name_may_say_the_direction() -> None:
    assert NamedModel.parse("a/b") == NamedModel(Path("a/b"))
    assert NamedModel.parse("en-de=a/b=c") == NamedModel(Path("a/b=c"), ("en", "de"))
    assert NamedModel.parse("pt-BR:zh-Hant=a") == NamedModel(Path("a"), ("pt-BR", "zh-Hant"))
    assert NamedModel.parse("./a=b") == NamedModel(Path("./a=b"))
    for wrong in ("en=a", "e-d=a", "en-de-fr=a", "en-de="):
        with pytest.raises(UsageError, match="en-de=DIR"):
            NamedModel.parse(wrong)


def test_models_are_found_by_their_cards(tmp_path: Path) -> None:
    directory = write_untrained(tmp_path)
    with pytest.raises(UsageError, match="does not say which languages"):
        Models.open([NamedModel(directory)], HERE)
    card = {"settings": {"card": {"src_code": "ko", "tgt_code": "en"}}}
    (directory / "provenance.json").write_text(json.dumps(card))
    models = Models.open([NamedModel(directory), NamedModel(IN_THE_BOX)], HERE)
    assert [one.name for one in models] == ["ko-en", "en-de"]
    with pytest.raises(UsageError, match="both translate en-de"):
        Models.open([NamedModel(IN_THE_BOX), NamedModel(directory, ("en", "de"))], HERE)
    own = Models.open([NamedModel(directory, ("en", "de")), NamedModel(IN_THE_BOX, may_yield=True)], HERE)
    assert [one.directory for one in own] == [directory]


def test_what_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        Models.open([NamedModel(tmp_path / "none")], HERE)
    with pytest.raises(UsageError, match="nothing to serve"):
        Models.open([], HERE)


def test_ways_over_a_language_between() -> None:
    models = Models([model("ko", "en"), model("en", "de"), model("de", "en"), model("fr", "de")])
    route = models.route("ko", "de")
    assert route is not None and route.pivot == "en"
    assert [one.name for one in route.models] == ["ko-en", "en-de"]
    direct = models.route("en", "de")
    assert direct is not None and direct.pivot is None
    assert models.route("fr", "en") is not None
    assert models.route("de", "de") is None and models.route("en", "ko") is None
    assert sorted(models.targets("ko")) == ["de", "en"]
    assert models.languages == ["ko", "en", "de", "fr"]


def test_a_model_leaves_memory_when_nobody_uses_it() -> None:
    async def scene() -> None:
        one = model("en", "de")
        assert one.translator is None
        async with one.use() as translator:
            assert translator.translate(["Hello."])[0].text
            assert not one.unload_if_idle(0.0)
        assert not one.unload_if_idle(3600.0)
        assert one.unload_if_idle(0.0)
        assert one.translator is None and one.work.decoded == 1
        async with one.use() as again:
            assert again is not translator

    asyncio.run(scene())
