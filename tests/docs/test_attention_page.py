"""The numbers of docs/explanation/attention.md, in both languages, are what mtcli computes from the page's inputs.

Axes: S source tokens, V words, d width.
"""

import math
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from support.pages import ROOT, Rows, bare_lines, excerpts, numbers, tables
from torch import Tensor

from mtcli.config import ModelConfig, TrainingConfig
from mtcli.data.arrays import IntArray
from mtcli.data.pairs import PairTokens
from mtcli.evaluation.metrics import score_corpus
from mtcli.model.attention import Attention
from mtcli.model.transformer import DecoderLayer, Transformer, VocabularySizes
from mtcli.training.batch import make_batch
from mtcli_kernels.beam_step import BeamRules, BeamState, beam_step
from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.cross_entropy import cross_entropy
from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing

ENGLISH = ROOT / "docs/explanation/attention.md"
KOREAN = ROOT / "docs/explanation/attention.ko.md"
PAGES = pytest.mark.parametrize("page", [ENGLISH, KOREAN], ids=["english", "korean"])
FORMS = pytest.mark.parametrize("impl", ["padded", "reference"])

HEADS, HEAD_DIM, WIDTH = 2, 2, 4
WORDS = ("I", "go", "home", "</s>")
START, GO, END = 3, 1, 3  # the example has no token of its own to start with


def printed(values: Tensor | list[float], decimals: int = 3) -> list[str]:
    """Numbers as the page prints them."""
    numbers = values.tolist() if isinstance(values, Tensor) else values
    return [f"{round(number, decimals) + 0.0:.{decimals}f}" for number in numbers]


@dataclass(frozen=True)
class Example:
    """The page's example, with its inputs as the page gives them."""

    tables: dict[str, Rows]

    def matrix(self, name: str) -> Tensor:
        """The numbers of a table of whole numbers and halves, [rows, numbers a row]."""
        return torch.tensor([[float(x) for x in row] for row in numbers(self.tables[name])], dtype=torch.float64)

    @cached_property
    def memory(self) -> Tensor:
        """[S, d]."""
        return self.matrix("inputs")[:-1]

    @cached_property
    def x(self) -> Tensor:
        """[1, d], the decoder's state after `I`."""
        return self.matrix("inputs")[-1:]

    @cached_property
    def network(self) -> Transformer:
        """One decoder layer with the page's matrices; what the page leaves out adds nothing."""
        torch.manual_seed(1)
        config = ModelConfig(
            encoder_layers=1, decoder_layers=1, heads=HEADS, positions="learned", tied_embeddings="target", dropout=0.0
        ).model_copy(update={"d_model": WIDTH, "ffn_dim": 2})
        network = Transformer(config, VocabularySizes(source=3, target=4, shared=False)).double().eval()
        [layer] = network.decoder.layers
        attention = layer.cross_attention
        rows = self.matrix("weights")[:, 1:].view(WIDTH, 4, WIDTH)  # behind the rows' own numbers
        with torch.no_grad():
            for matrix, projection in enumerate(
                (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj)
            ):
                projection.weight.copy_(rows[:, matrix])
            network.output.weight.copy_(self.matrix("words")[:, :WIDTH])
            network.tgt_embedding.positions.zero_()
            layer.self_attention.out_proj.weight.zero_()
            layer.feed_forward.down.weight.zero_()
        return network

    @property
    def layer(self) -> DecoderLayer:
        return self.network.decoder.layers[0]

    @property
    def attention(self) -> Attention:
        return self.layer.cross_attention

    @cached_property
    def source(self) -> Packing:
        return Packing.of([self.memory.shape[0]])

    @torch.no_grad()
    def decode(self, tokens: list[int]) -> tuple[list[Tensor], list[tuple[int, int]]]:
        """Step by step: each step's logits [V], and how many rows the two caches hold after it."""
        cache = self.network.start(self.memory, self.source)
        logits, rows = [], []
        for position, token in enumerate(tokens):
            ancestry = torch.zeros(1, 1, cache.max_steps, dtype=torch.int32)
            places = BeamPlaces(ancestry, torch.tensor([position], dtype=torch.int32), position)
            logits.append(self.network.step(torch.tensor([token]), cache, places)[0])
            rows.append((filled_rows(cache.cross[0].keys), filled_rows(cache.self_attention[0].keys)))
        return logits, rows

    @cached_property
    def logits(self) -> Tensor:
        """[V], after `I`."""
        return self.decode([START, WORDS.index("I")])[0][-1]


def filled_rows(keys: Tensor) -> int:
    """How many rows of [1, H, L, D] hold something."""
    return int(keys.abs().sum((0, 1, 3)).gt(0).sum())


@pytest.fixture(params=[ENGLISH, KOREAN], ids=["english", "korean"])
def example(request: pytest.FixtureRequest) -> Example:
    return Example(tables(request.param))


