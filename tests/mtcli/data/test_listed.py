"""Tokenizers whose ids come from a list: what vocabulary.json may hold, and what becomes of text."""

import json
from typing import Any

import pytest
from support.marian import ENGLISH, GERMAN, spm_model

from mtcli.data.listed import ListedTokenizer, Vocabulary
from mtcli.errors import DataError

PIECES = ("</s>", "<unk>", ">>de<<", "▁the", "▁dog", "ß", "▁", "s", "<pad>")


def vocabulary(**changes: Any) -> Vocabulary:
    content = {
        "source": PIECES,
        "unknown": "<unk>",
        "end": "</s>",
        "padding": "<pad>",
        "start": 8,
        "never": (8,),
        "cut": ("</s>", "<unk>", "<pad>"),
        "hidden": ("</s>", "<unk>", "<pad>"),
    }
    return Vocabulary(**{**content, **changes})


def tokenizer(side: Any = "source", **changes: Any) -> ListedTokenizer:
    model = spm_model(ENGLISH if side == "source" else GERMAN, 70, user_defined_symbols="▁the,▁dog")
    return ListedTokenizer(model, vocabulary(**changes), side)


def test_it_is_read_as_it_was_written() -> None:
    written = vocabulary(target=("</s>", "<unk>", "x", *"abcdefgh"), tidy=True, prefix=">>de<<", languages=("en", "de"))
    assert Vocabulary.from_json(written.to_json(), "vocabulary.json") == written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": [*PIECES, "s"]}, "the source list has a piece twice"),
        ({"target": ["</s>", "x"]}, "the target list lacks '<unk>'"),
        ({"target": ["<unk>", "</s>", *"abcdefghi"]}, "'</s>' has another id on each side"),
        ({"start": 9}, "there is no target piece 9"),
        ({"never": [-1]}, "there is no target piece -1"),
        ({"cut": ["<eop>"]}, "the source list lacks '<eop>'"),
        ({"prefix": ">>fr<<"}, "the source list lacks '>>fr<<'"),
        ({"source": []}, "source"),
        ({"more": 1}, "more"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    content = {**json.loads(vocabulary().to_json()), **changes}
    with pytest.raises(DataError, match=f"^vocabulary.json is damaged: .*{message}.*Import the model again.$"):
        Vocabulary.from_json(json.dumps(content).encode(), "vocabulary.json")


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(DataError, match=r"^vocabulary.json is damaged: .*JSON"):
        Vocabulary.from_json(b"{", "vocabulary.json")


def test_ids_are_the_lists() -> None:
    src = tokenizer()
    assert src.vocab_size == len(PIECES)
    assert (src.eos_id, src.start_id, src.unk_id, src.pad_id, src.never_generated) == (0, 8, 1, 8, [8])
    assert src.encode("the dog") == [3, 4]
    assert src.pieces([3, 4]) == ["▁the", "▁dog"]


def test_a_piece_of_the_other_side_is_no_unknown_text() -> None:
    """ß is none of the English model's pieces, but the list has it."""
    assert tokenizer().encode("the ß")[-1] == PIECES.index("ß")


def test_special_pieces_are_cut_out_and_hidden() -> None:
    src = tokenizer()
    assert src.encode("the</s>dog") == [3, 0, 4]
    assert src.decode([3, 0, 8, 4]) == "the dog"
    assert tokenizer(cut=()).encode("</s>") != [0]


def test_a_language_is_one_piece_at_the_beginning_alone() -> None:
    src = tokenizer()
    assert src.encode(">>de<< the dog") == [2, 3, 4]
    assert src.encode(">>fr<< the dog") == [1, 3, 4]
    assert 2 not in src.encode("the >>de<< dog")
    assert (src.lead(">>de<< the dog"), src.lead(">>fr<< the dog"), src.lead("the dog")) == (">>de<<", "", "")


def test_a_prefix_is_the_sources() -> None:
    assert tokenizer(prefix=">>de<<").encode("the dog") == [2, 3, 4]
    assert tokenizer(prefix=">>de<<").encode_words(["the", "dog"]) == [[2, 3], [4]]
    assert 2 not in tokenizer("target", prefix=">>de<<").encode("the dog")


def test_visible_text_is_left_as_it_is() -> None:
    src = tokenizer()
    assert src.clean("\ufeff a\u0301 \u200e b ") == " a\u0301  b "
    assert src.encode("the\u200e dog") == src.encode("the dog") != src.encode("the d og")
    assert src.line([3, 6, 6, 4]) == "the   dog"


def test_sides_with_one_list_share_ids_whatever_cuts_them() -> None:
    assert tokenizer().shares_ids_with(tokenizer("target"))
    other = vocabulary(target=("</s>", "<unk>", *"abcdefg"))
    assert not tokenizer().shares_ids_with(ListedTokenizer(spm_model(GERMAN, 70), other, "target"))
