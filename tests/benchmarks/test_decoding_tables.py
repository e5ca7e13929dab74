"""Markdown from made-up results."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.report import decoding as tables

HEAD: dict[str, Any] = {
    "title": "Toy",
    "command": ["python -m decoding toy"],
    "device": {"cpu": "Some CPU", "cores": 2, "memory_gib": 23.4},
    "versions": {"mtcli": "0.1.0", "ctranslate2": "4.8.5"},
    "date": "2025-01-31",
    "environment": {"CT2_FORCE_CPU_ISA": "AVX2"},
    "peer_environment": {},
    "seed": 1,
}
MODEL = {
    "name": "base",
    "encoder_layers": 6,
    "decoder_layers": 6,
    "d_model": 512,
    "ffn_dim": 2048,
    "heads": 8,
    "norm": "post",
    "vocabulary": 32000,
    "parameters": 60_500_000,
}
SOURCES = {"origin": "newstest2014", "sentences": 10, "median": 24.0, "mean": 26.04, "max": 71}
AGREEMENT = [
    {"contestant": "CTranslate2", "sentences": 8, "nats_a_token": 7.4e-7, "same_greedy": 8},
    {"contestant": "JoeyNMT", "sentences": 8, "nats_a_token": 2.1e-6, "same_greedy": 7},
]


def who(contestant: str, batch: int | None = None) -> dict[str, Any]:
    settings = {"independent": True, "lines": False} if batch is None else {"batch": batch}
    way = "" if batch is None else f"batch {batch}"
    return {"contestant": contestant, "dtype": "float32", "search": "beam 4", "way": way, "settings": settings}


def rate(contestant: str, rounds: list[float | None], batch: int | None = None, **more: Any) -> dict[str, Any]:
    figures = {"median": 200.4, "min": 190.2, "max": 210.7, "ratio": 1.25}
    return who(contestant, batch) | figures | {"rounds": rounds} | more


ROWS = [
    rate("mtcli", [1.0, 1.0]),
    rate("CTranslate2", [2.0, None], 32, median=900.0),
    rate("CTranslate2", [2.0, 2.0], 64),
]
BASE = HEAD | {"model": MODEL, "sources": SOURCES, "target_tokens": 270, "agreement": AGREEMENT, "rows": ROWS}


def test_base_shows_the_settings_that_went_on() -> None:
    block = tables.base_block(json.dumps(BASE))
    assert "| CTranslate2 | float32 | beam 4 | batch 64 | 200 | 190 to 211 | 1.25 |" in block
    assert "batch 32" not in block
    assert "Each sentence takes exactly 27 decoding steps." in block
    assert "10 sentences of 26.0 source tokens on average, 71 at most (newstest2014)." in block
    assert "how many of the first 8 greedy outputs are the same: CTranslate2 7e-07 and 8; JoeyNMT 2e-06 and 7." in block
    assert (
        "Some CPU, 2 cores, 23 GiB; mtcli 0.1.0, ctranslate2 4.8.5; 2025-01-31. With CT2_FORCE_CPU_ISA=AVX2." in block
    )
    assert block.startswith("**Toy**\n")
    assert block.endswith("```console\n$ PYTHONPATH=benchmarks python -m decoding toy\n```")


def test_every_setting_is_shown_where_it_is_asked_for() -> None:
    block = tables.base_settings_block(json.dumps(BASE))
    assert "| batch 32 | 900 |" in block
    assert "| batch 64 | 200 |" in block


def test_of_settings_measured_in_all_rounds_the_fastest_is_shown() -> None:
    rows = [rate("CTranslate2", [1.0], 32, median=3.0), rate("CTranslate2", [1.0], 64, median=4.0)]
    assert "| batch 64 | 4 |" in tables.base_block(json.dumps(BASE | {"rows": rows}))
    assert "| batch 32 | 3 |" not in tables.base_block(json.dumps(BASE | {"rows": rows}))


def test_rows_stand_by_search_and_decoder() -> None:
    greedy = [row | {"search": "greedy"} for row in ROWS]
    mixed = [ROWS[0], greedy[0], ROWS[2], ROWS[1], greedy[2]]
    block = tables.base_settings_block(json.dumps(BASE | {"rows": mixed}))
    shown = [line.split(" | ")[:4:2] for line in block.splitlines() if line.startswith(("| mtcli", "| CTranslate2"))]
    assert shown == [
        ["| mtcli", "beam 4"],
        ["| CTranslate2", "beam 4"],
        ["| CTranslate2", "beam 4"],
        ["| mtcli", "greedy"],
        ["| CTranslate2", "greedy"],
    ]


def test_without_peers_there_is_no_agreement() -> None:
    assert "agree" not in tables.base_block(json.dumps(BASE | {"agreement": []}))


def test_trained() -> None:
    scores = {"lines_per_second": 12.34, "bleu": 30.126, "mean_tokens": 25.04, "same_text": 9}
    rows = [row | scores for row in ROWS]
    record = HEAD | {"model": MODEL, "sources": SOURCES, "signature": "SIG", "agreement": AGREEMENT, "rows": rows}
    block = tables.trained_block(json.dumps(record))
    assert "| batch 64 | 200 | 190 to 211 | 1.25 | 12.3 | 30.13 | 25.0 | 90.0% |" in block
    assert "- BLEU: `SIG`" in block
    assert "batch 32" not in block
    assert "batch 32" in tables.trained_settings_block(json.dumps(record))


def test_latency_shows_the_least() -> None:
    def row(batch: int, p50: float) -> dict[str, Any]:
        taken = {"p50": p50, "p95": 50.0, "mean": 21.0}
        return who("CTranslate2", batch) | {"rounds": [taken], "median": taken, "ratio": 0.5}

    part = {"model": MODEL, "sources": SOURCES, "agreement": [], "rows": [row(1, 20.04), row(2, 30.0)]}
    parts = [part | {"target_tokens": 27}, part | {"target_tokens": None}]
    block = tables.latency_block(json.dumps(HEAD | {"parts": parts}))
    assert block.count("| CTranslate2 | float32 | beam 4 | batch 1 | 20.0 | 50.0 | 21.0 | 0.50 |") == 2
    assert "batch 2" not in block
    assert block.count("Each takes exactly 27 decoding steps.") == 1


def test_profile_has_a_column_for_each_search() -> None:
    def part(search: str, share: float) -> dict[str, Any]:
        groups = [{"group": "encoder", "seconds": 2 * share, "share": share}]
        head = {"model": MODEL, "sources": SOURCES, "search": search, "target_tokens": 270}
        return head | {"wall": 2.0, "profiled_wall": 3.0, "groups": groups}

    block = tables.profile_block(json.dumps(HEAD | {"parts": [part("beam 4", 0.25), part("greedy", 0.5)]}))
    assert "| part | base, beam 4 | base, greedy |" in block
    assert "| encoder | 25.0% | 50.0% |" in block
    assert "| target tokens/s | 135 | 135 |" in block
    assert "The profiler slowed it down by 50%" in block


def test_another_record_is_refused() -> None:
    with pytest.raises(ValidationError):
        tables.base_block(json.dumps(BASE | {"extra": 1}))