def test_both_languages_carry_the_same_numbers() -> None:
    english, korean = tables(ENGLISH), tables(KOREAN)
    assert list(english) == list(korean)
    for name in english:
        assert numbers(english[name]) == numbers(korean[name]), name
        assert [len(row) for row in english[name]] == [len(row) for row in korean[name]], name
    for name in ("matrices", "sentences", "beam", "words"):
        codes = [[[cell for cell in row if cell.startswith("`")] for row in found[name]] for found in (english, korean)]
        assert codes[0] == codes[1], name
    assert english["sentences"][1:] == korean["sentences"][1:]


def test_both_languages_have_the_same_excerpts_and_sections() -> None:
    assert excerpts(ENGLISH) == excerpts(KOREAN)
    levels = [
        [line.split(" ")[0] for line in page.read_text("utf-8").splitlines() if line.startswith("#")]
        for page in (ENGLISH, KOREAN)
    ]
    assert levels[0] == levels[1]


@PAGES
def test_excerpts_stand_in_the_source(page: Path) -> None:
    found = excerpts(page)
    assert len(found) >= 6
    for path, excerpt in found:
        source, wanted = ("\n".join(bare_lines(text)) for text in ((ROOT / path).read_text("utf-8"), excerpt))
        assert wanted in source, f"{path} no longer has: {excerpt}"


def test_matrices_are_those_of_the_layer(example: Example) -> None:
    config = ModelConfig(d_model=8, ffn_dim=24, heads=2)
    layer = DecoderLayer(config)
    sizes = {"d": config.d_model, "f": config.ffn_dim}
    promised = {
        row[0].strip("`"): tuple(sizes[letter] for letter in row[2].split(" × "))
        for row in example.tables["matrices"][1:]
    }
    found = {
        name.removesuffix(".weight"): tuple(parameter.shape)
        for name, parameter in layer.named_parameters()
        if parameter.dim() == 2
    }
    assert promised == found


@torch.no_grad()
def test_projections(example: Example) -> None:
    keys, values = example.attention.project_memory(example.memory)
    rows = [example.attention.q_proj(example.x), keys.flatten(1), values.flatten(1)]
    assert numbers(example.tables["projections"]) == [printed(row, 0) for part in rows for row in part]


@torch.no_grad()
def test_attention_weights(example: Example) -> None:
    q = example.attention.split_heads(example.attention.q_proj(example.x))
    k, _ = example.attention.project_memory(example.memory)
    scores = torch.einsum("thd,shd->hs", q, k)
    weights = example.attention.weights(example.x, example.memory, Packing.of([1]), example.source)[0, :, 0]
    rows = []
    for head in range(HEADS):
        rows += [printed(scores[head], 0), printed(scores[head] * HEAD_DIM**-0.5), printed(weights[head])]
    assert numbers(example.tables["attention"]) == rows


@FORMS
@torch.no_grad()
def test_context_and_new_state(example: Example, impl: str) -> None:
    attention, x, memory = example.attention, example.x, example.memory
    attention.impl = impl
    q = attention.split_heads(attention.q_proj(x))
    k, v = attention.project_memory(memory)
    regions = SourceRegions(torch.tensor([0]), example.source.lengths, memory.shape[0])
    context = cross_attention_decode(q, k, v, regions, impl=impl)
    torch.testing.assert_close(
        context, masked_attention(q, k, v, Packing.of([1]), example.source, impl=impl), rtol=1e-12, atol=1e-12
    )
    out = attention(x, memory, Packing.of([1]), example.source)
    state = example.layer(x, memory, Packing.of([1]), example.source)
    rows = [context.flatten(), out[0], (x + out)[0], state[0]]
    assert numbers(example.tables["context"]) == [printed(row) for row in rows]


def test_words(example: Example) -> None:
    probabilities = example.logits.softmax(0)
    computed = torch.stack([example.logits, probabilities, probabilities.log()], dim=1)
    assert [row[WIDTH:] for row in numbers(example.tables["words"])] == [printed(row) for row in computed]
    assert [row[0].strip("`") for row in example.tables["words"][1:]] == list(WORDS)
    embedded = example.network.tgt_embedding(torch.tensor([0]), torch.tensor([1]))
    assert torch.equal(embedded, example.x), "x is the row of `I` times the root of d"


