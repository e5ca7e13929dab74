"""Records go to files and come back; other files are refused in a sentence."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from support.made_up_bench import decoded, record, translate

from mtcli.bench.display.csv_rows import csv_text
from mtcli.bench.record.outcomes import wrongs
from mtcli.bench.record.schema import Check, Record
from mtcli.bench.record.stored import read_record, to_json
from mtcli.errors import DataError


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    plain, packed = tmp_path / "bench.json", tmp_path / "bench.json.gz"
    plain.write_text(to_json(record()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    found = read_record(plain)
    assert found == read_record(packed)
    assert to_json(found) == to_json(record())
    assert (found.device, found.versions, found.left_out) == (record().device, record().versions, ())
    assert found.translate is not None and found.translate.model == translate().model
    assert found.translate.rows[0].tgt_tokens_per_second == decoded().tgt_tokens_per_second


def test_the_json_holds_the_keys_of_the_schema() -> None:
    found = json.loads(to_json(record()))
    schema = Record.model_json_schema()
    assert set(found) == set(schema["properties"])
    assert {"device", "versions", "ceilings", "kernels", "translate", "train"} <= set(found)
    assert set(schema["required"]) <= set(found)
    for name, key in (("Ceilings", "ceilings"), ("Translate", "translate"), ("Train", "train"), ("Device", "device")):
        assert set(found[key]) == set(schema["$defs"][name]["properties"])


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(to_json(record())), **changes})


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (to_json(record())[:-200], "is no JSON, or was cut short"),
        ("", "is no JSON"),
        ("[1, 2]", "is not a record of mtcli bench"),
        ('{"title": "another"}', "is not a record of mtcli bench"),
        (changed(format_version=2), "has format_version 2; this mtcli reads 1"),
        (changed(ceilings={}), "at ceilings.copy: field required"),
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
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no JSON"):
        read_record(path)


def test_the_csv_has_a_row_for_each_figure() -> None:
    rows = list(csv.DictReader(csv_text(record(translate=translate(decoded(spread=0.3)))).splitlines()))
    [rate] = [row for row in rows if row["figure"] == "target tokens" and row["section"] == "translate"]
    assert (rate["unit"], rate["median"], rate["low"], rate["high"]) == ("tokens/s", "1500", "1275", "1725")
    assert (rate["repeats"], rate["noisy"], rate["fraction"]) == ("9", "yes", "0.31")
    [copy] = [row for row in rows if row["name"] == "copy" and row["unit"] == "bytes/s"]
    assert (copy["median"], copy["by"], copy["fraction"]) == ("2e+10", "the machine", "")
    [plain] = [row for row in rows if row["by"] == "F.cross_entropy" and row["unit"] == "us"]
    assert (plain["median"], plain["fraction"]) == ("300", "0.333333")
    assert {row["section"] for row in rows} == {"ceilings", "kernels", "translate", "train"}


def test_a_check_that_failed_is_wrong() -> None:
    assert wrongs(record()) == []  # torch.compile cannot run in it, which is no fault of mtcli's
    failed = Check(what="the same alone", passed=False, detail="3 of 8 differ")
    assert wrongs(record(translate=translate(checks=(failed,)))) == [
        "translate: a check failed: the same alone: 3 of 8 differ."
    ]
