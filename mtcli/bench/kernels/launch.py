"""Every kernel once, on small inputs, for memory checkers: python -m mtcli.bench.kernels.launch [OPERATION].."""

import importlib
import sys
from collections.abc import Sequence

from mtcli.bench.settings import OPERATIONS, BenchSettings


def launch(names: Sequence[str], device: str = "cuda", seed: int = 1) -> None:
    """Run what mtcli takes on the device of these operations on every toy case."""
    settings = BenchSettings(torch_device=device, seed=seed, ends_at=0.0, toy=True)
    for name in names:
        for case in importlib.import_module(f"{__package__}.{name}").cases(settings):
            inputs = case.make(seed)
            for variant in case.variants:
                if variant.name == case.lineup.ours:
                    variant.run(inputs)
        print(f"launched {name}")


if __name__ == "__main__":
    launch(sys.argv[1:] or tuple(OPERATIONS))
