"""Which engine decodes a model: the native one on a CPU, where it can run, else PyTorch's.

PyTorch is imported here only where it decides, or computes.
"""

import importlib.metadata
import os
from dataclasses import dataclass, replace

from mtcli.accelerators import may_have_gpu
from mtcli.decoding.engines import FACTORIES, EngineModule, module_of
from mtcli.decoding.options import ComputeOptions
from mtcli.decoding.search import SearchOptions
from mtcli.errors import BackendUnavailableError, check_choice
from mtcli.model_directory.model import Model
from mtcli.processors import available_cpus

VARIABLE = "MTCLI_ENGINE"  # what `auto` stands for where it is set
_ROUNDS = "a translation is the same beside others up to rounding, not to the last bit"  # with PyTorch, on a CPU
_NATIVE_DTYPES = ("float32", "int8")


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """What decodes.

    Attributes:
        name: a key of `mtcli.decoding.engines.FACTORIES`.
        device: `cpu`, `cuda` or `cuda:N`.
        dtype: number type of the arithmetic.
        reason: why it is this one, in a phrase.
        obstacle: why the native engine, which was wanted, cannot run, and what is lost by that, in sentences; None
            where nothing stood in the way.
    """

    name: str
    device: str
    dtype: str
    reason: str
    obstacle: str | None = None

    @property
    def is_native(self) -> bool:
        return self.name == "native"

    @property
    def is_independent(self) -> bool:
        """Whether it can give a line the same translation, to the last bit, whatever is decoded beside it."""
        return self.is_native or self.device != "cpu"

    @property
    def sentence(self) -> str:
        """The engine, the reason and what it cannot promise, as `native (the device is a CPU)`."""
        return f"{self.name} ({self.reason}{'' if self.is_independent else f'; {_ROUNDS}'})"

    @property
    def place(self) -> str:
        """The device and the number type, as `cpu (2 threads), float32`; for what needs no PyTorch."""
        return f"{self.device} ({available_cpus()} threads), {self.dtype}"

    @property
    def versions(self) -> list[str]:
        """Name what rounds, and its version where that is not mtcli's own."""
        if self.is_native:
            return [self.name]
        return [self.name, importlib.metadata.version("torch")]


def choose_engine(model: Model, compute: ComputeOptions, search: SearchOptions) -> EngineChoice:
    """Choose what decodes.

    Args:
        model: one whose network is in memory is decoded where that is.
        compute: what its user wants.
        search: how it is to search.

    Raises:
        UsageError: there is no such engine.
        BackendUnavailableError: the engine, the device, the number type or the form of attention is not to be had here.
    """
    wanted = _wanted(compute.engine)
    if model.placement is not None:
        device, dtype, attention = model.placement
        dtype = "int8" if compute.dtype == "int8" else dtype
        compute = replace(compute, device=device, dtype=dtype, attention=attention)
    if wanted == "torch":
        return _torch(compute, "asked for")
    try:
        return _native(model, compute, search, wanted)
    except _CannotRunError as found:
        if wanted == "native":
            raise BackendUnavailableError(f"--engine native: {found} Use --engine auto, which takes another.") from None
        if compute.dtype == "int8":
            raise BackendUnavailableError(
                f"--dtype int8 needs the native engine. {found} Use --dtype auto, which takes what can run."
            ) from None
        return _torch(compute, found.phrase, str(found) if found.is_obstacle else None)


class _CannotRunError(Exception):
    """The native engine cannot run; is_obstacle says whether that is worth telling those who did not ask."""

    def __init__(self, sentence: str, *, is_obstacle: bool = False) -> None:
        super().__init__(sentence)
        self.is_obstacle = is_obstacle

    @property
    def phrase(self) -> str:
        sentence = str(self).removesuffix(".")
        return sentence if sentence[:2].isupper() else sentence[:1].lower() + sentence[1:]  # the name of a variable


def _wanted(engine: str) -> str:
    if engine == "auto" and (given := os.environ.get(VARIABLE)):
        check_choice(VARIABLE, given, ("auto", *FACTORIES))
        return given
    check_choice("--engine", engine, ("auto", *FACTORIES))
    return engine


def _native(model: Model, compute: ComputeOptions, search: SearchOptions, wanted: str) -> EngineChoice:
    """The native engine, unless something forbids it; what takes long to find out comes last."""
    if compute.device not in ("auto", "cpu"):
        raise _CannotRunError("The native engine computes on CPUs alone.")
    if compute.dtype not in ("auto", *_NATIVE_DTYPES):
        raise _CannotRunError(f"The native engine has no {compute.dtype}.")
    if compute.attention != "auto":
        raise _CannotRunError("The forms of attention are those of PyTorch's engine.")
    dtype = _native_dtype(model, compute, search)
    found = _obstacle(model, search, dtype)
    if found is not None:
        raise found
    if wanted == "native":
        return EngineChoice(name="native", device="cpu", dtype=dtype, reason="asked for")
    if compute.device == "auto" and may_have_gpu() and _takes_gpu():
        raise _CannotRunError("There is a GPU, and the native engine computes on CPUs alone.")
    return EngineChoice(name="native", device="cpu", dtype=dtype, reason="the device is a CPU")


def _native_dtype(model: Model, compute: ComputeOptions, search: SearchOptions) -> str:
    """The number type asked for; `auto` is int8 where that was checked and can run, else float32."""
    if compute.dtype != "auto":
        return compute.dtype
    return "int8" if model.int8_mark and _obstacle(model, search, "int8") is None else "float32"


def _obstacle(model: Model, search: SearchOptions, dtype: str) -> _CannotRunError | None:
    try:
        module: EngineModule = module_of("native")
    except ModuleNotFoundError as error:
        if error.name == "mtcli.decoding.engines.native":
            return _CannotRunError("This installation has no native engine.")
        return _CannotRunError(f"The native engine lacks a package ({error}).", is_obstacle=True)
    except ImportError as error:
        return _CannotRunError(f"The native engine cannot be loaded ({error}).", is_obstacle=True)
    sentence = module.obstacle(model, search, dtype=dtype)
    return None if sentence is None else _CannotRunError(sentence, is_obstacle=True)


def _takes_gpu() -> bool:
    from mtcli.devices import resolve_device

    return resolve_device("auto").type != "cpu"


def _torch(compute: ComputeOptions, reason: str, obstacle: str | None = None) -> EngineChoice:
    from mtcli.devices import decoding_dtype, dtype_name, resolve_device

    device = resolve_device(compute.device)
    dtype = dtype_name(decoding_dtype(compute.dtype, device))
    if obstacle is not None and device.type == "cpu":
        obstacle = f"{obstacle} So {_ROUNDS}."
    return EngineChoice(name="torch", device=str(device), dtype=dtype, reason=reason, obstacle=obstacle)
