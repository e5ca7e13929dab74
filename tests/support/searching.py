"""Small random networks, and beam search as its definition reads: over whole sequences, without caches or batches."""

import torch

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.decoding.search import Hypothesis, SearchOptions
from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing

START, EOS, VOCABULARY = 1, 2, 20
BANNED = (0, 1, 3)
SOURCES = [[5, 6, 7, 2], [8, 2], [9, 10, 11, 12, 13, 2], [4, 4, 2]]


def network(seed: int, sharpness: float = 4.0) -> Transformer:
    """A random model; a larger output matrix makes it surer of itself."""
    torch.manual_seed(seed)
    config = ModelConfig(encoder_layers=1, decoder_layers=2, d_model=16, ffn_dim=32, heads=2, max_length=32)
    model = Transformer(config, VocabularySizes(source=VOCABULARY, target=VOCABULARY, shared=True)).double().eval()
    model.output.weight.data *= sharpness
    return model


def options(beam: int, length_penalty: float = 1.0, n_best: int | None = None) -> SearchOptions:
    """All hypotheses are asked for unless `n_best` says otherwise."""
    return SearchOptions(
        beam_size=beam,
        length_penalty=length_penalty,
        start_id=START,
        eos_id=EOS,
        banned=BANNED,
        n_best=beam if n_best is None else n_best,
    )


@torch.inference_mode()
def next_log_probs(model: Transformer, source: list[int], tokens: list[int]) -> list[float]:
    src, tgt = torch.tensor(source), torch.tensor([START, *tokens])
    states = model(src, Packing.of([len(source)]), tgt, Packing.of([len(tokens) + 1]))
    return model.output(states[-1]).float().log_softmax(0).tolist()  # type: ignore[no-any-return]


def plain_search(model: Transformer, source: list[int], limit: int, search: SearchOptions) -> list[Hypothesis]:
    """The n_best of a search that goes on until as many hypotheses have finished as the beam holds."""
    live: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[Hypothesis] = []
    beam = search.beam_size
    for step in range(limit):
        candidates = []
        for total, tokens in live:
            for token, log_prob in enumerate(next_log_probs(model, source, tokens)):
                banned = token in search.banned or (token == search.eos_id and step == 0)
                if not banned and (step + 1 < limit or token == search.eos_id):
                    candidates.append((total + log_prob, [*tokens, token]))
        candidates.sort(key=lambda candidate: -candidate[0])
        live = []
        for rank, (total, tokens) in enumerate(candidates[: 2 * beam]):
            if tokens[-1] != search.eos_id:
                live.append((total, tokens))
            elif rank < beam:
                finished.append(Hypothesis(tokens[:-1], total, total / len(tokens) ** search.length_penalty))
        finished = sorted(finished, key=lambda hypothesis: -hypothesis.score)[:beam]
        live = live[:beam]
        if not live or len(finished) == beam:
            break
    return finished[: search.n_best]
