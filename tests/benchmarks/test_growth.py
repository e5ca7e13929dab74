"""How translating grows: small loads measured as they are, and what the table says of them."""

from pathlib import Path

import pytest

from benchmarks.contest.records import Growth
from benchmarks.growth import Axis, Load, axes, measure, run_at, text_of
from benchmarks.report.markdown import filled

TOY = Axis(
    title="Toy",
    axis="processes",
    fixed="Six lines.",
    rounds=2,
    loads=(Load(at=1, lines=6), Load(at=2, lines=6, processes=2, options=("--beam-size", "2"))),
)


def test_lines_are_distinct_and_as_long_as_asked() -> None:
    joined = text_of(Load(at=3, lines=5, joined=3))
    assert len(set(joined)) == len(joined) == 5
    assert all(line.count(".") + line.count("?") == 3 for line in joined)
    single = text_of(Load(at=15, lines=15))
    assert " ".join(single) == " ".join(joined)


@pytest.mark.parametrize("name", axes())
def test_the_places_of_an_axis_differ(name: str) -> None:
    loads = axes()[name].loads
    assert [load.at for load in loads] == sorted({load.at for load in loads})
    assert len({(load.lines, load.joined, load.options, load.processes) for load in loads}) == len(loads)


@pytest.mark.slow
def test_a_small_axis_is_measured() -> None:
    saved: list[Growth] = []
    measure("toy", TOY, saved.append)
    assert [max(len(point.runs) for point in result.points) for result in saved] == [1, 2]
    one, two = saved[-1].points
    assert (one.at, two.at) == (1, 2)
    assert one.source_tokens == two.source_tokens > 0
    for run in (*one.runs, *two.runs):
        assert 50 < run.peak_mib < 4000
        assert run.seconds > 0.2
        assert run.tokens_per_second > 0
    table = filled("growth", result=saved[-1], picture=None)
    assert "| processes | lines | source tokens a line |" in table
    assert f"| 2 | 6 | {two.source_tokens / 6:.1f} |" in table
    assert "Medians of up to 2 rounds, in turns." in table
    assert "$ python -m benchmarks.growth toy" in table


def test_a_process_that_fails_stops_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with exit code 2"):
        run_at(Load(at=1, lines=1, options=("--beam-size", "0")), ["I go home."], tmp_path)
