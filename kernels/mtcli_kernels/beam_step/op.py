"""The kernels as a PyTorch operator that changes the search state in place.

Axes: S slots, K beam, R = S x K rows, V vocabulary, T most steps.
"""

import torch
from torch import Tensor

from mtcli_kernels.beam_step.tiles import MERGE, TILE, TILES
from mtcli_kernels.dispatch import capability
from mtcli_kernels.tuning import Tile

_CHANGED = (
    "positions",
    "status",
    "log_probs",
    "last_tokens",
    "tokens",
    "parents",
    "ancestry",
    "finished_log_probs",
    "finished_scores",
    "finished_steps",
    "finished_places",
)


@torch.library.custom_op("mtcli::beam_step", mutates_args=_CHANGED)
def beam_step_op(
    logits: Tensor,
    positions: Tensor,
    status: Tensor,
    max_tokens: Tensor,
    log_probs: Tensor,
    last_tokens: Tensor,
    tokens: Tensor,
    parents: Tensor,
    ancestry: Tensor,
    finished_log_probs: Tensor,
    finished_scores: Tensor,
    finished_steps: Tensor,
    finished_places: Tensor,
    banned: Tensor,
    length_norms: Tensor,
    eos_id: int,
    min_tokens: int,
    n_best: int,
    stop: int,
    free_end: int,
) -> None:
    """One step on logits [R, V]; the tensors of `BeamState` and `BeamRules` follow, by their names."""
    from mtcli_kernels.beam_step import kernel

    num_slots, beam = log_probs.shape
    num_rows, vocab_size = logits.shape
    if not num_rows:
        return
    logits = logits if logits.stride(1) == 1 else logits.contiguous()
    bans = banned.contiguous().view(torch.uint8)
    tile, merge = _tile(TILE, logits), _tile(MERGE, logits)
    num_tiles = -(-vocab_size // tile.blocks["BLOCK_V"])
    peaks, sums = (logits.new_empty((num_rows, num_tiles), dtype=torch.float32) for _ in range(2))
    keys = logits.new_empty((num_rows, num_tiles, beam), dtype=torch.int64)
    with torch.cuda.device_of(logits):
        kernel.beam_step_tile_kernel[(num_rows, num_tiles)](
            logits, status, positions, max_tokens, log_probs, bans, peaks, sums, keys,
            logits.stride(0), vocab_size, eos_id, BEAM=beam, **tile.launch,
        )  # fmt: skip
        kernel.beam_step_merge_kernel[(num_slots,)](
            logits, peaks, sums, keys, positions, status, max_tokens, log_probs, last_tokens, tokens, parents, ancestry,
            finished_log_probs, finished_scores, finished_steps, finished_places, bans, length_norms.contiguous(),
            logits.stride(0), num_tiles, tokens.shape[1], eos_id, min_tokens, n_best, stop, free_end,
            BEAM=beam, PLACES=1 << (beam - 1).bit_length(), **merge.launch,
        )  # fmt: skip


def _tile(kernel: str, logits: Tensor) -> Tile:
    return TILES.pick(kernel, capability(logits.device), 8 * logits.element_size())


@beam_step_op.register_fake
def _(
    logits: Tensor,
    positions: Tensor,
    status: Tensor,
    max_tokens: Tensor,
    log_probs: Tensor,
    last_tokens: Tensor,
    tokens: Tensor,
    parents: Tensor,
    ancestry: Tensor,
    finished_log_probs: Tensor,
    finished_scores: Tensor,
    finished_steps: Tensor,
    finished_places: Tensor,
    banned: Tensor,
    length_norms: Tensor,
    eos_id: int,
    min_tokens: int,
    n_best: int,
    stop: int,
    free_end: int,
) -> None:
    return None
