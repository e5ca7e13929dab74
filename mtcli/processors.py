"""How PyTorch's threads share the processors with other programs. To be settled before PyTorch is imported."""

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
