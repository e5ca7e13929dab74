"""How many sentences fit into memory at once, as far as that can be told beforehand."""

import torch

from mtcli.decoding.host_memory import free_memory
from mtcli.model.transformer import Transformer

_USABLE = 0.6  # of what is free: others need some, and fragments are lost
_TYPICAL_TOKENS = 64  # a side; caches grow for longer sentences, and run into their budget of tokens
_ROWS = {"cpu": 320, "cuda": 4096}  # hypotheses in a step: more make it no faster
_MOST_SLOTS = {"cpu": 128, "cuda": 1024}


def slots_for(network: Transformer, beam: int, engines: int = 1) -> int:
    """Sentences that each of so many engines should decode at once, one at least."""
    weight = network.output.weight
    device = weight.device
    wanted = min(_MOST_SLOTS[device.type], max(1, _ROWS[device.type] // beam))
    free = free_bytes(device)
    if free is None:
        return wanted
    return max(1, min(wanted, int(free * _USABLE / engines / _bytes_per_slot(network, beam))))


def _bytes_per_slot(network: Transformer, beam: int) -> float:
    config, vocabulary, size = network.config, network.vocabulary.target, network.output.weight.element_size()
    entries = _TYPICAL_TOKENS * (1 + beam)
    caches = 2 * config.decoder_layers * entries * config.d_model * size
    logits = beam * vocabulary * (size + 8)  # their exponentials, and what is sorted
    rows = beam * (4 * config.d_model + config.of_decoder.ffn_dim) * size
    return float(caches + logits + rows)


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on a device, in bytes; None where the system does not tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free_memory()
