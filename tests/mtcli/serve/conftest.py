"""Servers that several test modules ask."""

from collections.abc import Iterator

import pytest
from support.serving import RunningServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The model in the box, served as it is by default."""
    with running_server(tmp_path_factory.mktemp("server"), "--log-requests") as running:
        running.wait_until_ready()
        yield running
