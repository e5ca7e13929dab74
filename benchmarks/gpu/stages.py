"""The stages of `make gpu`, in their order. A new one is a module with `run(context)` and a line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: as STAGE names it.
        module: its `run(context)` is called in a process of its own.
        needs: which packages it must have: "torch", or "project" (all of mtcli's), or "tests" (pytest as well).
        needs_data: whether DATA must be given.
    """

    name: str
    module: str
    needs: str = "torch"
    needs_data: bool = False


STAGES = (
    Stage("ceilings", "gpu.ceilings"),
    Stage("correct", "gpu.correct", needs="tests"),
    Stage("kernels", "gpu.kernels"),
    Stage("translate", "gpu.translate", needs="project"),
    Stage("train", "gpu.train", needs="project"),
)


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
