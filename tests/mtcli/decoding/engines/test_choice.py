"""Which engine decodes: who wishes what, what the machine has, and what is said where the native one cannot run."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support import echo_engine
from support.marks import marked
from support.searching import options
from support.tiny import untrained_model, write_untrained

from mtcli import accelerators
from mtcli.config import DecodingConfig
from mtcli.decoding.engines import choice as choices
from mtcli.decoding.engines.choice import EngineChoice, choose_engine
from mtcli.decoding.options import ComputeOptions
from mtcli.decoding.translator import Translator
from mtcli.errors import BackendUnavailableError, UsageError
from mtcli.model_directory.loading import load_model
from mtcli.model_directory.model import Model, StoredModel


@pytest.fixture
def model(tmp_path: Any) -> Model:
    return StoredModel(write_untrained(tmp_path / "model"))


@pytest.fixture(autouse=True)
def native(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without a GPU, where the native engine is installed."""
    monkeypatch.delenv("MTCLI_ENGINE", raising=False)
    monkeypatch.setitem(sys.modules, "mtcli.decoding.engines.native", echo_engine)
    monkeypatch.setattr(choices, "may_have_gpu", lambda: False)
    return monkeypatch


def choose(model: Model, beam: int = 2, **compute: str) -> EngineChoice:
    return choose_engine(model, ComputeOptions(**compute), options(beam))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wishes", "engine", "dtype"),
    [
        ({}, "native", "float32"),
        ({"dtype": "float32", "device": "cpu"}, "native", "float32"),
        ({"dtype": "int8"}, "native", "int8"),
        ({"engine": "native"}, "native", "float32"),
        ({"engine": "torch", "dtype": "float32"}, "torch", "float32"),
        ({"dtype": "bfloat16"}, "torch", "bfloat16"),
        ({"attention": "reference", "dtype": "float32"}, "torch", "float32"),
    ],
)
def test_the_native_engine_decodes_on_a_cpu_unless_more_is_asked(
    wishes: dict[str, str], engine: str, dtype: str, model: Model
) -> None:
    chosen = choose(model, **wishes)
    assert (chosen.name, chosen.device, chosen.dtype, chosen.obstacle) == (engine, "cpu", dtype, None)


@pytest.mark.parametrize(
    ("wishes", "engine", "dtype"),
    [
        ({}, "native", "int8"),
        ({"engine": "native"}, "native", "int8"),
        ({"dtype": "float32"}, "native", "float32"),
        ({"engine": "torch", "dtype": "float32"}, "torch", "float32"),
        ({"attention": "reference", "dtype": "float32"}, "torch", "float32"),
    ],
)
def test_what_was_checked_in_int8_is_decoded_in_it_unless_more_is_asked(
    wishes: dict[str, str], engine: str, dtype: str, tmp_path: Path
) -> None:
    chosen = choose(StoredModel(marked(write_untrained(tmp_path / "marked"))), **wishes)
    assert (chosen.name, chosen.dtype) == (engine, dtype)


def test_what_was_checked_is_float32_where_int8_cannot_be_had(tmp_path: Path, native: pytest.MonkeyPatch) -> None:
    model = StoredModel(marked(write_untrained(tmp_path / "marked")))
    native.setattr(echo_engine, "obstacle", lambda *_, dtype: "No integers." if dtype == "int8" else None)
    chosen = choose(model)
    assert (chosen.name, chosen.dtype, chosen.obstacle) == ("native", "float32", None)
    native.setattr(echo_engine, "obstacle", lambda *_, dtype: "Nothing.")
    chosen = choose(model)
    assert chosen.name == "torch"
    assert chosen.obstacle is not None
    assert chosen.obstacle.startswith("Nothing. So a translation is the same beside others up to rounding")


def test_a_network_in_memory_is_decoded_in_its_own_number_type(tmp_path: Path) -> None:
    loaded = load_model(marked(write_untrained(tmp_path / "marked")), torch.device("cpu"))
    assert choose(loaded).dtype == "float32"


def test_an_obstacle_is_told_and_pytorch_decodes(model: Model) -> None:
    chosen = choose(model, beam=9)
    rounds = "a translation is the same beside others up to rounding, not to the last bit"
    assert (chosen.name, chosen.obstacle) == ("torch", f"The echo has one voice. So {rounds}.")
    assert chosen.sentence == f"torch (the echo has one voice; {rounds})"


@pytest.mark.parametrize(
    ("wishes", "expected"), [({}, True), ({"dtype": "int8"}, True), ({"dtype": "bfloat16"}, False)]
)
def test_pytorch_on_a_cpu_promises_no_last_bit(wishes: dict[str, str], expected: bool, model: Model) -> None:
    chosen = choose(model, **wishes)
    assert chosen.is_independent is expected
    assert ("up to rounding" in chosen.sentence) is not expected


