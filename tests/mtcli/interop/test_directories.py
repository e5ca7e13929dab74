"""Directories are replaced whole, or stay what they were."""

from pathlib import Path

import pytest

from mtcli.errors import DataError
from mtcli.interop.directories import atomic_directory, refuse_to_replace


def model(directory: Path, content: str = "old") -> Path:
    directory.mkdir()
    (directory / "config.json").write_text(content)
    return directory


def test_a_directory_comes_into_being_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with atomic_directory(out) as directory:
        (directory / "config.json").write_text("new")
        assert not out.exists()
    assert (out / "config.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [DataError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_fails_leaves_the_old_one(error: BaseException, tmp_path: Path) -> None:
    out = model(tmp_path / "out")
    with pytest.raises((DataError, KeyboardInterrupt)), atomic_directory(out) as directory:
        (directory / "config.json").write_text("new")
        raise error
    assert (out / "config.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_stops_between_the_renames_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, rename = model(tmp_path / "out"), Path.rename

    def stop(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt), atomic_directory(out) as directory:
        (directory / "config.json").write_text("new")
    assert (out / "config.json").read_text() == "old"


def test_names_are_checked_first(tmp_path: Path) -> None:
    refuse_to_replace(tmp_path / "new", force=False)
    (tmp_path / "empty").mkdir()
    refuse_to_replace(tmp_path / "empty", force=False)
    old = model(tmp_path / "old")
    refuse_to_replace(old, force=True)
    with pytest.raises(DataError, match=r"exists already. Give another name, or --force to replace it."):
        refuse_to_replace(old, force=False)
    with pytest.raises(DataError, match="is a file"):
        refuse_to_replace(old / "config.json", force=True)
    (tmp_path / "empty" / "novel").write_text("x")
    with pytest.raises(DataError, match="something that is no model"):
        refuse_to_replace(tmp_path / "empty", force=True)
    with pytest.raises(DataError, match=r"does not exist. Create it first"):
        refuse_to_replace(tmp_path / "nowhere" / "out", force=False)


def test_a_training_run_is_never_replaced(tmp_path: Path) -> None:
    run = model(tmp_path / "run")
    (run / "checkpoints").mkdir()
    with pytest.raises(DataError, match="holds the directory checkpoints, as a training run does"):
        refuse_to_replace(run, force=True)
