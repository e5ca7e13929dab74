"""A Marian model that is made, imported and given to every decoder: all must hold the same one."""

from pathlib import Path

import pytest
import torch

<<<<<<< HEAD
from benchmarks.peers.ct2 import CTranslate2
from benchmarks.peers.marian import Marian
from benchmarks.peers.stock_decoding import StockDecoder
from benchmarks.questions.decoding.cases import ImportedModel
from benchmarks.questions.decoding.opus_like import OpusLike
from benchmarks.questions.decoding.ours import Ours
from mtcli.model_directory.store import load_model
=======
from mtcli.model_directory.loading import load_model
>>>>>>> main

SIZE = OpusLike(pieces=700, layers=1, d_model=16, ffn_dim=24, heads=2)
MODEL = ImportedModel(size=SIZE, data=None, limit=3, beam=2, seed=4)


@pytest.mark.usefixtures("one_thread")
def test_all_decoders_hold_the_imported_model(tmp_path: Path) -> None:
    case = MODEL.case(tmp_path)
    assert (case.model.vocabulary, case.model.d_model, case.model.norm) == (700, 16, "post")
    assert case.work.limits == [27] * 3
    assert {source[-1] for source in case.work.sources} == {0}, "Marian's end token"
    sources, targets = case.work.sources, [[5, 6, 7, 8], [9] * 3, list(range(20, 40))]
    scores = []
    for engine in (Ours(), Marian(), CTranslate2(), StockDecoder()):
        engine.load(str(case.description), 1)
        scores.append(engine.score(sources, targets))
    for one in scores[1:]:
        assert one == pytest.approx(scores[0], abs=1e-3)
    assert scores[0] != pytest.approx([scores[0][0]] * 3)


@pytest.mark.usefixtures("one_thread")
def test_it_is_a_model_that_translates(tmp_path: Path) -> None:
    MODEL.case(tmp_path)
    loaded = load_model(tmp_path / "imported", torch.device("cpu"))
    tokens = loaded.tokenizers.src.encode("I go home.")
    assert loaded.tokenizers.src.decode(tokens) == "I go home."


def test_the_size_is_that_of_opus_mt() -> None:
    assert (OpusLike().pieces, OpusLike().layers, OpusLike().d_model, OpusLike().ffn_dim) == (58_101, 6, 512, 2_048)