@pytest.mark.parametrize(
    ("wishes", "beam", "message"),
    [
        ({"engine": "native"}, 9, r"--engine native: The echo has one voice\. Use --engine auto"),
        ({"engine": "native", "device": "cuda"}, 2, "computes on CPUs alone"),
        ({"engine": "native", "dtype": "bfloat16"}, 2, "has no bfloat16"),
        ({"engine": "native", "attention": "padded"}, 2, "PyTorch's engine"),
        ({"dtype": "int8"}, 9, r"--dtype int8 needs the native engine\. The echo has one voice"),
        ({"dtype": "int8", "device": "cuda"}, 2, "--dtype int8 needs the native engine"),
        ({"dtype": "int8", "engine": "torch"}, 2, "PyTorch computes in floating point here"),
    ],
)
def test_what_cannot_be_had_is_a_sentence(wishes: dict[str, str], beam: int, message: str, model: Model) -> None:
    with pytest.raises(BackendUnavailableError, match=message):
        choose(model, beam, **wishes)


def test_an_unknown_engine_is_refused(model: Model, native: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--engine steam: expected one of auto, native, torch"):
        choose(model, engine="steam")
    native.setenv("MTCLI_ENGINE", "steam")
    with pytest.raises(UsageError, match="MTCLI_ENGINE steam: expected one of"):
        choose(model)


def test_the_variable_stands_in_for_auto_alone(model: Model, native: pytest.MonkeyPatch) -> None:
    native.setenv("MTCLI_ENGINE", "torch")
    assert choose(model).name == "torch"
    assert choose(model, engine="native").name == "native"


def test_without_the_engine_pytorch_decodes_without_a_word(model: Model, native: pytest.MonkeyPatch) -> None:
    native.setitem(sys.modules, "mtcli.decoding.engines.native", None)  # as if there were no such file
    chosen = choose(model)
    assert chosen.sentence.startswith("torch (this installation has no native engine; ")
    assert chosen.obstacle is None


def test_a_gpu_is_asked_for_by_pytorch_where_a_driver_shows_one(model: Model, native: pytest.MonkeyPatch) -> None:
    native.setattr(choices, "may_have_gpu", lambda: True)
    native.setattr("mtcli.devices.resolve_device", lambda name: torch.device("cuda" if name == "auto" else name))
    native.setattr("mtcli.devices.decoding_dtype", lambda name, device: torch.float16)
    assert (choose(model).name, choose(model).device) == ("torch", "cuda")
    assert choose(model).is_independent
    assert "rounding" not in choose(model).sentence
    assert choose(model, device="cpu").name == "native"
    assert choose(model, engine="native").device == "cpu"


def test_a_network_in_memory_decodes_where_it_is() -> None:
    model = untrained_model(max_length=18, seed=3)
    assert choose(model, device="cuda", dtype="float16").name == "native"
    model.network.attention = "padded"
    assert choose(model).name == "torch"
    half = untrained_model(max_length=19, seed=3)
    half.network.bfloat16()
    assert (choose(half).name, choose(half).dtype) == ("torch", "bfloat16")


def test_a_translator_takes_the_engine_of_its_choice_for_each_way_to_search(model: Model) -> None:
    translator = Translator(model)
    [said] = translator.translate(["the dog"], beam_size=2)
    assert said.text == "the dog"
    found = translator.translate(["the dog"], beam_size=9)
    assert found == Translator(model, engine="torch").translate(["the dog"], beam_size=9)
    wide = Translator(model, DecodingConfig(beam_size=9))
    assert [said] == wide.translate(["the dog"], beam_size=2)
    assert [(beam, wide.backend.record(options(beam))["engine"]) for beam in (2, 9)] == [(2, "native"), (9, "torch")]
    with pytest.raises(BackendUnavailableError, match="one voice"):
        Translator(model, engine="native").translate(["the dog"], beam_size=9)


@pytest.mark.parametrize(("dtype", "independent"), [("auto", True), ("int8", False)])
def test_the_engine_hears_how_to_compute(
    dtype: str, independent: bool, model: Model, native: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    class Hearing(echo_engine.NativeEngines):
        def __init__(self, *arguments: Any, **how: Any) -> None:
            super().__init__(*arguments, **how)
            heard.append((arguments[0], self.dtype, self.independent))

    native.setattr(echo_engine, "NativeEngines", Hearing)
    Translator(model, dtype=dtype, independent=independent).translate(["the dog"])
    assert heard == [(model, "float32" if dtype == "auto" else dtype, independent)]


class Driver:
    """A CUDA driver that answers so."""

    def __init__(self, started: int, devices: int) -> None:
        self._started, self._devices = started, devices

    def cuInit(self, flags: int) -> int:  # noqa: N802 (the driver's name)
        return self._started

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self._devices
        return 0


@pytest.mark.parametrize(("started", "devices", "found"), [(0, 2, 2), (0, 0, 0), (100, 7, 0)])
def test_the_driver_tells_how_many_gpus_there_are(
    started: int, devices: int, found: int, native: pytest.MonkeyPatch
) -> None:
    native.setattr(sys, "platform", "linux")
    native.setattr(accelerators.ctypes, "CDLL", lambda name: Driver(started, devices))
    assert accelerators.num_cuda_devices() == found


def test_no_driver_means_no_gpu(native: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise OSError(name)

    native.setattr(accelerators.ctypes, "CDLL", missing)
    assert accelerators.num_cuda_devices() == 0
    native.setattr(sys, "platform", "darwin")
    assert accelerators.num_cuda_devices() == 0
