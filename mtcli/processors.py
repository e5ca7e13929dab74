"""The processors: how many there are to use, and how PyTorch's threads share them with other programs.

The latter is to be settled before PyTorch is imported.
"""

import os

# Long enough that a thread is seldom woken, which takes long: with 1,000 small models trained a seventh slower on idle
# processors. Short enough for others: beside a busy program, with 10,000 they trained a sixth slower.
_SPINS = "3000"


def share_processors() -> None:
    """Let threads that wait for one another give their processor away soon.

    PyTorch divides an operation among OpenMP threads that then wait for the slowest, for milliseconds in a loop (GNU's
    libgomp). Beside another busy program the one waited for may be the one that has no processor, and its place is
    taken by those waiting. Whoever sets OMP_WAIT_POLICY or GOMP_SPINCOUNT knows better.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def available_cpus() -> int:
    """Threads to compute with: OMP_NUM_THREADS where it is set, else the processors this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
