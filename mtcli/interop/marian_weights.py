"""model.safetensors of a Marian model, as transformers names its tensors.

Axes: V vocabulary, d model width.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.errors import CheckpointError
from mtcli.files import file_error
from mtcli.interop import marian_names as names
from mtcli.interop.marian_settings import MarianSettings
from mtcli.model.transformer import Transformer, sinusoids

WEIGHTS = "model.safetensors"
_SAFE_WAY = (
    "take a revision of the model that holds model.safetensors (on Hugging Face often --revision refs/pr/1), or "
    "convert it where you trust it, with transformers: MarianMTModel.from_pretrained(DIR).save_pretrained(NEW)."
)
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_ROUNDING = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}  # of numbers between -1 and 1
_AGAIN = "Download the model again."


def read_weights(directory: Path, settings: MarianSettings, *, shared: bool) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The parameters by mtcli's names, float32, and the settings of the network that they fit.

    Args:
        shared: whether both sides have one list of pieces.

    Raises:
        CheckpointError: the file is missing, damaged or a pickle, a tensor is missing, unknown or of another shape than
            config.json says, holds a number that is not finite, or the network has positions of its own.
    """
    path = directory / WEIGHTS
    theirs = _read(path)
    config, parts = settings.model, _Parts(path, theirs)
    found = {ours: parts.take(name) for name, ours in names.layer_names(config.encoder_layers, config.decoder_layers)}
    if settings.one_matrix:
        one = parts.take_one_of(names.SHARED, names.SOURCE, names.TARGET, names.OUTPUT)
        shared_by = (names.OUR_TARGET,) if config.tied_embeddings == "all" else names.OUR_MATRICES
        found |= dict.fromkeys(shared_by, one)
    elif config.tied_embeddings == "target":
        found[names.OUR_TARGET] = parts.take_one_of(names.TARGET, names.OUTPUT)
        found[names.OUR_SOURCE] = parts.take(names.SOURCE)
    else:
        parts.take_if_there(names.SHARED)  # nothing reads it
        matrices = (names.SOURCE, names.TARGET, names.OUTPUT)
        found |= {ours: parts.take(name) for ours, name in zip(names.OUR_MATRICES, matrices, strict=True)}
    bias = parts.take_if_there(names.OUTPUT_BIAS)
    if bias is not None and bias.count_nonzero():
        found[names.OUR_BIAS] = bias.flatten() if bias.shape[:-1] == (1,) else bias
        config = config.model_copy(update={"output_bias": True})
    for name in names.POSITIONS:
        _refuse_own_positions(path, name, parts.take_if_there(name), settings)
    parts.refuse_rest()
    _refuse_misfit(path, config, settings, found, shared)
    return config, {name: _as_number(path, name, tensor) for name, tensor in found.items()}


class _Parts:
    """A file's tensors, each to be taken once."""

    def __init__(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        self._path, self._tensors = path, dict(tensors)

    def take(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise CheckpointError(f"{self._path} lacks {name}: it does not fit config.json. {_AGAIN}")
        return self._tensors.pop(name)

    def take_if_there(self, name: str) -> Tensor | None:
        return self._tensors.pop(name, None)

    def take_one_of(self, *wanted: str) -> Tensor:
        """A tensor that goes by several names; it may be there under each."""
        there = [name for name in wanted if name in self._tensors]
        if not there:
            return self.take(wanted[0])
        first = self.take(there[0])
        for name in there[1:]:
            if not torch.equal(self.take(name), first):
                raise CheckpointError(
                    f"{self._path}: {there[0]} and {name} differ, though config.json says that they are one "
                    "(share_encoder_decoder_embeddings, tie_word_embeddings). Correct it, or download the model again."
                )
        return first

    def refuse_rest(self) -> None:
        if self._tensors:
            raise CheckpointError(
                f"{self._path} has an unknown tensor {min(self._tensors)} ({len(self._tensors)} unknown): it does not "
                f"fit config.json. {_AGAIN}"
            )


def _read(path: Path) -> dict[str, Tensor]:
    directory = path.parent
    if not path.exists():
        _refuse_pickle(directory)
        if (directory / f"{WEIGHTS}.index.json").exists():
            raise CheckpointError(
                f"{directory} has its weights in several files. Save it in one with transformers: "
                f"save_pretrained(DIR, max_shard_size='100GB')."
            )
        raise CheckpointError(f"{directory} holds no {WEIGHTS}. If the model's weights are pickled: {_SAFE_WAY}")
    try:
        with path.open("rb"), safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a safetensors file ({error}). {_AGAIN}") from None
    except OSError as error:
        raise CheckpointError(str(file_error(path, error, "read"))) from None


def _refuse_pickle(directory: Path) -> None:
    for name in _PICKLES:
        if (directory / name).exists():
            raise CheckpointError(
                f"{directory} has its weights as a pickle ({name}), which can run any code when it is read; mtcli "
                f"reads none: {_SAFE_WAY}"
            )


def _refuse_own_positions(path: Path, name: str, positions: Tensor | None, settings: MarianSettings) -> None:
    """Positions are sinusoids, whether a file holds them or not."""
    if positions is None:
        return
    if positions.dim() == 2 and positions.shape[1] == settings.model.d_model:
        difference = (positions.float() - sinusoids(*positions.shape)).abs().max()
        if difference <= _ROUNDING.get(positions.dtype, 0.0):
            return
    raise CheckpointError(
        f"{path}: {name} is not the table of sines and cosines that Marian's positions are. mtcli does not import "
        "positions of a model's own."
    )


def _refuse_misfit(
    path: Path, config: ModelConfig, settings: MarianSettings, found: Mapping[str, Tensor], shared: bool
) -> None:
    sizes = VocabularySizes(source=settings.source_size, target=settings.target_size, shared=shared)
    network = Transformer.skeleton(config, sizes)
    for name, parameter in network.named_parameters():
        if found[name].shape != parameter.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {list(found[name].shape)}, config.json makes it {list(parameter.shape)}. "
                f"{_AGAIN}"
            )


def _as_number(path: Path, name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        raise CheckpointError(f"{path}: {name} holds {tensor.dtype}; floating-point weights were expected. {_AGAIN}")
    number = tensor.float()
    if not torch.isfinite(torch.stack(torch.aminmax(number))).all():
        raise CheckpointError(f"{path}: {name} holds a weight that is no finite number (NaN or infinity). {_AGAIN}")
    return number
