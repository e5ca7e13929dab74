"""How to translate, in two objects that go from the command, the server or a caller down to the engine.

An option of translation is declared here and nowhere else: the identity of a job, which says whether a killed one may
be gone on with, is derived from these fields (mtcli/jobs/identity.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mtcli.config import DecodingConfig, load_config, merge
from mtcli.errors import UsageError

CHANGES_NO_BYTE: Mapping[str, object] = {"identity": None}
"""Metadata of a field that cannot change a byte of what is written."""


@dataclass(frozen=True, kw_only=True)
class TranslateOptions:
    """Say how lines are to be translated. None stands for the model's own default.

    A field that `DecodingConfig` has as well takes that setting's place.

    Attributes:
        beam_size: live hypotheses a sentence; 1 is greedy.
        n_best: translations a line, at most the beam.
        length_penalty: A in score = log-probability / tokens ** A.
        batch_tokens: source tokens decoded at once in each thread, padding included.
        repair: try other ways where the checks have something against a line's translation (mtcli/decoding/repair).
        flag: tell of each line what all checks find; otherwise what a repair is for, and nothing without one.
        sentences: `split`: a line is translated sentence by sentence; `keep`: as a whole; `auto`: as the model learnt.
        settings: other settings of `DecodingConfig`, by name; the fields above win over them.

    Raises:
        UsageError: n_best is no number of translations that the beam holds.
        ConfigError: a setting is unknown, or a value does not fit.
    """

    beam_size: int | None = None
    n_best: int = 1
    length_penalty: float | None = None
    batch_tokens: int | None = None
    sentences: str | None = None
    repair: bool = True
    flag: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._over(DecodingConfig())
        if self.n_best < 1:
            raise UsageError(f"--n-best {self.n_best}: expected 1 or more.")
        if self.beam_size is not None:
            self._check_n_best(self.beam_size)

    def resolve(self, defaults: DecodingConfig) -> DecodingConfig:
        """Lay these options over a model's defaults.

        Raises:
            UsageError: n_best is larger than the beam.
        """
        settings = self._over(defaults)
        self._check_n_best(settings.beam_size)
        return settings

    def _over(self, defaults: DecodingConfig) -> DecodingConfig:
        names = [option.name for option in fields(self) if option.name in DecodingConfig.model_fields]
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        layers = (defaults.model_dump(), self.settings, given)
        return load_config(options=merge(*({"decoding": layer} for layer in layers))).decoding

    def _check_n_best(self, beam_size: int) -> None:
        if self.n_best > beam_size:
            raise UsageError(
                f"--n-best {self.n_best} needs a beam of at least {self.n_best}; --beam-size is {beam_size}."
            )


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """Say on what a model computes: chosen once, when it is loaded.

    Attributes:
        engine: what decodes: `auto`, `native` or `torch`; auto takes the native engine where it can run.
        device: `auto`, `cpu`, `cuda` or `cuda:N`; auto takes a GPU if there is one.
        dtype: number type of the arithmetic: `auto`, `float32`, `bfloat16`, `float16`, or `int8`, which the native
            engine alone computes with. On a CPU auto is int8 where the model's directory says that it was checked,
            else float32.
        attention: form of the attention operations: `auto`, `triton`, `sdpa`, `padded` or `reference`.
        fast: on a GPU a translation may depend, in its last bits, on what is translated beside it.
    """

    engine: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    attention: str = "auto"
    fast: bool = False
