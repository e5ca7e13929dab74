"""What a contestant made with PyTorch asks its device."""

import torch


class OnDevice:
    """A contestant on one device; a CPU has nothing to wait for, and no memory of its own."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def peak_bytes(self) -> int | None:
        """The most memory of a GPU that was in use since the last call; None on a CPU."""
        if self.device.type != "cuda":
            return None
        peak = torch.cuda.max_memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        return peak

    def release(self) -> None:
        """Give memory that is not in use back to other processes."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
