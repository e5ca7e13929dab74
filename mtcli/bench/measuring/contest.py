"""One operation against PyTorch's best on the same inputs: each contestant is checked, then the right ones timed.

An operation's module under `mtcli.bench.ops` has a function `cases(setting)`.
"""

import contextlib
import gc
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from mtcli.bench.arithmetic.formulas import Cost
from mtcli.bench.contest.timing import Stopwatch, Timed, Within
from mtcli.bench.measuring.accuracy import Judge
from mtcli.bench.measuring.lineup import KERNELS, Lineup, Setting
from mtcli.bench.records.files import Json
from mtcli.bench.records.rows import best_of_others

EAGER_SECONDS, GRAPH_SECONDS = 0.08, 0.05  # for each contestant of a case
MOST_ROTATED = 20  # sets of inputs that a graph cycles over


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to compute an operation.

    Attributes:
        name: for mtcli's own forms their `impl`.
        run: from a case's inputs; this is timed.
        outputs: from the inputs and what `run` returned to what is compared with the exact outputs.
        within: a context that `run` needs, not timed.
        note: what a reader must know to compare.
        prepared: whether it gets more than mtcli does, such as tensors that are padded already.
    """

    name: str
    run: Callable[[Any], Any]
    outputs: Callable[[Any, Any], tuple[Tensor, ...]] = lambda inputs, returned: returned
    within: Within = contextlib.nullcontext
    note: str = ""
    prepared: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """One operation on inputs of one shape.

    Attributes:
        name: for people.
        direction: "forward" or "forward and backward".
        shape: what the inputs look like.
        dtype: their number type.
        arithmetic: the number type whose roundings are allowed, where it is another.
        cost: the fewest bytes and operations.
        make: inputs from a seed, random each time.
        exact: the outputs, computed in float32.
        contestants: those of the line-up among them.
        lineup: which of them is what mtcli takes, and which one's error sets the limit.
        before: puts back what a call destroys.
        in_graph: also time it inside a CUDA graph.
    """

    name: str
    direction: str
    shape: Json
    dtype: torch.dtype
    cost: Cost
    make: Callable[[int], Any]
    exact: Callable[[Any], tuple[Tensor, ...]]
    contestants: tuple[Contestant, ...]
    lineup: Lineup = KERNELS
    before: Callable[[Any], None] | None = None
    arithmetic: torch.dtype | None = None
    in_graph: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, {self.direction}"


class Operation(Protocol):
    """A module under `mtcli.bench.ops`."""

    def cases(self, setting: Setting) -> Iterator[Case]: ...


def operation(name: str) -> Operation:
    """The module of an operation."""
    return importlib.import_module(f"mtcli.bench.ops.{name}")


class BrokenDeviceError(RuntimeError):
    """A call broke the process's CUDA context: nothing can run in this process any more."""


def measure(case: Case, seed: int, watch: Stopwatch, best: Json) -> Json:
    """Check and time the contestants of one case.

    Args:
        case: inputs, contestants and costs.
        seed: of the inputs.
        watch: times calls on the device.
        best: the device's ceilings, {"bytes_per_second", "flops_per_second": {dtype: rate}}.
    """
    dtype = dtype_name(case.dtype)
    floor = case.cost.floor(best["bytes_per_second"], best["flops_per_second"].get(dtype))
    row: Json = {
        "case": case.name,
        "direction": case.direction,
        "shape": case.shape,
        "dtype": dtype,
        "bytes": case.cost.bytes,
        "flops": case.cost.flops,
        "floor_us": floor * 1e6,
        "contestants": [],
        "torch_best": {},
        "torch_alike": {},
    }
    try:
        inputs = case.make(seed)
        found = _check_all(case, inputs)
    except torch.cuda.OutOfMemoryError:
        row["left_out"] = "The inputs and the exact result do not fit this GPU's memory."
        return row
    row["contestants"] = list(found.values())
    right = {one.name: one for one in case.contestants if found[one.name]["status"] == "right"}
    _time_eagerly(case, inputs, right, found, watch)
    if case.in_graph and watch.has_graphs:
        _time_in_graphs(case, inputs, right, found, watch, seed)
    for result in found.values():
        _rate(result, case.cost, floor)
    alike = [one for one in row["contestants"] if not one["prepared"]]
    for way in ("eager", "graph"):
        row["torch_best"][way] = best_of_others(row["contestants"], way, case.lineup.ours)
        row["torch_alike"][way] = best_of_others(alike, way, case.lineup.ours)
    return row