@torch.no_grad()
def test_teacher_forcing_computes_what_steps_compute(example: Example) -> None:
    target = torch.tensor([START, 0, GO, 2])
    network, packing = example.network, Packing.of([4])
    embedded = network.tgt_embedding(target, packing.positions)
    together = network.output(network.decoder(embedded, example.memory, packing, example.source))
    one_by_one = torch.stack(example.decode(target.tolist())[0])
    torch.testing.assert_close(together, one_by_one, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(together[1], example.logits, rtol=1e-12, atol=1e-12)


def test_scaling(example: Example) -> None:
    scores = torch.tensor([float(x) for x in numbers(example.tables["attention"])[0]], dtype=torch.float64)
    rows = []
    for scale in (HEAD_DIM**-0.5, 1.0):
        weight = (scores * scale).softmax(0)[-1].item()
        rows.append(printed([weight, weight * (1 - weight)]))
    assert numbers(example.tables["scaling"]) == rows


def test_cache(example: Example) -> None:
    _, rows = example.decode([START, 0, GO, 2])
    cross, own = zip(*rows, strict=True)
    shown = example.tables["cache"]
    assert [[int(x) for x in row[1:]] for row in shown[2:]] == [list(cross), list(own)]
    assert shown[0][1:] == ["1", "2", "3", "4"]
    assert shown[1][1:] == example.tables["teacher-forcing"][1][1:]


@FORMS
def test_mask(example: Example, impl: str) -> None:
    packing = Packing.of([3])
    equal = torch.zeros(3, 1, 3, dtype=torch.float64)  # scores of 0; and values that tell which token they are of
    values = torch.eye(3, dtype=torch.float64)[:, None]
    weights = masked_attention(equal, equal, values, packing, packing, causal=True, impl=impl)
    assert numbers(example.tables["mask"]) == [printed(row) for row in weights[:, 0]]


def test_teacher_forcing_table(example: Example) -> None:
    class OnePair:
        def gather(self, indices: IntArray, seed: int) -> PairTokens:
            target = np.array([0, 1, 2, 3])
            return PairTokens(np.array([0, 1, 2]), np.array([3]), target, np.array([4]))

    batch = make_batch(OnePair(), np.array([0]), start_id=9, device=torch.device("cpu"))
    words = {**dict(enumerate(WORDS)), 9: "<s>"}
    reads, predicts = ([f"`{words[token]}`" for token in side.tolist()] for side in (batch.tgt_in, batch.tgt_out))
    assert [row[1:] for row in example.tables["teacher-forcing"][1:]] == [reads, predicts]


@FORMS
def test_loss_and_gradient(example: Example, impl: str) -> None:
    losses, gradients = [], []
    smoothing = TrainingConfig().label_smoothing
    assert smoothing == 0.1
    for label_smoothing in (0.0, smoothing):
        logits = example.logits[None].clone().requires_grad_()
        loss, nll = cross_entropy(logits, torch.tensor([GO]), label_smoothing=label_smoothing, impl=impl)
        loss.sum().backward()
        assert logits.grad is not None
        losses.append(loss.item())
        gradients.append(logits.grad[0])
    assert numbers(example.tables["loss"]) == [[x] for x in printed([losses[0], math.exp(losses[0]), losses[1]])]
    shown = example.tables["gradient"][1:]
    assert [row[0].strip("`") for row in shown] == list(WORDS)
    probabilities = printed(example.logits.softmax(0))
    targets = [str(int(word == "go")) for word in WORDS]
    assert [row[1:] for row in shown] == [
        list(row) for row in zip(probabilities, targets, *(printed(gradient) for gradient in gradients), strict=True)
    ]
    assert nll.item() == pytest.approx(losses[0])


@FORMS
def test_beam_of_two(example: Example, impl: str) -> None:
    state = BeamState.empty(1, 2, 8)
    state.admit([0], [8], START)
    rules = BeamRules.of(vocab_size=4, eos_id=END, max_steps=8, length_penalty=1.0)
    beam_step(example.logits.float().expand(2, 4).contiguous(), state, rules, impl=impl)
    words = [f"`{WORDS[token]}`" for token in state.last_tokens[0].tolist()]
    assert example.tables["beam"][1:] == [list(row) for row in zip(words, printed(state.log_probs[0]), strict=True)]


def test_bleu(example: Example) -> None:
    references, translations = (list(side) for side in zip(*example.tables["sentences"][1:], strict=True))
    counted = BLEU().corpus_score(translations, [references])
    rows = zip(counted.counts, counted.totals, counted.precisions, strict=True)
    shown = [row[1:] for row in example.tables["bleu"][1:]]
    assert shown == [[str(found), str(total), f"{precision:.1f}"] for found, total, precision in rows]
    scores = score_corpus(translations, references)
    mean = math.prod(counted.precisions) ** 0.25
    assert numbers(example.tables["bleu-score"]) == [[f"{mean:.1f}"], [f"{counted.bp:.3f}"], [f"{scores.bleu:.1f}"]]
    assert 40 <= scores.bleu < 50


@PAGES
def test_signature_and_lengths(page: Path) -> None:
    references, translations = (list(side) for side in zip(*tables(page)["sentences"][1:], strict=True))
    counted = BLEU().corpus_score(translations, [references])
    scores = score_corpus(translations, references)
    signature = scores.signatures["bleu"].removeprefix("bleu|").rsplit("|version", 1)[0]
    text = page.read_text("utf-8")
    assert f"`{signature}`" in text
    assert f"- **{scores.bleu:.0f}" in text, "what the number does not mean"
    [row] = [row for row in tables(page)["bleu-score"] if "0.959" in row]
    assert str(counted.sys_len) in row[0]
    assert str(counted.ref_len) in row[0]


def test_diagrams_are_up_to_date() -> None:
    script = ROOT / "docs/assets/diagrams.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
