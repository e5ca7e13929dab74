"""Every kernel once, on small inputs: what the memory and race checkers look at."""

import dataclasses

from benchmarks.gpu.context import Context
from benchmarks.gpu.kernels import SHARES
from mtcli.bench.measuring.contest import operation
from mtcli.bench.records.rows import OURS


def run(context: Context) -> None:
    small = dataclasses.replace(context, toy=True)
    for name in context.ops or SHARES:
        for case in operation(name).cases(small):
            inputs = case.make(context.seed)
            for contestant in case.contestants:
                if contestant.name == OURS:
                    contestant.run(inputs)
        print(f"launched {name}")
