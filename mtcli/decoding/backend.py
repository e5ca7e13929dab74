"""A model and what it computes with: an engine for each way to search, made as it is needed."""

import logging
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mtcli.decoding import engines
from mtcli.decoding.engines import Engines, EnginesFactory
from mtcli.decoding.engines.choice import EngineChoice, choose_engine
from mtcli.decoding.forced import ForcedDecoder
from mtcli.decoding.options import ComputeOptions
from mtcli.decoding.search import SearchOptions
from mtcli.model_directory.model import Model
from mtcli.processors import available_cpus

if TYPE_CHECKING:
    from mtcli.model_directory.loading import LoadedModel

_log = logging.getLogger(__name__)


class Backend:
    """Makes the engines that decode a model as its user wants.

    Attributes:
        model: what is decoded.
        choice: what decodes it, for the way to search that it was made for.
    """

    def __init__(self, model: Model, compute: ComputeOptions, search: SearchOptions) -> None:
        """Choose an engine, and load what it needs.

        Args:
            model: a network in memory stays where it is.
            compute: what to compute with.
            search: how its user searches unless told otherwise.

        Raises:
            CheckpointError: the weights are damaged, or not all finite numbers.
            UsageError: there is no such engine.
            BackendUnavailableError: the engine, device, number type or form of attention is not to be had here.
        """
        self.model, self._compute = model, compute
        self._loaded: dict[str, LoadedModel] = {}  # by number type
        self.choice = choose_engine(model, compute, search)
        _log.info("Decoding with %s.", self.choice.sentence)
        if self.choice.is_native:
            model.check_weights()  # now, and not with the first line
        else:
            self.loaded.implementations(search.beam_size)

    def engines(self, search: SearchOptions) -> Engines:
        """Make the engines for one way to search.

        Raises:
            BackendUnavailableError: the engine or the form of attention that was asked for cannot search so.
        """
        choice, independent = self.choice_for(search), not self._compute.fast
        if choice.is_native:
            native: EnginesFactory = engines.load("native")
            return native(self.model, search, independent=independent, dtype=choice.dtype)
        loaded = self._network(choice.dtype)
        loaded.implementations(search.beam_size)
        return engines.load("torch")(loaded.network, search, independent=independent)  # type: ignore[no-any-return]

    def forced(self) -> ForcedDecoder:
        """Make what decodes given targets, by the engine that was chosen; each thread has one of its own."""
        if self.choice.is_native:
            from mtcli.decoding.engines.native_forced import NativeForced

            return NativeForced(self.model, dtype=self.choice.dtype)
        from mtcli.decoding.engines.torch_forced import TorchForced

        return TorchForced(self.loaded.network)

    def record(self, search: SearchOptions) -> dict[str, Any]:
        """Tell for a JSON file what decodes a search: engine, device, number type, forms of operations, threads."""
        choice = self.choice_for(search)
        found: dict[str, Any] = {"engine": choice.name, "device": choice.device, "dtype": choice.dtype}
        if choice.is_native:
            return found | {"device_name": platform.machine(), "implementations": {}, "threads": available_cpus()}
        from mtcli.devices import name_of_device, num_threads

        forms = self._network(choice.dtype).implementations(search.beam_size).record()
        return found | {
            "device_name": name_of_device(choice.device),
            "implementations": forms,
            "threads": num_threads(),
        }

    def choice_for(self, search: SearchOptions) -> EngineChoice:
        """Tell what decodes where the search is this one: the native engine may have no way for some.

        Raises:
            BackendUnavailableError: that engine was asked for.
        """
        depends = self.choice.is_native or self.choice.obstacle is not None
        return choose_engine(self.model, self._compute, search) if depends else self.choice

    @property
    def loaded(self) -> "LoadedModel":
        """The model with its network in memory, by PyTorch, which is imported and loads it when somebody asks."""
        return self._network("float32" if self.choice.is_native else self.choice.dtype)

    def _network(self, dtype: str) -> "LoadedModel":
        from mtcli.decoding.loading import load_for

        if dtype not in self._loaded:
            self._loaded[dtype] = load_for(self.model, replace(self._compute, dtype=dtype))
        return self._loaded[dtype]
