"""Models found by their languages: the user's before the box's, the nearest code first."""

import json
import shutil
from pathlib import Path

import pytest
from support.command import mtcli, succeed

from mtcli.errors import UsageError
from mtcli.model_directory import library
from mtcli.model_directory.box import IN_THE_BOX


def installed(folder: Path, name: str, source: str, target: str) -> Path:
    """A model of these languages in a folder: the one in the box under another card."""
    directory = folder / name
    shutil.copytree(IN_THE_BOX, directory)
    path = directory / "provenance.json"
    provenance = json.loads(path.read_text(encoding="utf-8"))
    provenance["settings"]["card"] |= {"src_code": source, "tgt_code": target}
    path.write_text(json.dumps(provenance), encoding="utf-8")
    return directory


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_without_a_folder_there_is_the_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert library.folders() == [tmp_path / "data" / "mtcli" / "models"]
    assert [model.directory for model in library.installed()] == [IN_THE_BOX]
    monkeypatch.delenv("XDG_DATA_HOME")
    assert library.folders() == [Path.home() / ".local/share/mtcli/models"]


def test_the_user_s_model_comes_before_the_box_s(folder: Path) -> None:
    assert library.find("en", "de").directory == IN_THE_BOX
    mine = installed(folder, "mine", "en", "de")
    assert library.find("en", "de").directory == mine
    assert library.find(None, "DE").directory == mine


def test_the_nearest_code_is_taken(folder: Path) -> None:
    british, general = installed(folder, "a", "en-GB", "ko"), installed(folder, "b", "en", "ko")
    assert library.find("en-GB", "ko").directory == british
    assert library.find("en", None).directory == general
    assert library.find("en-US", "ko").directory == british


def test_what_is_not_there_is_said_with_what_is(folder: Path) -> None:
    installed(folder, "a", "ko", "en")
    with pytest.raises(UsageError, match=r"translates de to en; there are ko-en, en-de\. Give one with -m"):
        library.find("de", "en")


def test_folders_that_are_no_models_and_damaged_cards_do_no_harm(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "file").write_text("x")
    damaged = installed(folder, "damaged", "fr", "de")
    (damaged / "provenance.json").write_text("{")
    found = library.installed()
    assert [(model.name, model.source) for model in found] == [("damaged", ""), ("en-de", "en")]
    listed = [json.loads(line) for line in succeed("models", "--json").splitlines()]
    assert [row["model"] for row in listed] == ["damaged", "en-de"]
    assert [row["in_the_box"] for row in listed] == [False, True]
    assert listed[1]["scores"]
    assert "in the box" in succeed("models")


def test_translate_takes_the_model_of_the_languages(folder: Path) -> None:
    mine = installed(folder, "mine", "en", "de-AT")
    done = mtcli("translate", "--to", "de-AT", stdin=b"Where is my book?\n")
    assert done.stdout == b"Wo ist mein Buch?\n"
    assert f"Translating with {mine}, en-de-AT" in done.stderr.decode()
    refused = mtcli("translate", "--from", "ko", stdin=b"x\n")
    assert refused.returncode == 2
    assert b"No model translates ko to any language" in refused.stderr
