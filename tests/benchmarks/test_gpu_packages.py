"""What is missing comes from the wheels; what is there stays."""

import importlib
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.gpu import packages

ROOT = Path(__file__).resolve().parents[2]


def make_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
    """A wheel that holds one empty module."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "wheels"
    folder.mkdir()
    before = sys.path[:]
    yield folder
    sys.path[:] = before
    importlib.invalidate_caches()


def test_what_is_missing_is_installed_with_what_it_needs(wheels: Path, tmp_path: Path) -> None:
    make_wheel(wheels, "mtclitoyone", "1.0", ("mtclitoytwo>=2", "numpy", "nowhere; extra == 'more'"))
    make_wheel(wheels, "mtclitoytwo", "2.5")
    target = tmp_path / "target"
    assert packages.install(["mtclitoyone>=1"], wheels, target) == []
    assert {path.name for path in target.glob("*.py")} == {"mtclitoyone.py", "mtclitoytwo.py"}
    assert metadata.version("mtclitoytwo") == "2.5"
    assert packages.missing(["mtclitoyone>=1", "mtclitoytwo<3"]) == []
    assert packages.missing(["mtclitoyone>=1.1", "mtclitoythree"]) == ["mtclitoyone>=1.1", "mtclitoythree"]


def test_torch_is_never_installed(wheels: Path, tmp_path: Path) -> None:
    make_wheel(wheels, "torch", "99.0")
    make_wheel(wheels, "mtclitoyfour", "1.0", ("torch>=99",))
    target = tmp_path / "target"
    assert packages.install(["mtclitoyfour"], wheels, target) == ["torch>=99"]
    assert not (target / "torch.py").exists()


def test_what_the_wheels_lack_is_named(wheels: Path, tmp_path: Path) -> None:
    assert packages.install(["mtclitoyfive>=1"], wheels, tmp_path / "target") == ["mtclitoyfive>=1"]


def test_markers_are_read() -> None:
    assert packages.missing(["mtclitoysix; sys_platform == 'plan9'"]) == []


def test_each_stage_needs_what_it_says() -> None:
    def names(needs: str) -> set[str]:
        return {text.partition(">")[0] for text in packages.requirements_of(ROOT, needs)}

    assert names("torch") == {"torch", "triton", "numpy"}
    assert names("torch") < names("project") < names("tests")
    assert names("tests") - names("project") == {"pytest", "hypothesis"}
