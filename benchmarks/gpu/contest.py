"""One operation against PyTorch's best on the same inputs: each contestant is checked, then the right ones timed.

An operation's module under `gpu.ops` has a function `cases(context)`; this one runs them in a process of their own
and writes `kernels.json` after each. A case's row there (times in microseconds):

    {"case", "direction": "forward" | "forward and backward", "shape": {...}, "dtype",
     "bytes", "flops": the fewest, see gpu.formulas, "floor_us": the time they take at the ceilings,
     "contestants": [{"name", "note", "status": "right" | "wrong" | "cannot run" | "out of memory",
                      "error": relative to the exact result's norm, "why": a sentence where it is not right,
                      "eager": timing of single calls, caches cold, "graph": timing within a CUDA graph,
                      "bytes_per_second", "flops_per_second", "fraction": floor over time}],
     "torch_best": {"eager" | "graph": {"name", "speedup": its time over ours}}}
"""

import contextlib
import gc
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from gpu.accuracy import Judge
from gpu.ceilings import ceilings_of
from gpu.context import Context
from gpu.formulas import Cost
from gpu.results import Json, load, write
from gpu.tables import OURS
from gpu.timing import Stopwatch, Timed, Within

EAGER = "padded"
EAGER_SECONDS, GRAPH_SECONDS = 0.08, 0.05  # for each contestant of a case
CASE_SECONDS = 15.0  # a case is not begun with less time left
MOST_ROTATED = 20  # sets of inputs that a graph cycles over


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to compute an operation.

    Attributes:
        name: `OURS` for the kernels, `EAGER` for the plain form whose error sets the limit.
        run: from a case's inputs; this is timed.
        outputs: from the inputs and what `run` returned to what is compared with the exact outputs.
        within: a context that `run` needs, not timed.
        note: what a reader must know to compare, such as what was prepared beforehand.
    """

    name: str
    run: Callable[[Any], Any]
    outputs: Callable[[Any, Any], tuple[Tensor, ...]] = lambda inputs, returned: returned
    within: Within = contextlib.nullcontext
    note: str = ""


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
        contestants: `OURS` among them.
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
    before: Callable[[Any], None] | None = None
    arithmetic: torch.dtype | None = None
    in_graph: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, {self.direction}"


class Operation(Protocol):
    """A module under `gpu.ops`."""

    def cases(self, context: Context) -> Iterator[Case]: ...


def operation(name: str) -> Operation:
    """The module of an operation."""
    return importlib.import_module(f"gpu.ops.{name}")


class BrokenDeviceError(RuntimeError):
    """A call broke the process's CUDA context: nothing can run in this process any more."""


def run(context: Context) -> None:
    """Measure the one operation of the context and add it to `kernels.json`.

    Goes on behind the case that an earlier process broke down in, if one did.
    """
    (name,) = context.ops
    torch.set_float32_matmul_precision("highest")
    watch = Stopwatch(context.torch_device, context.rehearsal)
    ceilings: dict[torch.dtype, tuple[Json, str]] = {}
    report = Report(context.results / "kernels.json", name)
    for number, case in enumerate(operation(name).cases(context)):
        if number < report.entry["begun"]:
            continue
        if context.left() < CASE_SECONDS:
            report.entry["left_out"].append(case.title)
            continue
        report.save(begun=number + 1, error=f"The process ended during: {case.title}.")
        if case.dtype not in ceilings:
            ceilings[case.dtype] = ceilings_of(context, watch, _name(case.dtype))
        best, source = ceilings[case.dtype]
        try:
            row = measure(case, context, watch, best)
        except BrokenDeviceError as error:
            report.save(error=f"{case.title}: {error}")
            sys.exit(f"{name}: {case.title}: {error}")
        report.entry["rows"].append(row)
        report.save(ceilings=source)
        print(one_line(name, row), flush=True)
        _forget()
    report.save(error=None, finished=True)


