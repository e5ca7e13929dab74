"""The plain loop and stock PyTorch beside mtcli: the same loss and gradient from the same weights, and learning."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.described import PIECES, write_described

from benchmarks.gpu.training.ours import OurLearner, OurTraining
from benchmarks.peers.plain import IGNORED
from benchmarks.peers.stock import StockLearner
from benchmarks.peers.training import Learner, Pairs, Settings, Training
from benchmarks.questions.decoding.description import DESCRIPTION, write_random
from mtcli.bench.training.parts import PARTS
from mtcli.bench.work.sentences import Words, random_batches

VOCABULARY = 40
BATCHES = random_batches(Words.of(VOCABULARY), Words.of(VOCABULARY), tokens=60, count=2, seed=1)


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    write_random(folder, "tiny", VOCABULARY, seed=1)
    return str(folder / DESCRIPTION)


@pytest.fixture(scope="module")
def shallow(description: str) -> str:
    """The same with one layer of each kind, which compiles sooner."""
    changed = json.loads(Path(description).read_text(encoding="utf-8"))
    changed["model"] |= {"encoder_layers": 1, "decoder_layers": 1}
    path = Path(description).with_name("shallow.json")
    path.write_text(json.dumps(changed), encoding="utf-8")
    return str(path)


def loaded(learner: Learner, description: str) -> Training:
    training = OurTraining(learner) if isinstance(learner, OurLearner) else Training(learner)
    training.load(description, torch.get_num_threads(), [dataclasses.asdict(batch) for batch in BATCHES])
    return training


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_stock_pytorch_and_mtcli_agree(description: str, dtype: str, tolerance: float) -> None:
    exact = loaded(StockLearner(), description).check({"dtype": "float32"})
    for learner in (OurLearner(), StockLearner()):
        found = loaded(learner, description).check({"dtype": dtype})
        assert found == pytest.approx(exact, rel=tolerance), type(learner)


def test_compiling_changes_nothing(shallow: str) -> None:
    training = loaded(StockLearner(), shallow)
    plain = training.check({"dtype": "float32"})
    assert training.check({"dtype": "float32", "compiled": "aot_eager"}) == pytest.approx(plain, rel=1e-4)


@pytest.fixture
def any_stance() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.set_stance("default")


@pytest.mark.usefixtures("any_stance")
@pytest.mark.parametrize("dynamic", [True, False])
def test_nothing_is_compiled_while_it_must_not_be(shallow: str, dynamic: bool) -> None:
    training = Training(StockLearner())
    batches = [
        {"sources": [[5, 2]] * 3, "targets": [[6] * 5 + [2]] * 3},
        {"sources": [[5] * 8 + [2]] * 4, "targets": [[6] * 6 + [2]] * 4},
    ]
    training.load(shallow, 1, batches)
    settings = {"dtype": "float32", "compiled": "eager", "dynamic": dynamic}
    settled = settings | {"stance": "fail_on_recompile"}
    training.train(settings, steps=1)
    if not dynamic:  # the second batch has other lengths
        with pytest.raises(RuntimeError, match="recompile"):
            training.train(settled, steps=2)
        training.train(settings, steps=2)
    training.train(settled, steps=2)


def test_all_learn_as_many_numbers(description: str) -> None:
    ours, stock = OurLearner().load(description, 1), StockLearner().load(description, 1)
    assert ours == stock


@pytest.mark.parametrize("learner", [OurLearner, StockLearner])
def test_training_lowers_the_loss(description: str, learner: type[Any]) -> None:
    training = loaded(learner(), description)
    settings = {"dtype": "float32"}
    before = training.check(settings)["loss"]
    answer = training.train(settings, steps=20, ready=True)
    assert training.check(settings)["loss"] < before - 0.05
    assert answer["num_tokens"] == [10 * sum(sum(batch.tgt_lengths) for batch in BATCHES)]
    assert answer["peak_bytes"] is None


def test_updates_are_timed_by_windows_where_that_is_wanted(description: str) -> None:
    training = loaded(StockLearner(), description)
    first, second = (sum(batch.tgt_lengths) for batch in BATCHES)
    for window, num_tokens in ((1, [second, first, second]), (3, [second + first + second])):
        answer = training.train({"dtype": "float32"}, steps=3, warm_up=1, window=window)
        assert len(answer["seconds"]) == len(num_tokens) and min(answer["seconds"]) > 0
        assert answer["num_tokens"] == num_tokens


def test_settings_are_prepared_when_they_change(description: str) -> None:
    prepared: list[Settings] = []

    class Counting(StockLearner):
        def prepare(self, settings: Settings) -> None:
            prepared.append(settings)
            super().prepare(settings)

    training = loaded(Counting(), description)
    for dtype in ("float32", "float32", "bfloat16"):
        training.check({"dtype": dtype})
    assert [one["dtype"] for one in prepared] == ["float32", "bfloat16"]


def test_padding_is_seen_by_nobody(description: str) -> None:
    short = Pairs(sources=[[5, 6, 2]], targets=[[7, 2]])
    long = Pairs(sources=[[8] * 9 + [2]], targets=[[9] * 8 + [2]])
    learner = StockLearner()
    learner.load(description, 1)
    learner.prepare({"dtype": "float32"})
    both = learner.batch(Pairs(sources=short.sources + long.sources, targets=short.targets + long.targets))
    assert both.labels[0].tolist() == [7, 2] + [IGNORED] * 7
    assert both.tgt[0, :2].tolist() == [learner.start, 7]
    apart = [learner.check(learner.batch(pairs))[0] * pairs.num_tokens for pairs in (short, long)]
    assert learner.check(both)[0] == pytest.approx(sum(apart) / 11, rel=1e-5)


def test_mtclis_update_has_parts(description: str) -> None:
    training = loaded(OurLearner(), description)
    assert isinstance(training, OurTraining)
    found = training.parts({"dtype": "float32"}, warm_up=1, steps=3)
    assert list(found) == list(PARTS)
    assert min(found.values()) > 0
    again = training.parts({"dtype": "float32"}, warm_up=0, steps=1)
    assert set(again) == set(PARTS), "hooks were left behind, or taken away"


@pytest.mark.parametrize("settings", [{"norm": "pre"}, {"tied_embeddings": "none", "decoder_heads": 4, "norm": "pre"}])
def test_stock_pytorch_holds_other_models(tmp_path: Path, settings: dict[str, Any]) -> None:
    description = write_described(tmp_path, **settings)
    words = Words.of(PIECES)
    pairs = [dataclasses.asdict(pair) for pair in random_batches(words, words, tokens=60, count=1, seed=1)]
    found = []
    for training in (OurTraining(OurLearner()), Training(StockLearner())):
        training.load(description, 1, pairs)
        found.append(training.check({"dtype": "float32"}))
    assert found[1] == pytest.approx(found[0], rel=1e-4)