def _check_all(case: Case, inputs: Any) -> dict[str, Json]:
    """Run every contestant once and compare it with the exact result."""
    exact = _detached(case.exact(inputs))
    judge = Judge(exact, case.arithmetic or case.dtype, _plain_outputs(case, inputs))
    found: dict[str, Json] = {}
    for one in case.contestants:
        result: Json = {
            "name": one.name,
            "note": one.note,
            "prepared": one.prepared,
            "status": "right",
            "error": None,
            "why": None,
        }
        try:
            verdict = judge.judge(_outputs(case, one, inputs))
        except torch.cuda.OutOfMemoryError:
            result["status"] = "out of memory"
        except Exception as error:  # noqa: BLE001 - whatever stops a contestant is a result to report
            raise_if_broken(one.name, error)
            result |= {"status": "cannot run", "why": first_lines(error)}
        else:
            result["error"] = verdict.error
            if verdict.failure:
                result |= {"status": "wrong", "why": verdict.failure}
        found[one.name] = result
    return found


def _plain_outputs(case: Case, inputs: Any) -> tuple[Tensor, ...] | None:
    """What the plain form finds; None where it cannot run, which its own row says."""
    for one in case.contestants:
        if one.name == case.lineup.plain:
            try:
                return _outputs(case, one, inputs)
            except torch.cuda.OutOfMemoryError:
                return None
            except Exception as error:  # noqa: BLE001 - its own row will say what stops it
                raise_if_broken(one.name, error)
    return None


def _outputs(case: Case, one: Contestant, inputs: Any) -> tuple[Tensor, ...]:
    if case.before is not None:
        case.before(inputs)
    with one.within():
        returned = one.run(inputs)
    return _detached(one.outputs(inputs, returned))


def _time_eagerly(
    case: Case, inputs: Any, right: dict[str, Contestant], found: dict[str, Json], watch: Stopwatch
) -> None:
    if not right:
        return
    calls = {name: Timed(lambda one=one: one.run(inputs), one.within) for name, one in right.items()}  # type: ignore[misc]
    before = None if case.before is None else lambda: case.before(inputs)  # type: ignore[misc]
    try:
        timings = watch.in_turn(calls, seconds=EAGER_SECONDS * len(calls), before=before)
    except torch.cuda.OutOfMemoryError:
        return
    except RuntimeError as error:
        raise_if_broken(case.title, error)
        raise
    for name, timing in timings.items():
        found[name]["eager"] = timing.as_json()


def _time_in_graphs(
    case: Case, inputs: Any, right: dict[str, Contestant], found: dict[str, Json], watch: Stopwatch, seed: int
) -> None:
    try:
        sets = [inputs, *(case.make(seed + i) for i in range(1, _rotation(case.cost, watch)))]
    except torch.cuda.OutOfMemoryError:
        return
    before = None if case.before is None else lambda: _put_all_back(case, sets)
    for name, one in right.items():
        calls = [lambda one=one, inputs=inputs: one.run(inputs) for inputs in sets]
        try:
            timing = watch.in_a_graph(calls, seconds=GRAPH_SECONDS, before=before, within=one.within)
        except Exception as error:  # noqa: BLE001 - as above; a call that waits for the GPU cannot be recorded
            raise_if_broken(name, error)
            found[name]["graph_why"] = first_lines(error)
        else:
            found[name]["graph"] = timing.as_json()


def _put_all_back(case: Case, sets: list[Any]) -> None:
    if case.before is not None:
        for inputs in sets:
            case.before(inputs)


def _rotation(cost: Cost, watch: Stopwatch) -> int:
    """Sets of inputs that together exceed the L2 cache twice, as far as that is few enough."""
    return min(max(2 * watch.l2_bytes // max(cost.bytes, 1) + 1, 2), MOST_ROTATED)


def _rate(result: Json, cost: Cost, floor: float) -> None:
    timing = result.get("graph") or result.get("eager")
    if timing is None:
        return
    seconds = timing["median"] * 1e-6
    result["bytes_per_second"] = cost.bytes / seconds
    result["flops_per_second"] = cost.flops / seconds
    result["fraction"] = floor / seconds


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _detached(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(output.detach() for output in outputs)


def first_lines(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def raise_if_broken(name: str, error: Exception) -> None:
    """After an illegal memory access every later call of the process would fail, and look wrong itself."""
    try:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except RuntimeError as broken:
        raise BrokenDeviceError(f"{name} broke the CUDA context ({first_lines(error)}).") from broken


def forget() -> None:
    """Give a case's memory back, and forget what torch.compile made for its shapes."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
