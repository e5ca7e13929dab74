"""The system that a model comes from, computing with it: transformers, where it is installed.

Axes: T target tokens, V vocabulary.
"""

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtcli.errors import CheckpointError


def is_installed() -> bool:
    """Whether transformers is; finding out does not import it."""
    return importlib.util.find_spec("transformers") is not None


class Transformers:
    """A Marian model in transformers, float32 on a CPU.

    Attributes:
        made_by: for the record.
    """

    def __init__(self, directory: Path, prefix: str = "") -> None:
        """Load it; `prefix` is written before every source line.

        Raises:
            CheckpointError: transformers cannot.
        """
        import transformers
        from transformers import MarianMTModel, MarianTokenizer

        self.made_by = f"transformers {transformers.__version__}"
        self._prefix = f"{prefix} " if prefix else ""
        with warnings.catch_warnings(), _QuietTransformers():
            warnings.simplefilter("ignore")
            try:
                self._tokenizer: Any = MarianTokenizer.from_pretrained(directory, local_files_only=True)
                self._network: Any = MarianMTModel.from_pretrained(
                    directory, local_files_only=True, use_safetensors=True, dtype=torch.float32
                ).eval()
            except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise CheckpointError(
                    f"{directory}: {self.made_by}, which its reference should come from, cannot load it ({reason}). "
                    "Download the model again."
                ) from None

    def ids(self, text: str) -> list[int]:
        return list(self._tokenizer(self._prefix + text)["input_ids"])

    @torch.inference_mode()
    def greedy(self, source: Sequence[int], most: int) -> list[int]:
        with _QuietTransformers():
            written = self._network.generate(
                torch.tensor([list(source)]),
                attention_mask=torch.ones(1, len(source), dtype=torch.long),
                num_beams=1,
                do_sample=False,
                early_stopping=False,
                max_new_tokens=most,
                min_new_tokens=1,
                forced_eos_token_id=self._tokenizer.eos_token_id,
            )
        return [int(token) for token in written[0, 1:]]

    @torch.inference_mode()
    def logits(self, source: Sequence[int], target: Sequence[int]) -> Tensor:
        """[T, V] of each target token given those before it."""
        start = self._network.generation_config.decoder_start_token_id
        read = [start, *target[:-1]]
        output = self._network(
            input_ids=torch.tensor([list(source)]),
            attention_mask=torch.ones(1, len(source), dtype=torch.long),
            decoder_input_ids=torch.tensor([read]),
        )
        return output.logits[0].float()  # type: ignore[no-any-return]


class _QuietTransformers:
    """Without its progress bars and advice, as long as the block runs."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._verbosity = logging.get_verbosity()
        self._bars = logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._verbosity)
        if self._bars:
            logging.enable_progress_bar()
