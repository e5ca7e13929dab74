"""Compiling in as many processes as there are processors."""

import multiprocessing
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path

from aot.compiling import compile_job
from aot.jobs import Job
from aot.rows import Row, row_of


def compile_all(jobs: Sequence[Job], build: Path, processes: int) -> Iterator[tuple[int, Row]]:
    """Compile every job, and give its index with its row as soon as it is done.

    A job that kills its process takes the pool and all waiting jobs with it; those are done again one by one, so
    that only the guilty one has an error.

    Args:
        jobs: what to compile.
        build: a folder that keeps compiled kernels and facts for the next run.
        processes: how many work at a time.
    """
    lost = yield from _through_pool(dict(enumerate(jobs)), build, processes)
    for index, job in lost.items():
        if (yield from _through_pool({index: job}, build, 1)):
            yield index, row_of(job, version("triton"), errors=["it does not compile: the compiler crashed"])


def _through_pool(
    jobs: dict[int, Job], build: Path, processes: int
) -> Generator[tuple[int, Row], None, dict[int, Job]]:
    lost = {}
    # A forked process would inherit Triton's threads in an unknown state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = {pool.submit(compile_job, job, build): index for index, job in jobs.items()}
        for future in as_completed(futures):
            index = futures[future]
            if isinstance(future.exception(), BrokenProcessPool):
                lost[index] = jobs[index]
            else:
                yield index, future.result()
    return lost
