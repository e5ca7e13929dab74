"""The picture of attention: pieces grouped into words, weights carried along, a table that fits a terminal."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from mtcli.demo.attention_view import group_pieces, render_attention, word_attention

SOURCE = ["▁나는", "▁집", "에", "▁간", "다", ".", "</s>"]
TARGET = ["▁I", "▁go", "▁ho", "me", ".", "</s>"]
WEIGHTS = [
    [0.90, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01],
    [0.10, 0.10, 0.00, 0.50, 0.20, 0.10, 0.00],
    [0.00, 0.60, 0.30, 0.10, 0.00, 0.00, 0.00],
    [0.00, 0.40, 0.30, 0.20, 0.10, 0.00, 0.00],
    [0.00, 0.20, 0.00, 0.20, 0.00, 0.60, 0.00],
    [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 1.00],
]


def picture(source: list[str], target: list[str], weights: list[list[float]], width: int = 80) -> list[str]:
    console = Console(width=width, file=StringIO())
    console.print(render_attention(source, target, weights, max_width=width))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_pieces_group_into_words() -> None:
    assert group_pieces(SOURCE) == [
        ("나는", [0]),
        ("집에", [1, 2]),
        ("간다", [3, 4]),
        (".", [5]),
        ("</s>", [6]),
    ]


def test_odd_pieces_group_without_loss() -> None:
    assert group_pieces([]) == []
    assert group_pieces(["no", "▁mark"]) == [("no", [0]), ("mark", [1])]
    assert group_pieces(["▁", "a", "</s>", "b"]) == [("a", [0, 1]), ("</s>", [2]), ("b", [3])]


def test_word_attention_sums_over_source_and_averages_over_target() -> None:
    source, target, weights = word_attention(SOURCE, TARGET, WEIGHTS)
    assert source == ["나는", "집에", "간다", ".", "</s>"]
    assert target == ["I", "go", "home", ".", "</s>"]
    assert weights[0] == pytest.approx([0.90, 0.04, 0.04, 0.01, 0.01])
    assert weights[2] == pytest.approx([0.0, 1.6 / 2, 0.4 / 2, 0.0, 0.0])
    assert [sum(row) for row in weights] == pytest.approx([1.0] * 5)


@pytest.mark.parametrize("weights", [[], [[1.0]], [[0.5, 0.5], [1.0]], [[0.5, 0.5]] * 3])
def test_weights_of_another_shape_are_refused(weights: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="2 x 2"):
        word_attention(["▁a", "▁b"], ["▁x", "▁y"], weights)
    with pytest.raises(ValueError, match="2 x 2"):
        render_attention(["a", "b"], ["x", "y"], weights)


def test_picture_has_a_row_for_each_target_word() -> None:
    lines = picture(*word_attention(SOURCE, TARGET, WEIGHTS))
    assert lines[0].split() == ["나는", "집에", "간다", ".", "</s>", "looks", "most", "at"]
    assert [line.split() for line in lines[1:]] == [
        ["I", "██", "나는", "90%"],
        ["go", "░░", "░░", "██", "░░", "간다", "70%"],
        ["home", "██", "▒▒", "집에", "80%"],
        [".", "▒▒", "▒▒", "██", ".", "60%"],
        ["</s>", "██", "</s>", "100%"],
    ]


def test_columns_stand_under_their_wide_words() -> None:
    header, first, *_ = picture(*word_attention(SOURCE, TARGET, WEIGHTS))
    start = cell_len(header[: header.index("나는")])
    assert start <= cell_len(first[: first.index("██")]) < start + cell_len("나는")


@pytest.mark.parametrize(
    ("weight", "cell"),
    [(0.0, ""), (0.04, ""), (0.06, "░░"), (0.25, "▒▒"), (0.5, "▓▓"), (0.7, "██"), (1.0, "██")],
)
def test_shades_grow_with_the_weight(weight: float, cell: str) -> None:
    row = picture(["a", "b"], ["x"], [[weight, -1.0]])[1]
    assert row.split("a ")[0].removeprefix("x").strip() == cell


def test_a_long_sentence_is_numbered_to_fit() -> None:
    source = [f"할머니는{number}" for number in range(12)]
    weights = [[0.0] * 11 + [1.0]]
    lines = picture(source, ["grandmother"], weights)
    assert all(cell_len(line) <= 80 for line in lines)
    assert lines[0].split()[:12] == [str(number) for number in range(1, 13)]
    assert "할머니는11 100%" in lines[1]
    assert "…" not in "".join(lines)
    assert "12=할머니는11" in " ".join(lines)


def test_words_are_not_markup() -> None:
    lines = picture(["[b]", "[/b]"], ["[red]"], [[0.9, 0.1]])
    assert lines[0].split()[:2] == ["[b]", "[/b]"]
    assert lines[1].split()[0] == "[red]"
