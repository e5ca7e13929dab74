"""Stage `kernels`: every operation's kernels against their definition and against PyTorch's best, timed.

`kernels.json` adds to what every results file says

    {"ops": {operation: {"finished": bool, "seconds", "ceilings": where they are from, "left_out": [cases],
                         "lost": [sentences: cases that a broken process took with it],
                         "rows": [see mtcli.bench.records.rows]}}}
"""

import sys
from dataclasses import replace

from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import run_module
from benchmarks.gpu.results import Json, ResultsFile, load
from benchmarks.report.gpu import kernel_lines, lost
from mtcli.bench.records.rows import OURS

# Shares of the stage's time; what one leaves over goes to those behind it.
SHARES = {
    "masked_attention": 38,
    "cross_entropy": 14,
    "beam_step": 12,
    "cross_attention_decode": 18,
    "self_attention_decode": 18,
}
PROCESSES = 3  # for each operation: one breaks down, another goes on behind the case it broke on
GRACE = 15.0
SHORTEST = 20.0  # seconds; with less left, an operation is not begun


def run(context: Context) -> None:
    ops = context.ops or tuple(SHARES)
    file = ResultsFile(context, "kernels", "Kernels against PyTorch")
    file.save(ops=_kept(context, ops))
    for i, op in enumerate(ops):
        share = SHARES[op] / sum(SHARES[later] for later in ops[i:])
        part = replace(context.within(max(context.left() * share, SHORTEST)), ops=(op,))
        if context.left() < SHORTEST:
            file.leave_out(op)
            continue
        for _ in range(PROCESSES):
            ended = run_module("benchmarks.gpu.contest", part, grace=GRACE, to_stop=2.0)
            file.record = load(file.path) or file.record  # the process has added its part
            if ended.failure is None or part.left() < SHORTEST:
                break
            print(f"{op}: {ended.failure}", flush=True)
    file.save()
    print("\n".join(kernel_lines(file.record)))
    if wrong := wrongs(file.record):
        sys.exit("\n".join(wrong))


def wrongs(record: Json) -> list[str]:
    """Clauses for kernels that gave no right answer, and for cases that were lost."""
    found = []
    for op, entry in record["ops"].items():
        found += [f"{op}: {sentence}" for sentence in lost(entry)]
        for row in entry["rows"]:
            ours = [one for one in row["contestants"] if one["name"] == OURS]
            bad = [one for one in ours if one["status"] in ("wrong", "cannot run")]
            found += [f"{op}: {row['case']}, {row['direction']}: {one['status']}: {one['why']}" for one in bad]
    return found


def _kept(context: Context, ops: tuple[str, ...]) -> dict[str, object]:
    """What an earlier run on this GPU with these versions found of the other operations."""
    found = load(context.results / "kernels.json")
    if not found or any(found[part] != getattr(context, part) for part in ("rehearsal", "device", "versions")):
        return {}
    return {op: entry for op, entry in found["ops"].items() if op not in ops}
