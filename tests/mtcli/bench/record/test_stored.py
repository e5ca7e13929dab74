"""Records go to files and come back; other files are refused in a sentence."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from support.bench_records import decoded, findings, kernel_row, record, trained, workload

from mtcli.bench.contest import Check
from mtcli.bench.record.schema import DEFINITION, KERNEL, BenchRecord
from mtcli.bench.record.stored import as_stored, read_record, to_json
from mtcli.errors import DataError


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    plain, packed = tmp_path / "bench.json", tmp_path / "bench.json.gz"
    plain.write_text(to_json(record()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    found = read_record(plain)
    assert found == read_record(packed)
    assert to_json(found) == to_json(record())
    assert (found.device, found.versions, found.left_out) == (record().device, record().versions, ())
    assert found == as_stored(record()) and found.rows[0] == record().rows[0]


def test_the_json_holds_the_keys_of_the_schema() -> None:
    found = json.loads(to_json(record()))
    schema = BenchRecord.model_json_schema()
    assert set(found) == set(schema["properties"])
    assert set(schema["required"]) <= set(found)
    assert set(found["rows"][0]) == set(schema["$defs"]["BenchRow"]["properties"])


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(to_json(record())), **changes})


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (to_json(record())[:-200], "is no JSON, or was cut short"),
        ("", "is no JSON"),
        ("[1, 2]", "is not a record of mtcli bench"),
        ('{"title": "another"}', "is not a record of mtcli bench"),
        (changed(format_version=1), "has format_version 1; this mtcli reads 2"),
        (changed(ceilings={}), "at ceilings.bytes_per_second: field required"),
        (changed(speed=3), "at speed: extra inputs"),
        (changed(seconds="long"), "at seconds: input should be a valid number"),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, content: str, gist: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_record(path)
    assert gist in str(caught.value)
    assert str(caught.value).startswith(f"{path} ")
    assert str(caught.value).count("\n") == 0


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(b"\x80\x81\x00")
    with pytest.raises(DataError, match="is no JSON"):
        read_record(path)


def test_faults_are_mtclis_own() -> None:
    assert record().faults() == []  # torch.compile cannot run in it, which is no fault of mtcli's
    failed = Check(what="the same alone", passed=False, detail="3 of 8 differ")
    wrong = kernel_row(DEFINITION, None, status="wrong", why="output 0: 3 numbers are wrong.")
    idle = kernel_row(KERNEL, None, status="cannot run", why="no GPU")
    assert record(wrong, idle, workloads={"translate": workload(checks=(failed,))}).faults() == [
        "kernels: cross_entropy, 64 x 8000, forward, float32, reference: wrong: output 0: 3 numbers are wrong.",
        "translate: a check failed: the same alone: 3 of 8 differ.",
    ]


def test_findings_are_saved_whenever_there_is_more() -> None:
    saved: list[BenchRecord] = []
    found = findings(saved)
    found.unfinished = ["train"]
    found.add(decoded())
    found.add(decoded(rate=100.0), trained())
    assert [len(one.rows) for one in saved] == [1, 2]
    assert saved[1].rows[0].figures["target tokens/s"].median == 100.0
    assert saved[1].left_out == ("train: it was stopped before the end",)
    assert saved[1].only(("train",)).sections == ["train"]
