"""Every kernel once, on small inputs: what the memory and race checkers look at."""

import dataclasses

from gpu.context import Context
from gpu.kernels import SHARES
from mtcli.bench.kernels.comparison import operation
from mtcli.bench.record.rows import OURS


def run(context: Context) -> None:
    small = dataclasses.replace(context, toy=True)
    for name in context.ops or SHARES:
        for case in operation(name).cases(small):
            inputs = case.make(context.seed)
            for contestant in case.contestants:
                if contestant.name == OURS:
                    contestant.run(inputs)
        print(f"launched {name}")
