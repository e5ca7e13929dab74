"""A translation model as decoding knows it: tokenizers, a description, and weights to be read. No PyTorch here.

`StoredModel` is one in a directory, whose weights an engine reads. One whose network is in memory already is
`mtcli.model_directory.loading.LoadedModel`.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy.typing as npt

from mtcli.data.tokenizer import Tokenizers
from mtcli.errors import CheckpointError, ConfigError
from mtcli.model.parameters import Shapes, parameter_shapes
from mtcli.model_directory.description import Architecture, load_architecture
from mtcli.model_directory.files import DESCRIPTION, MADE_BY, WEIGHTS
from mtcli.model_directory.int8_mark import Int8Mark, load_int8_mark
from mtcli.model_directory.tensor_file import read_weights, refuse_misfit, tensor_shapes
from mtcli.model_directory.tokenizers import load_tokenizers

Weights = dict[str, npt.NDArray[Any]]
"""By a parameter's name (`mtcli.model.parameters`), its numbers, float32 or float16, mapped into memory or copied."""


class Placement(NamedTuple):
    """Where a network in memory computes: its device, its number type and the form of its attention operations."""

    device: str
    dtype: str
    attention: str


class Model(ABC):
    """What translates: two tokenizers, and a network of which there is a description and weights.

    Known by its identity: two of one directory are not equal.

    Attributes:
        tokenizers: from text to the network's ids and back.
        architecture: the network's sizes, how it decodes by default, and what text it expects.
        directory: where it is stored; None for a network in memory.
    """

    tokenizers: Tokenizers
    architecture: Architecture
    directory: Path | None

    @abstractmethod
    def read_weights(self) -> Weights:
        """Give the network's weights, a matrix that several parts share once.

        Raises:
            CheckpointError: they are missing, damaged, of other names or shapes than the architecture's, or not finite.
        """

    @abstractmethod
    def check_weights(self) -> None:
        """Find out now what is wrong with the weights, if anything; the next to read them does not check them again.

        Raises:
            CheckpointError: as `read_weights`.
        """

    @property
    def max_positions(self) -> int:
        """Tokens a side that positions exist for: no source and no output is longer."""
        return self.architecture.model.num_positions

    @property
    def placement(self) -> Placement | None:
        """Where its network is; None as long as nobody has loaded it."""
        return None

    @property
    def int8_mark(self) -> Int8Mark | None:
        """That int8 was compared with float32 and may stand in for it; None where nobody says so.

        Raises:
            CheckpointError: what says so is damaged.
        """
        return None


class StoredModel(Model):
    """A model directory whose weights nobody has read yet."""

    def __init__(self, directory: Path) -> None:
        """Read everything but the weights, of which only the shapes are compared.

        Raises:
            CheckpointError: the directory is no model, a file of it is missing or damaged, or they do not fit together.
            DataError: a tokenizer file is no SentencePiece model.
        """
        architecture = load_architecture(directory)
        tokenizers = load_tokenizers(directory, architecture.checksums, architecture.text.normalisation)
        self.directory, self.architecture, self.tokenizers = directory, architecture, tokenizers
        self._checked: Weights | None = None
        if tokenizers.sizes != architecture.vocabulary:
            raise CheckpointError(
                f"{directory}: the tokenizer has {tokenizers.src.vocab_size} source and {tokenizers.tgt.vocab_size} "
                f"target pieces, {DESCRIPTION} says {architecture.vocabulary.source} and "
                f"{architecture.vocabulary.target}. Put back the tokenizer that the model was trained with."
            )
        self.weights_file = directory / WEIGHTS
        if not self.weights_file.exists():
            hint = " The training run has saved nothing yet." if (directory / "cache").is_dir() else ""
            raise CheckpointError(f"{directory} holds no {WEIGHTS}.{hint} {MADE_BY}")
        refuse_misfit(self.weights_file, self._shapes, tensor_shapes(self.weights_file))

    @cached_property
    def int8_mark(self) -> Int8Mark | None:
        return load_int8_mark(self.weights_file.parent)

    @cached_property
    def _shapes(self) -> Shapes:
        try:
            return parameter_shapes(self.architecture.model, self.architecture.vocabulary)
        except ConfigError as error:
            raise CheckpointError(
                f"{self.weights_file.parent / DESCRIPTION} does not describe an mtcli model: {error}"
            ) from None

    def check_weights(self) -> None:
        self._checked = read_weights(self.weights_file, self._shapes)

    def read_weights(self) -> Weights:
        checked, self._checked = self._checked, None  # kept no longer: where they are mapped, Windows locks the file
        return checked or read_weights(self.weights_file, self._shapes)
