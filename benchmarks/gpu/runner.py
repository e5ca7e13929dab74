"""The other side of `processes.run_module`: python -m benchmarks.gpu.runner MODULE CONTEXT."""

import importlib
import sys

from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import interrupt_on_terminate


def main() -> None:
    interrupt_on_terminate()
    module, context = sys.argv[1:]
    importlib.import_module(module).run(Context.from_json(context))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
