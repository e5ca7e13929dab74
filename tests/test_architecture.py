"""The rooms of the house: arrows between them go down only, no files import one another in a circle.

An arrow is any import that a file's text holds: at its top, inside a function, or for the type checker alone.
"""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {"mtcli": ROOT / "mtcli", "mtcli_kernels": ROOT / "kernels" / "mtcli_kernels"}
# From the top down: a room may import those of later rows, and none of its own row.
LAYERS = (
    ("cli",),
    ("doctor",),
    ("bench", "demo", "serve"),
    ("jobs", "training", "interop"),
    ("documents",),
    ("decoding",),
    ("model_directory",),
    ("model",),
    ("data", "formats", "evaluation", "devices"),
    ("translation",),
    ("checking",),
    ("config",),
    ("files", "processors", "accelerators"),
    ("errors", "mtcli"),
    ("mtcli_kernels",),
)
# Translating on a CPU needs no PyTorch: of these rooms only these modules may load it, or what needs it.
ROOMS_WITHOUT_PYTORCH = (
    *("cli", "serve", "jobs", "documents", "decoding", "model_directory", "data", "formats", "checking", "config"),
    *("files", "errors", "processors", "accelerators", "translation"),
)
NEED_PYTORCH = {
    "mtcli.cli.versions",
    *(f"mtcli.decoding.{name}" for name in ("capacity", "graphs", "loading", "shapes")),
    *(f"mtcli.decoding.engines.{name}" for name in ("slots", "torch", "torch_forced")),
    *(f"mtcli.model_directory.{name}" for name in ("loading", "weights")),
}
DEPTH = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
# The package's own file is at the bottom, for its version, and has doors to the top: it opens them when somebody asks.
# What begins the command line stands above all rooms.
DOORS = ("mtcli", "mtcli.__main__")


def modules() -> dict[str, Path]:
    """All modules by name."""
    found = {}
    for name, source in SOURCES.items():
        for path in source.rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((name, *parts))] = path
    return found


def imported(text: str) -> Iterator[str]:
    """What a file imports; a name taken from a module as `module.name`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written from the root"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    """`mtcli.jobs.run` is in `jobs`, `mtcli.config` is a room of one file."""
    parts = module.split(".")
    return parts[1] if parts[0] == "mtcli" and len(parts) > 1 else parts[0]


def arrows(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """From each module to those of ours that it imports."""

    def ours(name: str) -> str:
        while name and name not in texts:
            name = name.rpartition(".")[0]
        return name

    return {
        module: {found for name in imported(text) if (found := ours(name))} - {module}
        for module, text in texts.items()
        if module not in DOORS
    }


def upward(graph: Mapping[str, set[str]]) -> list[str]:
    """The arrows that do not go down."""
    wrong = []
    for module, targets in graph.items():
        for target in targets:
            room, other = room_of(module), room_of(target)
            if room != other and DEPTH[room] >= DEPTH[other]:
                wrong.append(f"{module} -> {target}")
    return sorted(wrong)


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of modules, if there is any."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: path.read_text(encoding="utf-8") for name, path in modules().items()}


def test_every_room_has_its_place(texts: dict[str, str]) -> None:
    assert {room_of(module) for module in texts if module not in DOORS} | {"mtcli"} == set(DEPTH)


def test_arrows_go_down_only(texts: dict[str, str]) -> None:
    assert upward(arrows(texts)) == []


def test_no_files_import_one_another_in_a_circle(texts: dict[str, str]) -> None:
    assert circle(arrows(texts)) == []


def test_an_arrow_that_goes_up_and_a_circle_are_seen(texts: dict[str, str]) -> None:
    up = "def late():\n    from mtcli.cli.streams import say"
    assert upward(arrows({**texts, "mtcli.jobs.new": up})) == ["mtcli.jobs.new -> mtcli.cli.streams"]
    assert upward(arrows({**texts, "mtcli_kernels.new": "import mtcli"})) == ["mtcli_kernels.new -> mtcli"]
    pair = {"mtcli.files": "import mtcli.errors", "mtcli.errors": "if TYPE_CHECKING:\n    from mtcli import files"}
    assert sorted(set(circle(arrows(pair)))) == ["mtcli.errors", "mtcli.files"]


def test_the_command_line_library_stays_in_its_room(texts: dict[str, str]) -> None:
    users = {room_of(module) for module, text in texts.items() for name in imported(text) if name.startswith("typer")}
    assert users == {"cli"}


@pytest.mark.parametrize(
    ("rooms", "absent"),
    [
        ("mtcli.jobs, mtcli.formats", "typer, rich"),
        ("mtcli.cli.main", "torch, sentencepiece, numpy, pydantic, rich.progress"),
    ],
)
def test_what_a_room_does_not_load(rooms: str, absent: str, texts: dict[str, str]) -> None:
    roots = rooms.split(", ")
    chosen = [module for module in texts for root in roots if module == root or module.startswith(f"{root}.")]
    assert loaded_with(chosen, absent.split(", ")) == []


def loaded_with(modules: Sequence[str], suspects: Sequence[str]) -> list[str]:
    """Which of the suspects a process of its own has loaded when it has imported the modules."""
    program = f"import sys, {', '.join(modules)}; print(*sorted({set(suspects)} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return finished.stdout.split()


def test_what_translating_on_a_cpu_takes_loads_no_pytorch(texts: dict[str, str]) -> None:
    chosen = [module for module in texts if room_of(module) in ROOMS_WITHOUT_PYTORCH and module not in NEED_PYTORCH]
    assert loaded_with(chosen, ["torch", "triton", "mtcli_kernels", "numba"]) == []


@pytest.mark.parametrize("module", sorted(NEED_PYTORCH))
def test_what_is_said_to_need_pytorch_does(module: str) -> None:
    assert loaded_with([module], ["torch"]) == ["torch"]
