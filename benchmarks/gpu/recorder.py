"""A pytest plugin that writes down each test as it ends, so that a process that is killed has said what it did.

    python -m pytest -p benchmarks.gpu.recorder --gpu-record FILE [--gpu-seed N] [--gpu-sample N] ...

Lines of FILE are JSON: {"test", "outcome": "passed" | "failed" | "skipped" | "error", "seconds", "message"}; the
last line names the test that was running if the process broke down: {"test", "outcome": "begun"}.
"""

import json
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch

MESSAGE_KEPT = 800  # characters
_outcomes: dict[str, dict[str, Any]] = {}
_collection_errors: list[dict[str, Any]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("recorder")
    group.addoption("--gpu-record", type=Path, help="file to write a line for each test to")
    group.addoption("--gpu-seed", type=int, default=0, help="seed of torch before each test")
    group.addoption("--gpu-sample", type=int, default=0, help="run this many tests of each file only; 0 for all")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first few of each file that do not need a GPU: for a rehearsal."""
    most = config.getoption("--gpu-sample")
    if not most:
        return
    by_file: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not item.get_closest_marker("gpu"):
            by_file[item.path].append(item)
    kept = [item for of_file in by_file.values() for item in of_file[:most]]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    torch.manual_seed(item.config.getoption("--gpu-seed"))
    _write(item.config, {"test": item.nodeid, "outcome": "begun"})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    entry = _outcomes.setdefault(item.nodeid, {"test": item.nodeid, "outcome": "passed", "seconds": 0.0, "message": ""})
    entry["seconds"] = round(entry["seconds"] + report.duration, 3)
    if report.failed:
        entry["outcome"] = "failed" if report.when == "call" else "error"
        entry["message"] = _message(report, call)
    elif report.skipped:
        entry["outcome"] = "skipped"
        entry["message"] = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.when == "teardown":
        _write(item.config, _outcomes.pop(item.nodeid))
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be imported is an error of its own."""
    if report.failed:
        said = [line.removeprefix("E").strip() for line in report.longreprtext.splitlines() if line.startswith("E")]
        message = "\n".join(said) or report.longreprtext
        _collection_errors.append({"test": report.nodeid, "outcome": "error", "message": message[-MESSAGE_KEPT:]})


def pytest_sessionfinish(session: pytest.Session) -> None:
    for entry in _collection_errors:
        _write(session.config, entry | {"seconds": 0.0})


def _message(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    if call.excinfo is not None:
        return str(call.excinfo.exconly())[:MESSAGE_KEPT]
    return report.longreprtext[-MESSAGE_KEPT:]


def _write(config: pytest.Config, entry: dict[str, Any]) -> None:
    path: Path | None = config.getoption("--gpu-record")
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
