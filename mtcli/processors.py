"""How PyTorch's threads share the processors with other programs. To be settled before PyTorch is imported."""

import os

_SPINS = "3000"  # 0.1 to 0.2 ms; with a third of it small models trained a sixth slower, with 10,000 others wait longer


def share_processors() -> None:
    """Let threads that wait for one another give their processor away soon.

    PyTorch divides an operation among OpenMP threads that then wait for the slowest, for milliseconds in a loop (GNU's
    libgomp). Beside another busy program the one waited for may be the one that has no processor, and its place is
    taken by those waiting. Whoever sets OMP_WAIT_POLICY or GOMP_SPINCOUNT knows better.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
