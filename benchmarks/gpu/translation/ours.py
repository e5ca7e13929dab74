"""mtcli on a GPU as a contestant: python -m benchmarks.gpu.translation.ours [DEVICE]; cpu or cuda."""

import sys
from typing import Any

import torch

from benchmarks.contest.machine import versions
from benchmarks.peers.engine import Contestant, Settings, Work
from benchmarks.questions.decoding.ours import Ours, load_network, search_options
from mtcli.decoding.pool import Decoder
from mtcli.decoding.search import SearchOptions
from mtcli.devices import DTYPES


class OursOnDevice(Ours):
    """Settings: "dtype", "slots", "independent", "graphs", "attention".

    Decoders are kept, with their slots' memory and graphs. Scores are computed on the CPU: what a GPU finds is
    compared with them.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = torch.device(device)

    def facts(self) -> dict[str, Any]:
        return {"versions": versions(), "dtypes": list(DTYPES)}

    def prepare(self, settings: Settings) -> None:
        self._settings = {**settings, "lines": False}
        if self._network_key not in self._networks:
            network = load_network(self._description).to(self._device, DTYPES[settings["dtype"]])
            network.attention = settings["attention"]
            self._networks[self._network_key] = network

    @property
    def _network_key(self) -> tuple[str, str]:
        return self._settings["dtype"], self._settings["attention"]

    def _decoder(self, work: Work, beam: int) -> Decoder:
        options = search_options(self._description, work, beam)
        key = (*sorted(self._settings.items()), options)
        if key not in self._decoders:
            self._decoders[key] = self._new_decoder(options)
        return self._decoders[key]

    def _new_decoder(self, options: SearchOptions) -> Decoder:
        """As the settings have it.

        Raises:
            ValueError: graphs are wanted on a GPU, and this decoder makes none.
        """
        graphs = self._settings["graphs"]
        decoder = Decoder(
            self._networks[self._network_key],
            options,
            independent=self._settings["independent"],
            workers=1,
            max_slots=self._settings["slots"],
            graphs=graphs,
        )
        if graphs and torch.cuda.is_available() and not decoder.makes_graphs:
            raise ValueError("this decoder makes no CUDA graphs: not all operations of a step run as Triton kernels.")
        return decoder

    def hypotheses(
        self, settings: Settings, beam: int, work: dict[str, Any], alone: bool = False
    ) -> list[tuple[list[int], float]]:
        """Each sentence's best tokens, without the end token, and their log-probability in nats.

        Args:
            settings: as above.
            beam: 1 is greedy.
            work: the fields of a `Work`.
            alone: decode each sentence in a call of its own.
        """
        self.prepare(settings)
        wanted = Work(**work)
        decoder = self._decoder(wanted, beam)
        places = range(len(wanted.sources))
        parts = [wanted.part(place, place + 1) for place in places] if alone else [wanted]
        found = [hypotheses[0] for part in parts for hypotheses in decoder.decode(part.sources, part.limits)]
        return [(one.tokens, one.log_prob) for one in found]

    def slots(self, settings: Settings, beam: int, work: dict[str, Any]) -> int:
        """Sentences that are really decoded at once: the layout and the memory may want fewer, or more."""
        self.prepare(settings)
        return self._decoder(Work(**work), beam).slots


if __name__ == "__main__":
    engine = OursOnDevice(*sys.argv[1:])
    Contestant(engine).serve(hypotheses=engine.hypotheses, slots=engine.slots)
