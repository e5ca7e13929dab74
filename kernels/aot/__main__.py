"""Compile every kernel for GPUs that need not be there, and refuse those that would run badly on them.

    make aot                                             # what models usually compute, with Triton 3.6
    make aot-all                                         # every head size and fp32, and with Triton of .venv too
    PYTHONPATH=kernels python -m aot masked_attention    # one operation, with Triton of this Python

It needs Triton, but no GPU, no driver and no PyTorch. A kernel is refused that does not compile, whose case does
not fit its arguments, that spills registers, wants more shared memory than the GPU has, or misses the tensor
cores. The rows go to stdout and to build/aot.json. Exit code 1: something was refused.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aot.jobs import Job, plan
from aot.judging import SHARED_LIMIT_KIB, problems
from aot.ops import op_folders
from aot.pool import compile_all
from aot.report import table, versions, write_json
from aot.rows import Row

REPOSITORY = Path(__file__).parents[2]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m aot", description="Compile every kernel for GPUs that need not be there."
    )
    parser.add_argument("names", nargs="*", metavar="OP", help="operations to compile (default: all)")
    parser.add_argument("--all", action="store_true", help="every case: other head sizes, and fp32")
    parser.add_argument(
        "--arch",
        type=int,
        nargs="+",
        choices=SHARED_LIMIT_KIB,
        help="GPUs (default: 80, 90, and those that a table has entries for)",
    )
    parser.add_argument(
        "--ops", type=Path, default=REPOSITORY / "kernels" / "mtcli_kernels", help="folder of the operations"
    )
    parser.add_argument(
        "--build", type=Path, default=REPOSITORY / "build", help="folder for aot.json and what is kept between runs"
    )
    parser.add_argument("--add", action="store_true", help="keep what other versions of Triton wrote to aot.json")
    return parser.parse_args()


def planned(args: argparse.Namespace) -> tuple[list[Job], list[str]]:
    """Every job, and what is wrong with the operations' cases."""
    folders = [folder for folder in op_folders(args.ops) if not args.names or folder.name in args.names]
    unknown = sorted({*args.names} - {folder.name for folder in folders})
    complaints = [f"{name}: no such operation in {args.ops}." for name in unknown]
    jobs = []
    for folder in folders:
        more_jobs, more_complaints = plan(folder, args.arch, args.all)
        jobs += more_jobs
        complaints += more_complaints
    if not jobs:
        complaints.append(f"nothing to compile in {args.ops}.")
    return jobs, complaints


def compiled(jobs: Sequence[Job], build: Path) -> list[Row]:
    """The rows of the jobs, in their order; a terminal shows how many are done."""
    rows: dict[int, Row] = {}
    is_watched = sys.stderr.isatty()
    for index, row in compile_all(jobs, build, len(os.sched_getaffinity(0))):
        rows[index] = row
        if is_watched:
            print(f"\r\033[K{len(rows)}/{len(jobs)} {row.op} {row.kernel}", end="", file=sys.stderr, flush=True)
    if is_watched:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return [rows[index] for index in range(len(jobs))]


def main() -> int:
    """Compile, report, and say by the exit code whether all is well."""
    args = arguments()
    # An interpreted kernel is Python; it has nothing to compile.
    os.environ.pop("TRITON_INTERPRET", None)
    start = time.perf_counter()
    jobs, complaints = planned(args)
    rows = compiled(jobs, args.build.resolve() / "aot")
    made_by = versions(sorted({row.arch for row in rows}))
    write_json(args.build / "aot.json", rows, made_by, keep_others=args.add)
    print(table(rows))
    assemblers = ", ".join(f"{arch} by ptxas {release}" for arch, release in made_by["ptxas"].items())
    print(
        f"Triton {made_by['triton']} ({assemblers}): {len(rows)} rows, {time.perf_counter() - start:.0f} seconds.",
        flush=True,
    )
    complaints += [f"{row.title}: {problem}." for row in rows for problem in problems(row)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