class Report:
    """An operation's entry in `kernels.json`; the stage has written the file before."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._started = time.time()
        fresh: Json = {"finished": False, "begun": 0, "seconds": 0.0, "left_out": [], "lost": [], "rows": []}
        self.entry: Json = self._file()["ops"].get(name) or fresh
        if error := self.entry.pop("error", None):
            self.entry["lost"].append(error)
        self._before = self.entry["seconds"]
        self.save()

    def _file(self) -> Json:
        record = load(self._path)
        assert record is not None, "the stage writes the file first"
        return record

    def save(self, **parts: Any) -> None:
        """Set these parts of the entry and write the file."""
        self.entry.update(parts)
        self.entry["seconds"] = self._before + time.time() - self._started
        record = self._file()
        record["ops"][self._name] = self.entry
        write(self._path, record)


def measure(case: Case, context: Context, watch: Stopwatch, best: Json) -> Json:
    """Check and time the contestants of one case."""
    dtype = _name(case.dtype)
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
    }
    try:
        inputs = case.make(context.seed)
        found = _check_all(case, inputs)
    except torch.cuda.OutOfMemoryError:
        row["left_out"] = "The inputs and the exact result do not fit this GPU's memory."
        return row
    row["contestants"] = list(found.values())
    right = {one.name: one for one in case.contestants if found[one.name]["status"] == "right"}
    _time_eagerly(case, inputs, right, found, watch)
    if case.in_graph:
        _time_in_graphs(case, inputs, right, found, watch, context.seed)
    for result in found.values():
        _rate(result, case.cost, floor)
    row["torch_best"] = {way: best_of_torch(row["contestants"], way) for way in ("eager", "graph")}
    return row


def _check_all(case: Case, inputs: Any) -> dict[str, Json]:
    """Run every contestant once and compare it with the exact result."""
    exact = _detached(case.exact(inputs))
    by_name = {one.name: one for one in case.contestants}
    eager = None
    with contextlib.suppress(torch.cuda.OutOfMemoryError):
        eager = _outputs(case, by_name[EAGER], inputs) if EAGER in by_name else None
    judge = Judge(exact, case.arithmetic or case.dtype, eager)
    del eager
    found: dict[str, Json] = {}
    for one in case.contestants:
        result: Json = {"name": one.name, "note": one.note, "status": "right", "error": None, "why": None}
        try:
            verdict = judge.judge(_outputs(case, one, inputs))
        except torch.cuda.OutOfMemoryError:
            result["status"] = "out of memory"
        except Exception as error:  # noqa: BLE001 - whatever stops a contestant is a result to report
            _raise_if_broken(one.name, error)
            result |= {"status": "cannot run", "why": _first_lines(error)}
        else:
            result["error"] = verdict.error
            if verdict.failure:
                result |= {"status": "wrong", "why": verdict.failure}
        found[one.name] = result
    return found


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
            _raise_if_broken(name, error)
            found[name]["graph_why"] = _first_lines(error)
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


def best_of_torch(contestants: list[Json], way: str) -> Json | None:
    """The fastest of the right ones that is not ours, and its time over ours; None where either is missing."""
    timed = {one["name"]: one[way]["median"] for one in contestants if one["status"] == "right" and one.get(way)}
    ours = timed.pop(OURS, None)
    if ours is None or not timed:
        return None
    name = min(timed, key=lambda name: timed[name])
    return {"name": name, "speedup": timed[name] / ours}


def one_line(name: str, row: Json) -> str:
    """A row in short, for the terminal."""
    words = [f"{name}: {row['case']}, {row['direction']}:"]
    for one in row["contestants"]:
        timing: Json = one.get("graph") or one.get("eager") or {}
        words.append(f"{one['name']} {timing['median']:.1f} us" if timing else f"{one['name']} {one['status']}")
    return " ".join([words[0], "; ".join(words[1:])])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _detached(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(output.detach() for output in outputs)


def _first_lines(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _raise_if_broken(name: str, error: Exception) -> None:
    """After an illegal memory access every later call of the process would fail, and look wrong itself."""
    try:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except RuntimeError as broken:
        raise BrokenDeviceError(f"{name} broke the CUDA context ({_first_lines(error)}).") from broken


def _forget() -> None:
    """Give a case's memory back, and forget what torch.compile made for its shapes."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
