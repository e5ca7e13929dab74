"""How long each section of `mtcli bench` may measure. Needs no torch."""

from collections.abc import Sequence

SECTIONS = ("kernels", "translate", "train")  # in the order in which they are measured, behind the ceilings
CEILINGS = "ceilings"

# Seconds. On a CPU all of them, with what it takes to import and to build models, end within three minutes.
ON_CPU = {CEILINGS: 10.0, "kernels": 40.0, "translate": 55.0, "train": 40.0}
ON_GPU = {CEILINGS: 20.0, "kernels": 120.0, "translate": 90.0, "train": 60.0}


class Budget:
    """Divides the time among the ceilings and the sections asked for.

    Each gets its share; what one leaves over goes to those behind it, and what one takes too much is not taken from
    them.

    Args:
        sections: those asked for.
        on_gpu: whether the GPU's shares count.
        seconds: for all together; None for the shares as they stand.
    """

    def __init__(self, sections: Sequence[str], *, on_gpu: bool, seconds: float | None = None) -> None:
        weights = ON_GPU if on_gpu else ON_CPU
        asked = {name: weights[name] for name in (CEILINGS, *SECTIONS) if name == CEILINGS or name in sections}
        factor = 1.0 if seconds is None else seconds / sum(asked.values())
        self._shares = {name: weight * factor for name, weight in asked.items()}

    @property
    def seconds(self) -> float:
        """For all together."""
        return sum(self._shares.values())

    def share(self, section: str, spent: float) -> float:
        """Seconds for a section that begins when so many have been spent."""
        names = list(self._shares)
        behind = sum(self._shares[name] for name in names[names.index(section) + 1 :])
        return max(self._shares[section], self.seconds - spent - behind)
