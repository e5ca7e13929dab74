"""The stages of `make gpu`, in their order. A new one is a module with `run(context)` and a line here."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: as STAGE names it.
        module: its `run(context)` is called in a process of its own.
        needs: which packages it must have: "torch", or "project" (all of mtcli's), or "tests" (pytest as well).
        needs_data: whether DATA must be given.
        weight: its share of a total time, beside those of the others.
        least: seconds below which it is not worth beginning.
    """

    name: str
    module: str
    needs: str = "torch"
    needs_data: bool = False
    weight: float = 1.0
    least: float = 30.0


# The most wanted first: where a total time does not suffice for all, the last ones are left out.
STAGES = (
    Stage("ceilings", "benchmarks.gpu.ceilings", weight=0.5, least=20.0),
    Stage("correct", "benchmarks.gpu.correct", needs="tests"),
    Stage("kernels", "benchmarks.gpu.kernels", weight=1.5),
    Stage("translate", "benchmarks.gpu.translate", needs="project", weight=1.5, least=60.0),
    Stage("train", "benchmarks.gpu.train", needs="project", weight=1.2, least=60.0),
    Stage("quality", "benchmarks.gpu.quality", needs="project", needs_data=True, weight=1.5, least=150.0),
)


def budget(stage: Stage, behind: Sequence[Stage], left: float, most: float) -> float | None:
    """Seconds that a stage gets of those that are left for it and the stages behind it; None where too few are left."""
    if left < stage.least:
        return None
    share = left * stage.weight / (stage.weight + sum(one.weight for one in behind))
    return min(most, left, max(share, stage.least))


def chosen(names: str) -> list[Stage]:
    """The stages of a comma-separated list, in the order of STAGES; all for "all".

    Raises:
        ValueError: a name that is none of them.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    known = [stage.name for stage in STAGES]
    if unknown := wanted - {*known, "all"}:
        raise ValueError(f"there is no stage {', '.join(sorted(unknown))}; there are {', '.join(known)} and all.")
    if not wanted:
        raise ValueError(f"no stage is named; there are {', '.join(known)} and all.")
    return [stage for stage in STAGES if "all" in wanted or stage.name in wanted]
