"""One run of `mtcli bench`: the ceilings, then each section asked for, within its time."""

import importlib
from collections.abc import Callable, Sequence

from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import BenchRecord
from mtcli.bench.settings import SECTIONS, BenchSettings

# Seconds. On a CPU all of them, with what it takes to import and to build models, end within three minutes.
ON_CPU = dict(zip(SECTIONS, (10.0, 40.0, 55.0, 40.0), strict=True))
ON_GPU = dict(zip(SECTIONS, (20.0, 150.0, 90.0, 60.0), strict=True))
MODULES = {"kernels": "kernels.section", "translate": "translation.section", "train": "training.section"}


class Run:
    """Measures section by section.

    Args:
        settings: device, number type, model and seed; its `ends_at` is set for each section.
        sections: those to measure, of SECTIONS; the ceilings always are.
        seconds: for all of it; None for the shares as they stand.
        command: how it was called.
        save: gets the record whenever there is more.
    """

    def __init__(
        self,
        settings: BenchSettings,
        sections: Sequence[str],
        *,
        seconds: float | None,
        command: str,
        save: Callable[[BenchRecord], None] = lambda record: None,
    ) -> None:
        from mtcli.bench.machine import device, versions

        self._settings = settings
        self._shares = shares(sections, on_gpu=settings.on_gpu, seconds=seconds)
        self.device = device(settings)
        self.findings = Findings(
            command=command, seed=settings.seed, device=self.device, versions=versions(), save=save
        )

    def measure(self) -> BenchRecord:
        """Measure all; what is found stays in `findings` when it is interrupted.

        Raises:
            MtcliError: as the sections do.
        """
        from mtcli.bench.ceilings import measure_ceilings

        self.findings.unfinished = [name for name in self._shares if name != "ceilings"]
        self.findings.ceilings, rows = measure_ceilings(self._within("ceilings"))
        self.findings.add(*rows)
        for name in list(self.findings.unfinished):
            # What a section imports takes seconds on its own, which are not its time to measure.
            module = importlib.import_module(f"mtcli.bench.{MODULES[name]}")
            getattr(module, f"measure_{name}")(self._within(name), self.findings)
            self.findings.unfinished.remove(name)
        record = self.findings.save()
        assert record is not None
        return record

    def _within(self, section: str) -> BenchSettings:
        """What a section leaves over goes to those behind it; what it takes too much is not taken from them."""
        names = list(self._shares)
        behind = sum(self._shares[name] for name in names[names.index(section) + 1 :])
        left = sum(self._shares.values()) - self.findings.seconds - behind
        return self._settings.within(max(self._shares[section], left))


def shares(sections: Sequence[str], *, on_gpu: bool, seconds: float | None = None) -> dict[str, float]:
    """Seconds of the ceilings and of each section asked for; all together as many as are given, if any."""
    all_shares = ON_GPU if on_gpu else ON_CPU
    found = {name: share for name, share in all_shares.items() if name in ("ceilings", *sections)}
    factor = 1.0 if seconds is None else seconds / sum(found.values())
    return {name: share * factor for name, share in found.items()}
