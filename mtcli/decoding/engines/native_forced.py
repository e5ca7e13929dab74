"""Forced decoding by the CPU's kernels: log-probabilities of given translations, and where the decoder looked.

A translation's tokens are computed by the same arithmetic as in a search, row by row: its score is found again to the
last bits of a sum.

Axes: T target tokens, S source tokens of a pair.
"""

import numpy as np
import numpy.typing as npt

from mtcli.decoding.engines.native_network import packed_network
from mtcli.decoding.engines.native_workspace import Batch, Workspace, joined, starts_of
from mtcli.decoding.forced import Tokens
from mtcli.model_directory.model import Model
from mtcli_native.memory import address, allocate
from mtcli_native.records import FORCE

_RANKED = 64  # target tokens whose logits exist at once


class NativeForced:
    """Decodes given targets with one model (`mtcli.decoding.forced.ForcedDecoder`)."""

    def __init__(self, model: Model, *, dtype: str = "float32") -> None:
        """Prepare a model; `dtype` is `float32` or `int8`.

        Raises:
            CheckpointError: the weights are damaged, or not those of the model.
        """
        self._network = packed_network(model, is_int8=dtype == "int8")
        self._workspace = Workspace(self._network, num_slots=_RANKED)

    def log_probs(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find the natural-log probability of each target token.

        Args:
            sources, targets: token ids, each ended by its end token; none longer than the network's positions.
            start_id: the decoder's first input.

        Returns:
            [T] float32, one a pair.
        """
        found = allocate(sum(map(len, targets)), np.float32)
        self._force(sources, targets, start_id, p_log_probs=address(found))
        return np.split(found.copy(), starts_of(targets)[1:-1])

    def attention(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find how much the decoder looked at each source token while it predicted each target token.

        Args:
            sources, targets, start_id: as `log_probs`.

        Returns:
            [layers, T, S] float32, one a pair: averaged over heads; rows sum to 1.
        """
        layers, longest = self._network.config.decoder_layers, max(map(len, sources))
        found = allocate((layers, sum(map(len, targets)), longest), np.float32, poisoned=False)
        found[:] = 0
        self._force(sources, targets, start_id, p_weights=address(found))
        parts = np.split(found, starts_of(targets)[1:-1], axis=1)
        return [part[:, :, : len(source)].copy() for part, source in zip(parts, sources, strict=True)]

    def _force(self, sources: Tokens, targets: Tokens, start_id: int, **results: int) -> None:
        sizes = [len(source) * self._network.cross_entry_bytes // 4 for source in sources]
        memories = [allocate(size, np.float32, poisoned=False) for size in sizes]
        batch = Batch(sources, np.array([address(memory) for memory in memories], np.int64))
        fields = {
            "p_inputs": batch.keep(joined([(start_id, *target[:-1]) for target in targets])),
            "p_targets": batch.keep(joined(targets)),
            "p_target_starts": batch.keep(starts_of(targets)),
            **results,
        }
        for name, value in fields.items():
            batch.record[name] = value
        rows = max(sum(map(len, sources)), sum(map(len, targets)))
        self._workspace.make_room(rows=rows, attended=max(map(len, (*sources, *targets))))
        self._workspace.call(FORCE, p_batch=batch.address)
