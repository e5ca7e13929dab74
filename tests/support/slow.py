"""Parameters that only `make test-all` runs: the rest of a matrix whose representatives `make test` runs as well."""

from typing import Any

import pytest


def slow(*values: Any) -> list[Any]:
    """These values (a tuple where a test takes several) as parameters marked slow."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow) for value in values
    ]
