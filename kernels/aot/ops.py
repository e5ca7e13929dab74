"""The operations under `kernels/mtcli_kernels`, loaded a module at a time.

An operation's `__init__` imports its public function and with it PyTorch, which the environment of this check
lacks. So its package is put in place empty, and only the modules that know nothing of PyTorch are imported into it.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from mtcli_kernels.aot import Case
from mtcli_kernels.tuning import Tile, TileTable


def op_folders(root: Path) -> list[Path]:
    """The folder of every operation that has kernels, by its `kernel.py` or its `aot_cases.py`."""
    return sorted({path.parent for name in ("kernel.py", "aot_cases.py") for path in root.glob(f"*/{name}")})


def load(folder: Path, module: str) -> ModuleType:
    """Import `module` of the operation in `folder` without running the operation's `__init__`."""
    name = f"mtcli_kernels.{folder.name}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return importlib.import_module(f"{name}.{module}")


def cases(folder: Path) -> list[Case]:
    """What the operation's `aot_cases.py` wants compiled."""
    return list(load(folder, "aot_cases").cases())


def kernel(folder: Path, name: str) -> object:
    """The kernel of that name in the operation's `kernel.py`, or in a `..._kernel.py` where there are several.

    Raises:
        LookupError: no such module has it.
    """
    files = sorted(folder.glob("*kernel.py"))
    for file in files:
        if found := getattr(load(folder, file.stem), name, None):
            return found
    raise LookupError(f"{', '.join(file.name for file in files) or 'no kernel.py'} defines no {name}")


def tiles(folder: Path) -> Iterator[Tile]:
    """Every entry of the tables in the operation's `tiles.py`."""
    if (folder / "tiles.py").exists():
        for table in vars(load(folder, "tiles")).values():
            if isinstance(table, TileTable):
                yield from table.tiles
