"""`mtcli translate` as its users meet it: files, streams, signals, terminals."""

import bz2
import gzip
import json
import lzma
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import MTCLI, fresh_succeed, mtcli, succeed
from support.letters import spelt
from support.patience import PATIENCE, wait_until
from support.slow import slow

from mtcli.model_directory.box import IN_THE_BOX

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


@contextmanager
def running(*arguments: str | Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A translation under way, killed at the end of the block, or where it hangs."""
    command = [*MTCLI, "translate", *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process: subprocess.Popen[bytes] = subprocess.Popen(command, **{**pipes, **options})  # type: ignore[call-overload]
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def answer(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    return process.stdout.readline()


def many_lines(path: Path, count: int = 40_000) -> Path:
    """Different lines: enough to be killed in the middle of."""
    path.write_text("".join(f"{spelt(number)}\n" for number in range(10_000, 10_000 + count)))
    return path


def test_everything_around_the_text_is_kept(reverse_model: Path, tmp_path: Path) -> None:
    data = "a b c\r\n\r\n \t\nd e\u2028 f\n\x00\r\ng\x0c h".encode()
    out = mtcli("translate", "-m", reverse_model, "--quiet", stdin=data)
    assert out.returncode == 0
    lines = out.stdout.decode().split("\n")
    assert lines[:3] == ["c b a\r", "\r", ""]
    assert lines[4] == "\x00\r"
    assert len(lines) == 6
    assert lines[3].strip()
    assert lines[5].strip()


def test_other_columns_and_fields_go_with_their_line(reverse_model: Path, tmp_path: Path) -> None:
    table = tmp_path / "memory.tsv"
    table.write_bytes(b"a b\tid-1\tnote\n\tid-2\nc d e\n")
    arguments = ("translate", "-m", reverse_model, "--input-format", "tsv", "-i", table)
    assert succeed(*arguments) == "b a\tid-1\tnote\n\tid-2\ne d c\n"
    records = [json.loads(line) for line in succeed(*arguments, "--format", "jsonl").splitlines()]
    assert [(record["translation"], record["columns"]) for record in records] == [
        ("b a", ["id-1", "note"]),
        ("", ["id-2"]),
        ("e d c", []),
    ]
    lines = b'{"text": "a b", "id": "x", "meta": {"n": 1.5}}\n{"text": ""}\n'
    json_in = ("translate", "-m", reverse_model, "--input-format", "jsonl")
    first, second = map(json.loads, succeed(*json_in, "--format", "jsonl", stdin=lines).splitlines())
    assert (first["id"], first["translation"], first["meta"], first["input"]) == (0, "b a", {"n": 1.5}, {"id": "x"})
    assert (second["id"], second["translation"]) == (1, "")
    assert succeed(*json_in, stdin=lines) == "b a\n\n"


def test_compressed_both_ways_into_a_directory(reverse_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    inputs = [tmp_path / f"part{suffix}" for suffix in PACK]
    for path in inputs:
        path.write_bytes(PACK[path.suffix](b"a b c\n\nd e"))
    arguments = ("translate", "-m", reverse_model, "--output-dir", out, *inputs)
    assert succeed(*arguments, "--quiet") == ""
    assert sorted(path.name for path in out.glob("[!.]*")) == sorted(path.name for path in inputs)
    for path in inputs:
        assert UNPACK[path.suffix]((out / path.name).read_bytes()) == b"c b a\n\ne d"
    refused = mtcli(*arguments, "--greedy")
    assert refused.returncode == 1
    assert b"--force" in refused.stderr
    again = mtcli(*arguments)
    assert (again.returncode, again.stderr) == (0, b"All 3 outputs are up to date.\n")
    succeed(*arguments, "--force")


def test_bad_utf8_is_replaced_on_request_and_counted(reverse_model: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    done = mtcli(
        *("translate", "-m", reverse_model, "--no-repair", "--on-bad-utf8", "replace", "--stats", stats),
        stdin=b"a b\n\xff\xfe\nc \xe9\n \na b\n",
    )
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 5
    assert b"2 lines held bytes that are not UTF-8" in done.stderr
    counts = json.loads(stats.read_text())
    assert {name: counts[name] for name in ("lines", "blank_lines", "distinct_lines", "replaced_lines", "parts")} == {
        "lines": 5,
        "blank_lines": 1,
        "distinct_lines": 4,
        "replaced_lines": 2,
        "parts": 3,
    }
    assert counts["decoded_parts"] == 2
    assert counts["source_tokens"] > 0
    assert counts["target_tokens"] > 0
    assert counts["target_tokens_per_second"] > 0
    assert counts["dtype"] in ("float32", "bfloat16")
    assert counts["versions"]["torch"]


def test_alignments_follow_the_words(reverse_model: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    lines = ["a b c d", "", "e f", "g h i", " ".join("abcdefghij" * 10)]
    out = succeed(
        *("translate", "-m", reverse_model, "--alignments", links),
        stdin="".join(f"{line}\n" for line in lines).encode(),
    ).splitlines()
    found = [[tuple(map(int, link.split("-"))) for link in line.split()] for line in links.read_text().splitlines()]
    assert len(found) == len(lines)
    assert found[1] == []
    for line, text, pairs in zip(lines, out, found, strict=True):
        words, translated = line.split(), text.split()
        assert sorted(tgt for _, tgt in pairs) == list(range(len(translated)))
        assert all(src < len(words) for src, _ in pairs)
        if len(words) < 9:  # what the model has learnt
            right = sum(words[src] == translated[tgt] for src, tgt in pairs)
            assert right >= 0.6 * len(pairs)


def test_a_fifo_is_read_and_written(reverse_model: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    os.mkfifo(source)
    os.mkfifo(target)
    feeder = threading.Thread(target=lambda: source.write_bytes(b"a b\nc d\n"), daemon=True)
    feeder.start()
    with running("-m", reverse_model, "-i", source, "-o", target) as process:
        with target.open("rb") as stream:
            assert stream.read() == b"b a\nd c\n"
        assert process.wait() == 0
    assert target.is_fifo()


def test_a_conversation_of_many_lines_never_waits(reverse_model: Path) -> None:
    with running("-m", reverse_model, "--quiet", "--format", "tsv") as process:
        for number in range(100):
            line = "" if number % 5 == 0 else spelt(100 + number)
            reply = answer(process, f"{line}\n".encode()).decode()
            assert reply.split("\t")[0] == str(number)
            assert reply.rstrip("\n").split("\t")[3] == " ".join(line.split()[::-1])
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize("options", [(), pytest.param(("--greedy",), marks=pytest.mark.slow)])
def test_the_number_of_threads_changes_nothing(reverse_model: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Not a digit of a score; several threads are several engines, which share the lines."""
    source = many_lines(tmp_path / "in", 400)
    call = ("translate", "-m", reverse_model, "--quiet", "--format", "tsv", *options, "-i", source)
    one, three = (fresh_succeed(*call, env={"OMP_NUM_THREADS": threads}) for threads in ("1", "3"))
    assert one.count("\n") == 400
    assert one == three


@pytest.mark.parametrize("threads", ["3", *slow("1")])  # which are so many engines
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_a_waiting_process_ends_it_tidily(
    reverse_model: Path, number: int, code: int, threads: str
) -> None:
    with running("-m", reverse_model, "--quiet", env={**os.environ, "OMP_NUM_THREADS": threads}) as process:
        assert answer(process, b"a b\n") == b"b a\n"
        process.send_signal(number)
        assert process.wait() == code
        assert process.stderr is not None
        assert process.stderr.read() in (b"", b"Interrupted.\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9), *slow((signal.SIGINT, 130))])
def test_a_killed_stream_leaves_nothing_that_looks_whole(
    reverse_model: Path, tmp_path: Path, number: int, code: int
) -> None:
    outputs = [tmp_path / name for name in ("out.gz", "links", "stats.json")]
    arguments = ("-o", outputs[0], "--alignments", outputs[1], "--stats", outputs[2])
    with running("-m", reverse_model, *arguments) as process:
        assert process.stdin is not None
        process.stdin.write(b"a b\nc d\n")
        process.stdin.flush()
        wait_until(lambda: list(tmp_path.glob(".out.gz.*.partial")) and list(tmp_path.glob(".links.*.partial")))
        process.send_signal(number)
        assert process.wait() == code
    left = [path.name for path in tmp_path.iterdir()]
    if number == signal.SIGKILL:
        assert len(left) == 2
        assert all(name.startswith(".") and name.endswith(".partial") for name in left)
    else:
        assert left == []


def test_a_reader_that_leaves_ends_it_quietly(reverse_model: Path, tmp_path: Path) -> None:
    """While more input is still to come, and with another output open."""
    with running("-m", reverse_model, "--alignments", tmp_path / "links") as process:
        assert answer(process, b"a b\n") == b"b a\n"
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.close()
        process.stdin.write(b"c d\n")
        process.stdin.flush()
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_a_sentence(reverse_model: Path) -> None:
    with Path("/dev/full").open("wb") as full, running("-m", reverse_model, stdout=full) as process:
        _, errors = process.communicate(b"a b\n")
        assert process.returncode == 1
    assert errors.startswith(b"Error: Cannot write standard output: no space is left")
    assert errors.count(b"\n") == 1


BAD_CALLS: dict[str, tuple[int, str, str]] = {
    "stdin without a name": (2, "--output-dir DIR", "stdin has no name"),
    "two inputs of one name": (2, "--output-dir DIR IN DIR/IN", "would both be written to"),
    "two places for the output": (2, "-i IN -o new --output-dir DIR", "not both"),
    "no directory for outputs": (1, "--output-dir nowhere IN", "Create it first"),
    "a file for a directory": (1, "--output-dir IN DIR/IN", "is a file"),
    "two outputs on stdout": (2, "-i IN --alignments -", "all but one a file"),
    "two outputs in one file": (2, "-i IN -o new --stats new", "Two outputs would be written"),
    "existing alignments": (1, "-i IN --alignments DIR/IN", "--force"),
    "an unknown input format": (2, "-i IN --input-format xml", "text, tsv, jsonl"),
    "an unknown policy": (2, "-i IN --on-bad-utf8 ignore", "error, replace"),
    "text that is no JSON": (1, "-i IN --input-format jsonl -o new", "IN:1: int"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_call(name: str, reverse_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, call, gist = BAD_CALLS[name]
    (tmp_path / "DIR").mkdir()
    for path in (tmp_path / "IN", tmp_path / "DIR" / "IN"):
        path.write_text("1\n")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    finished = mtcli("translate", "-m", reverse_model, *call.split())
    assert finished.returncode == code
    assert gist in finished.stderr.decode()
    assert finished.stderr.count(b"\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def read_terminal(controller: int, until: Callable[[bytes], object] = lambda seen: False) -> bytes:
    """What shows on a terminal, up to a condition or its end, which comes when no process has it open any more."""
    seen = b""
    while not until(seen):
        try:
            chunk = os.read(controller, 4096)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    return seen


def test_a_terminal_sees_a_bar_and_ctrl_c_ends_it(reverse_model: Path, tmp_path: Path) -> None:
    source = many_lines(tmp_path / "in")
    controller, terminal = pty.openpty()
    with running(
        *("-m", reverse_model, "-i", source, "-o", tmp_path / "out"),
        stdin=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        seen = read_terminal(controller, lambda seen: b" left" in seen)
        assert b"tokens/s" in seen
        assert b" left" in seen
        os.killpg(process.pid, signal.SIGINT)  # what the terminal does on Ctrl-C
        assert process.wait() == 130
        rest = read_terminal(controller)
    assert b"Interrupted." in rest
    assert b"\x1b[?25h" in rest  # the cursor is back
    assert b" lines are kept. The same command goes on after them." in rest
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.journal", ".out.partial", "in"]
    os.close(controller)


def test_a_terminal_sees_totals_at_the_end_and_nothing_with_quiet(reverse_model: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_text("a b\n\nc d\n")
    for options, gist in (([], b"3 lines, "), (["--quiet"], b"")):
        controller, terminal = pty.openpty()
        with running("-m", reverse_model, "-i", source, *options, stderr=terminal) as process:
            os.close(terminal)
            seen = read_terminal(controller)
            assert process.stdout is not None
            assert process.stdout.read() == b"b a\n\nd c\n"
            assert process.wait() == 0
        assert gist in seen
        assert bool(seen) == bool(gist)
        os.close(controller)


def test_subtitles_translated_as_lines_are_said_once(tmp_path: Path) -> None:
    subtitles, plain = tmp_path / "film.srt", tmp_path / "plain"
    subtitles.write_bytes(b"1\n00:00:01,000 --> 00:00:02,500\nHello.\n")
    plain.write_bytes(b"Hello.\n")
    ended = mtcli("translate", "--quiet", subtitles, plain)
    assert ended.returncode == 0
    assert ended.stdout.count(b"\n") == 4
    said = ended.stderr.decode().splitlines()
    assert [line.startswith(f"Warning: {subtitles} looks like subtitles (SubRip).") for line in said] == [True]
    assert mtcli("translate", "--quiet", stdin=subtitles.read_bytes()).stderr.startswith(b"Warning: <stdin> looks")


@pytest.mark.parametrize("command", ["translate", "score", "evaluate"])
def test_all_commands_tell_what_a_file_is(command: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(b"Hello.\n")
    for content, gist in (
        ("Hello.\n".encode("utf-16-le"), "is text in UTF-16LE"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"Hello.\rYou.\r", "ends its lines as old Macintosh files do"),
        (gzip.compress(b"Hello.\n")[:-9], "is not whole gzip data"),
    ):
        bad.write_bytes(content)
        arguments: dict[str, list[str | Path]] = {
            "translate": ["-i", bad],
            "score": ["-m", IN_THE_BOX, "--src", bad, "--tgt", good],
            "evaluate": ["--hyp", good, "--ref", bad],
        }
        ended = mtcli(command, *arguments[command])
        assert ended.returncode == 1
        assert f"Error: {bad} {gist}" in ended.stderr.decode()
