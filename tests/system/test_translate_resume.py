"""A killed translation of files loses nothing: the same command again writes the bytes of one that was not killed."""

import json
import signal
from functools import partial
from pathlib import Path

import pytest
from support.command import mtcli
from support.killing import committed_lines, end_stopped, stopped_before, visible_files, write_lines
from support.tiny import write_untrained

LINES = 800


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("inputs")
    (directory / "b").write_bytes(b"")
    return [
        write_lines(directory / "a", 0, LINES),
        directory / "b",
        write_lines(directory / "c", LINES, LINES // 4),
    ]


def translate_one(
    model: Path, inputs: list[Path], directory: Path, engine: str = "native", dtype: str = "float32"
) -> list[str]:
    files = ["-m", str(model), "-i", str(inputs[0]), "-o", str(directory / "out.gz")]
    # Repairs of an untrained model's noise would let lines come in a few bursts.
    return ["translate", *files, "--device", "cpu", f"--engine={engine}", f"--dtype={dtype}", "--no-repair"]


def translate_all(model: Path, inputs: list[Path], directory: Path) -> list[str]:
    """Each input into its own output, as JSON lines with scores, with alignments and statistics."""
    outputs = ("--output-dir", directory, "--alignments", directory / "links", "--stats", directory / "stats.json")
    options = ("--format", "jsonl", "--n-best", "2", "--device", "cpu")
    return ["translate", "-m", *map(str, (model, *options, *outputs, *reversed(inputs)))]


COMMANDS = {
    "one": translate_one,
    "int8": partial(translate_one, dtype="int8"),
    "torch": partial(translate_one, engine="torch"),
    "all": translate_all,
}
INDEPENDENT = ("one", "int8", "all")  # of what is decoded beside a line, to the last bit


def results(directory: Path) -> dict[str, bytes]:
    """What was written; the statistics, which hold times, without them."""
    found = visible_files(directory)
    if "stats.json" in found:
        counts = json.loads(found["stats.json"])
        kept = ("lines", "blank_lines", "distinct_lines", "split_lines", "parts")
        found["stats.json"] = json.dumps({name: counts[name] for name in kept}).encode()
    return found


@pytest.fixture(scope="module")
def uninterrupted(model: Path, inputs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, command in COMMANDS.items():
        made[name] = tmp_path_factory.mktemp(name)
        finished = mtcli(*command(model, inputs, made[name]))
        assert finished.returncode == 0, finished.stderr.decode()
    return made


def end_in_the_middle(arguments: list[str], number: signal.Signals) -> tuple[int, str]:
    """Start a run and send it a signal after it has committed some lines; its exit code and its messages."""
    return end_stopped(stopped_before(r"\.journal$", 3, arguments), number)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_killed_runs_write_the_same_bytes(
    name: str, model: Path, inputs: list[Path], uninterrupted: dict[str, Path], tmp_path: Path
) -> None:
    arguments = COMMANDS[name](model, inputs, tmp_path)
    reached = 0
    for _ in range(2):
        code, _ = end_in_the_middle(arguments, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert committed_lines(tmp_path) > reached
        reached = committed_lines(tmp_path)
    finished = mtcli(*arguments)
    assert finished.returncode == 0
    assert f"Going on after line {reached:,} of an earlier run." in finished.stderr.decode()
    assert results(tmp_path) == results(uninterrupted[name])
    assert not list(tmp_path.glob(".*.partial"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("int8", "an option has"), ("torch", "an option and the engine, or the version of mtcli or PyTorch have")],
)
def test_another_engine_or_number_type_starts_over(
    name: str, reason: str, model: Path, inputs: list[Path], uninterrupted: dict[str, Path], tmp_path: Path
) -> None:
    end_in_the_middle(translate_one(model, inputs, tmp_path), signal.SIGKILL)
    assert committed_lines(tmp_path) > 0
    finished = mtcli(*COMMANDS[name](model, inputs, tmp_path))
    assert finished.returncode == 0
    assert f"Starting over: {reason} changed since the earlier run." in finished.stderr.decode()
    assert results(tmp_path) == results(uninterrupted[name])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_how_to_go_on(
    number: signal.Signals,
    code: int,
    model: Path,
    inputs: list[Path],
    uninterrupted: dict[str, Path],
    tmp_path: Path,
) -> None:
    arguments = COMMANDS["one"](model, inputs, tmp_path)
    ended, messages = end_in_the_middle(arguments, number)
    assert ended == code
    kept = committed_lines(tmp_path)
    assert f"{kept:,} lines are kept. The same command goes on after them." in messages
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.gz.journal", ".out.gz.partial"]
    assert mtcli(*arguments, "--quiet").stderr == b""
    assert results(tmp_path) == results(uninterrupted["one"])


def test_a_finished_job_repeated_does_nothing(
    model: Path, inputs: list[Path], uninterrupted: dict[str, Path], tmp_path: Path
) -> None:
    for name, message in (("one", "out.gz is up to date."), ("all", "All 3 outputs are up to date.")):
        before = {path: path.stat().st_mtime_ns for path in uninterrupted[name].iterdir()}
        finished = mtcli(*COMMANDS[name](model, inputs, uninterrupted[name]))
        assert (finished.returncode, finished.stdout) == (0, b"")
        assert message in finished.stderr.decode()
        assert {path: path.stat().st_mtime_ns for path in uninterrupted[name].iterdir()} == before


@pytest.mark.parametrize(
    "option",
    [
        *("--greedy", "--length-penalty=0.5", "--set=decoding.beam_size=2"),
        *("--dtype=int8", "--dtype=bfloat16", "--engine=torch"),
    ],
)
def test_another_option_is_another_job(
    option: str, model: Path, inputs: list[Path], uninterrupted: dict[str, Path]
) -> None:
    name = option.partition("=")[0]
    arguments = [each for each in translate_one(model, inputs, uninterrupted["one"]) if not each.startswith(name)]
    if option == "--dtype=bfloat16":
        arguments.remove("--engine=native")
    finished = mtcli(*arguments, option)
    assert finished.returncode == 1
    assert "out.gz exists already" in finished.stderr.decode()


def test_two_processes_do_not_write_one_output(model: Path, inputs: list[Path], tmp_path: Path) -> None:
    arguments = COMMANDS["one"](model, inputs, tmp_path)
    process = stopped_before(r"\.journal$", 1, arguments)
    try:
        second = mtcli(*arguments, "--force")
        assert second.returncode == 1
        assert "Another process is writing" in second.stderr.decode()
    finally:
        end_stopped(process, signal.SIGKILL)


def test_verified_lines_are_counted(model: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_text("a small dog\n\nthe old house\n")
    arguments = ["translate", "-m", str(model), "-i", str(source), "--verify", "5", "--stats", str(tmp_path / "stats")]
    finished = mtcli(*arguments, "-o", str(tmp_path / "out"), "--device", "cpu", "--dtype", "float32")
    counts = json.loads((tmp_path / "stats").read_text())
    assert counts["verified"] == {"lines": 2, "different": 0}, finished.stderr.decode()
    assert finished.returncode == 0
    assert "Verified: 2 lines" in finished.stderr.decode()
