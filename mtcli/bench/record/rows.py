"""What `mtcli.bench.kernels.comparison` says of one case, for whoever shows it; needs no torch (times in microseconds):

{"case", "direction": "forward" | "forward and backward", "shape": {...}, "dtype",
 "bytes", "flops": the fewest, see mtcli.bench.roofline.formulas, "floor_us": the time they take at the ceilings,
 "contestants": [{"name", "note", "prepared": whether it gets more than ours, such as tensors padded beforehand,
                  "status": "right" | "wrong" | "cannot run" | "out of memory",
                  "error": relative to the exact result's norm, "why": a sentence where it is not right,
                  "eager": timing of single calls, caches cold, "graph": timing within a CUDA graph,
                  "bytes_per_second", "flops_per_second", "fraction": floor over time}],
 "torch_best": {"eager" | "graph": {"name", "speedup": its time over ours}}: the fastest of all others,
 "torch_alike": the same among those that get no more than ours,
 "left_out": a sentence where nothing could be measured}
"""

from mtcli.bench.record.files import Json

OURS = "triton"  # the kernels' name among the contestants
EAGER = "padded"  # the plain form's; where the kernels cannot run, see mtcli.bench.kernels.forms


def best_of_others(contestants: list[Json], way: str, ours_name: str = OURS) -> Json | None:
    """The fastest of the right ones that is not ours, and its time over ours; None where either is missing."""
    timed = {one["name"]: one[way]["median"] for one in contestants if one["status"] == "right" and one.get(way)}
    ours = timed.pop(ours_name, None)
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


DEFINITION = "reference"  # the name of the slow form that says what the operation is


def plain_of(ours: str) -> str:
    """The plain form beside what mtcli takes: where that is the plain form itself, its definition."""
    return DEFINITION if ours == EAGER else EAGER
